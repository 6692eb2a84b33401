// Finite scalar quantization: every channel rounded to one of a few levels.
import Foundation
import NN
import TensorCore

/// Rounds every channel i of the latents to one of L_i levels; a code says the level of each.
///
/// `round(tanh(z + s) · h - o) / ⌊L/2⌋` with `h = (L - 1)(1 + 1e-3)/2`, `o = ½` for even L, else 0,
/// and `s = artanh(o/h)`. The entry is `Σ i_j · ΠL`, the first channel's level running fastest. The
/// gradient passes through the rounding; there is no loss and nothing is learnt here.
/// - Source: Mentzer et al. 2023, *Finite scalar quantization*, §3, appendix A.
package struct FSQuantizer: Quantizer {
  private let levels: [Int]
  /// The levels as a tensor, so that they are part of a file and of the fingerprint of its codes.
  private var stored: Tensor  // [D]

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
    return nil
  }

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    levels = config.quantizer.levels
    stored = Tensor(levels.map { Float($0) }, shape: [levels.count], on: device)
  }

  package var codebook: Tensor {
    let entries = levels.reduce(1, *)
    return Tensor(
      (0..<entries).flatMap { values(of: $0) }, shape: [entries, levels.count], on: stored.device)
  }

  /// The values of an entry, in [-1, 1].
  private func values(of entry: Int) -> [Float] {
    var left = entry
    return levels.map { level in
      defer { left /= level }
      return Float(left % level - level / 2) / Float(level / 2)
    }
  }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    let rows = z.vectors()
    let channels = levels.map { level -> (half: Double, offset: Double, shift: Double) in
      let half = Double(level - 1) * (1 + 1e-3) / 2
      let offset = level.isMultiple(of: 2) ? 0.5 : 0
      return (half, offset, atanh(offset / half))
    }
    var values = rows.detached().elements()
    var slopes = values
    var entries = [Int32](repeating: 0, count: rows.shape[0])
    for row in entries.indices {
      var basis = 1
      for (channel, level) in levels.enumerated() {
        let index = row * levels.count + channel
        let (half, offset, shift) = channels[channel]
        let bounded = tanh(Double(values[index]) + shift)
        // Not a number stays so in the values; the training finds it there.
        let rounded = (bounded * half - offset).rounded(.toNearestOrEven)
        values[index] = Float(rounded / Double(level / 2))
        slopes[index] = Float(half * (1 - bounded * bounded) / Double(level / 2))
        entries[row] += Int32((rounded.isNaN ? 0 : Int(rounded) + level / 2) * basis)
        basis *= level
      }
    }
    let result = rows.replaced(
      by: Tensor(values, shape: rows.shape, on: z.device),
      slopes: Tensor(slopes, shape: rows.shape, on: z.device))
    return Quantized(
      result, like: z, loss: Tensor(0, on: z.device),
      indices: IndexTensor(entries, shape: [entries.count]))
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
