// Several codebooks one after the other, each of what those before it leave over.
import NN
import TensorCore

/// Replaces every latent vector by a sum of entries: of the first codebook the one nearest to it,
/// of each further codebook the one nearest to what is left.
///
/// A position has a code of each level, coarse ones first; `indices` are `[N, h, w · depth]`. The
/// loss is the mean of those of the levels; the latents get the gradient of the sum, once. In
/// training `dropout` leaves out the last levels, so that the first ones alone are an image too.
/// With `cosine` each level takes the entry of length 1 in the direction of what is left.
/// - Source: Lee et al. 2022, *Autoregressive image generation using residual quantization*, §3.1,
///   with a codebook for each level; dropout as in Zeghidour et al. 2021, §III.C. Of fsq, lfq and
///   cosine, the residual modules of vector-quantize-pytorch, which give the latents the gradient
///   once per level.
package struct ResidualQuantizer: Quantizer {
  private var layers: [any Quantizer]
  private let config: QuantizerConfig
  /// Entries of one level.
  private let entries: Int

  package static func problem(_ config: VQGANConfig) -> String? {
    let quantizer = config.quantizer
    if let reason = quantizer.kind.whyWithoutDepth {
      return "depth is \(quantizer.depth); \(reason)"
    }
    if quantizer.remap != nil { return "remap is for a depth of 1, not \(quantizer.depth)" }
    return quantizer.kind.quantizer.problem(config)
  }

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    layers = []
    for level in 0..<config.quantizer.depth {
      layers.append(
        config.quantizer.kind.quantizer.init(config, level: level, using: &random, on: device))
    }
    (self.config, entries) = (config.quantizer, config.nEmbed)
  }

  /// The entries of all levels, `[depth · K, D]`.
  package var codebook: Tensor {
    layers.dropFirst().reduce(layers[0].codebook) { $0.followed(by: $1.codebook) }
  }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    var kept = layers.count
    if config.dropout > 0, let drop = random?.uniform(), drop < config.dropout,
      let which = random?.uniform()
    {
      kept = min(1 + Int(which * Float(layers.count - 1)), layers.count - 1)
    }
    let z = layers[0].shared(z)
    var rest = z
    var sum: Tensor?
    var levels: [QuantizedVectors] = []
    var parts: [Quantized] = []
    for (level, layer) in layers.prefix(kept).enumerated() {
      let found = layer(rest, among: nil, sampling: &random)
      let vectors = withoutGradients { layer.vectors(of: found.indices) }.detached().in(z.layout)
      (rest, sum) = (rest - vectors, sum.map { $0 + vectors } ?? vectors)
      parts.append(found)
      levels += found.levels.map {
        var own = $0
        own.firstEntry = level * entries
        return own
      }
    }
    guard let sum else { preconditionFailure("no levels") }
    let latents =
      switch config.gradient {
      case .straight: z + (sum - z.detached())
      case .rotation:
        z.vectors().rotated(onto: sum.vectors()).reshaped([
          z.shape[0], z.shape[2] * z.shape[3], z.shape[1],
        ])
        .image(height: z.shape[2], width: z.shape[3])
      }
    return Quantized(
      latents: latents, loss: { [parts] in Self.meanLoss(parts) },
      indices: interleaved(levels, like: z), levels: levels)
  }

  private static func meanLoss(_ levels: [Quantized]) -> Tensor {
    levels.dropFirst().reduce(levels[0].loss) { $0 + $1.loss }.scaled(by: 1 / Float(levels.count))
  }

  /// The codes of each position one after the other; 0 for levels that were left out.
  private func interleaved(_ levels: [QuantizedVectors], like z: Tensor) -> IndexTensor {
    let depth = layers.count
    var all = [Int32](repeating: 0, count: z.shape[0] * z.shape[2] * z.shape[3] * depth)
    for (level, found) in levels.enumerated() {
      for (position, code) in found.indices.elements.enumerated() {
        all[position * depth + level] = code
      }
    }
    return IndexTensor(all, shape: [z.shape[0], z.shape[2], z.shape[3] * depth])
  }

  package func vectors(of indices: IndexTensor) -> Tensor {
    let depth = layers.count
    let shape: Shape = [indices.shape[0], indices.shape[1], indices.shape[2] / depth]
    let all = indices.elements
    let parts = layers.enumerated().map { level, layer in
      layer.vectors(
        of: IndexTensor(stride(from: level, to: all.count, by: depth).map { all[$0] }, shape: shape)
      )
    }
    return parts.dropFirst().reduce(parts[0]) { $0 + $1 }
  }

  package mutating func moveEntries(towards levels: [QuantizedVectors]) {
    for level in levels {
      layers[level.firstEntry / entries].moveEntries(towards: level.vectors, at: level.indices)
    }
  }

  package mutating func setEntries(_ entries: [Int], to vectors: Tensor) {
    for level in layers.indices {
      let rows = entries.indices.filter { entries[$0] / self.entries == level }
      guard !rows.isEmpty else { continue }
      let own = vectors.gathered(at: IndexTensor(rows, shape: [rows.count]))
      layers[level].setEntries(rows.map { entries[$0] % self.entries }, to: own)
    }
  }

  package mutating func startEntries(from rows: Tensor, using random: inout RandomSource) {
    var rest = rows
    for level in layers.indices {
      layers[level].startEntries(from: rest, using: &random)
      let table = layers[level].codebook.detached()
      rest = rest - table.gathered(at: rest.nearestRows(in: table).indices)
    }
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    for level in layers.indices {
      try layers[level].visitParameters { try visit("layers.\(level).\($0)", &$1) }
    }
  }
}
