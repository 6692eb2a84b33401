// Finite scalar quantization: every channel rounded to one of a few levels.
import Foundation
import NN
import TensorCore

/// Rounds every channel i of the latents to one of L_i levels; a code says the level of each.
///
/// `round(tanh(z + s) · h - o) / ⌊L/2⌋` with `h = (L - 1)(1 + 1e-3)/2`, `o = ½` for even L, else 0,
/// and `s = artanh(o/h)`. The entry is `Σ i_j · ΠL`, the first channel's level running fastest. The
/// gradient passes through the rounding; nothing is learnt here, and there is no loss unless
/// `entropyWeight` w is set: `w (mean H(p) - γ H(mean p))`, with `p = softmax(-4 ‖y - l‖²)` over
/// the entries' levels l and `y = tanh(z + s) · h - o`. The grid is finer than few images need, and
/// only this draws their latents apart. Levels are taken in groups of at most 1,024 entries, whose
/// entropies are added.
///
/// Of several codebooks, all see `c tanh(z / c)` with `c = L/(L - 1)`, and that of level k, from 0,
/// has L values at equal distances from -1 to 1 for each channel, times L⁻ᵏ. What one leaves is then
/// within ±c times the scale of the next one.
/// - Source: Mentzer et al. 2023, *Finite scalar quantization*, §3, appendix A; several codebooks as
///   the ResidualFSQ of vector-quantize-pytorch.
package struct FSQuantizer: Quantizer {
  private let levels: [Int]
  private let config: QuantizerConfig
  /// The levels as a tensor, so that they are part of a file and of the fingerprint of its codes.
  private var stored: Tensor  // [D]
  /// Of each channel's values, where this is one of several codebooks.
  private var scales: [Double]?

  /// 1/T of the soft assignments of the entropy loss, where the next level is at distance 1.
  private static let sharpness: Float = 4

  /// Levels for a number of codes: the paper's table, 1,024 and more with at least 5 of a channel.
  package static let presets: [Int: [Int]] = [
    240: [8, 6, 5], 256: [8, 6, 5], 1000: [8, 5, 5, 5], 1024: [8, 5, 5, 5],
    4096: [7, 5, 5, 5, 5], 4375: [7, 5, 5, 5, 5], 15_360: [8, 8, 8, 6, 5],
    16_384: [8, 8, 8, 6, 5], 64_000: [8, 8, 8, 5, 5, 5], 65_536: [8, 8, 8, 5, 5, 5],
  ]

  package static func problem(_ config: VQGANConfig) -> String? {
    let levels = config.quantizer.levels
    guard (1...20).contains(levels.count), levels.allSatisfy({ (3...256).contains($0) }) else {
      return "levels is \(levels); fsq needs 1 to 20 of them, each 3 to 256"
    }
    let product = levels.reduce(1.0) { $0 * Double($1) }
    if product != Double(config.nEmbed) {
      return String(format: "n_embed is \(config.nEmbed); levels \(levels) are %.0f codes", product)
    }
    if levels.count != config.embedDim {
      return "embed_dim is \(config.embedDim); levels \(levels) are \(levels.count) channels"
    }
    // Values of a channel, one of which float32 must tell from the next.
    let (largest, depth) = (levels.max() ?? 0, config.quantizer.depth)
    if pow(Double(largest), Double(depth)) > 0x1p20 {
      return "depth is \(depth); the last codebook of \(largest) levels is finer than float32"
    }
    if depth > 1, config.quantizer.entropyWeight > 0 {
      return "entropy_weight is \(config.quantizer.entropyWeight) and depth \(depth); fsq has an "
        + "entropy loss with one codebook alone"
    }
    return nil
  }

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    levels = config.quantizer.levels
    self.config = config.quantizer
    stored = Tensor(levels.map { Float($0) }, shape: [levels.count], on: device)
  }

  package init(
    _ config: VQGANConfig, level: Int, using random: inout RandomSource, on device: Device
  ) {
    self.init(config, using: &random, on: device)
    scales = levels.map { pow(Double($0), -Double(level)) }
  }

  package var codebook: Tensor {
    let entries = levels.reduce(1, *)
    return Tensor(
      (0..<entries).flatMap { values(of: $0) }, shape: [entries, levels.count], on: stored.device)
  }

  /// The values of an entry, in [-1, 1].
  private func values(of entry: Int) -> [Float] {
    var left = entry
    return levels.enumerated().map { channel, level in
      defer { left /= level }
      guard let scales else { return Float(left % level - level / 2) / Float(level / 2) }
      return Float((2 * Double(left % level) / Double(level - 1) - 1) * scales[channel])
    }
  }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    if let scales { return nearest(to: z, scales) }
    let rows = z.vectors()
    let bounded = self.bounded(rows)
    var (values, slopes) = (rows.detached().elements(), rows.detached().elements())
    var entries = [Int32](repeating: 0, count: rows.shape[0])
    for row in entries.indices {
      var basis = 1
      for (channel, level) in levels.enumerated() {
        let index = row * levels.count + channel
        // Not a number stays so in the values; the training finds it there.
        let rounded = bounded[index].value.rounded(.toNearestOrEven)
        values[index] = Float(rounded / Double(level / 2))
        slopes[index] = Float(bounded[index].slope / Double(level / 2))
        entries[row] += Int32((rounded.isNaN ? 0 : Int(rounded) + level / 2) * basis)
        basis *= level
      }
    }
    let result = rows.replaced(
      by: Tensor(values, shape: rows.shape, on: z.device),
      slopes: Tensor(slopes, shape: rows.shape, on: z.device))
    func loss() -> Tensor {
      config.entropyWeight > 0
        ? config.entropyWeight * entropyLoss(rows, bounded) : Tensor(0, on: z.device)
    }
    return Quantized(
      result, like: z, loss: loss, indices: IndexTensor(entries, shape: [entries.count]))
  }

  /// The elements of vectors `[M, D]` between their channels' lowest and highest levels, and the
  /// derivatives of that.
  private func bounded(_ rows: Tensor) -> [(value: Double, slope: Double)] {
    let bounds = levels.map(LevelBound.init)
    return rows.detached().elements().enumerated().map {
      bounds[$0.offset % bounds.count](Double($0.element))
    }
  }

  /// `mean H(p) - γ H(mean p)` of vectors `[M, D]` in nats.
  ///
  /// - Complexity: O(M · 1,024).
  private func entropyLoss(
    _ rows: Tensor, _ bounded: [(value: Double, slope: Double)]
  ) -> Tensor {
    let count = levels.count
    let columns = rows.replaced(
      by: Tensor(bounded.map { Float($0.value) }, shape: rows.shape, on: rows.device),
      slopes: Tensor(bounded.map { Float($0.slope) }, shape: rows.shape, on: rows.device)
    ).transposed()
    var loss = Tensor(0, on: rows.device)
    var start = 0
    while start < count {
      var (end, entries) = (start + 1, levels[start])
      while end < count, entries * levels[end] <= 1024 {
        entries *= levels[end]
        end += 1
      }
      let grid = Self.grid(Array(levels[start..<end]))
      // ‖y‖² is the same for every entry, so the softmax is that of 2 y·l - ‖l‖².
      let logits = columns.items(start..<end).transposed().linear(
        Tensor(
          grid.joined().map { 2 * Self.sharpness * $0 }, shape: [entries, end - start],
          on: rows.device),
        bias: Tensor(
          grid.map { -Self.sharpness * $0.reduce(0) { $0 + $1 * $1 } }, shape: [entries],
          on: rows.device))
      loss = loss + logits.entropyLoss(diversity: config.diversity)
      start = end
    }
    return loss
  }

  /// The levels of all entries of some channels, the first channel's running fastest.
  private static func grid(_ levels: [Int]) -> [[Float]] {
    (0..<levels.reduce(1, *)).map { entry in
      var left = entry
      return levels.map { level in
        defer { left /= level }
        return Float(left % level - level / 2)
      }
    }
  }

  /// The nearest of the values of one codebook of several; their gradient is not passed on here.
  private func nearest(to z: Tensor, _ scales: [Double]) -> Quantized {
    let rows = withoutGradients { z.detached().vectors() }
    let values = rows.elements()
    let entries = (0..<rows.shape[0]).map { row in
      var (entry, basis) = (0, 1)
      for (channel, level) in levels.enumerated() {
        let value = Double(values[row * levels.count + channel]) / scales[channel]
        let position = Double(level - 1) * (min(max(value, -1), 1) + 1) / 2 + 0.5
        // Not a number stays so in the latents.
        entry += (value.isNaN ? 0 : Int(position.rounded(.down))) * basis
        basis *= level
      }
      return Int32(entry)
    }
    let found = Tensor(
      entries.flatMap { self.values(of: Int($0)) }, shape: rows.shape, on: z.device)
    return Quantized(
      found, like: z, loss: { Tensor(0, on: z.device) },
      indices: IndexTensor(entries, shape: [entries.count]))
  }

  package func shared(_ z: Tensor) -> Tensor {
    let rows = z.vectors()
    var values = rows.detached().elements()
    var slopes = values
    for index in values.indices {
      let level = Double(levels[index % levels.count])
      let bound = level / (level - 1)
      let bounded = tanh(Double(values[index]) / bound)
      values[index] = Float(bounded * bound)
      slopes[index] = Float(1 - bounded * bounded)
    }
    return rows.replaced(
      by: Tensor(values, shape: rows.shape, on: z.device),
      slopes: Tensor(slopes, shape: rows.shape, on: z.device)
    )
    .reshaped([z.shape[0], z.shape[2] * z.shape[3], z.shape[1]])
    .image(height: z.shape[2], width: z.shape[3])
  }

  package func vectors(of indices: IndexTensor) -> Tensor {
    let (n, h, w) = (indices.shape[0], indices.shape[1], indices.shape[2])
    let values = indices.elements.flatMap { self.values(of: Int($0)) }
    return Tensor(values, shape: [n, h * w, levels.count], on: stored.device)
      .image(height: h, width: w)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("levels", &stored)
  }
}

/// Brings a channel's latents between its lowest and its highest level.
private struct LevelBound {
  private let half, offset, shift: Double

  init(_ level: Int) {
    half = Double(level - 1) * (1 + 1e-3) / 2
    offset = level.isMultiple(of: 2) ? 0.5 : 0
    shift = atanh(offset / half)
  }

  /// `tanh(z + s) · h - o` and its derivative.
  func callAsFunction(_ z: Double) -> (value: Double, slope: Double) {
    let bounded = tanh(z + shift)
    return (bounded * half - offset, half * (1 - bounded * bounded))
  }
}
