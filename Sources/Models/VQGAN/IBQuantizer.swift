// Index backpropagation: the entry of the largest scalar product, a gradient for every entry.
import NN
import TensorCore

/// Replaces every latent vector z by the entry e of the largest `z · e`; the lowest index wins a
/// tie.
///
/// The gradient is that of the entries' mean by the fractions `p = softmax(z · e)`, so every entry
/// gets its part of it, and that of the chosen entry. The loss is
/// `mean (q - z)² + mean (sg[e] - z)² + β mean (e - sg[z])²`, q being the result with that gradient,
/// plus `w (mean H(p') - γ H(mean p'))` of `p' = softmax(100 z · e)`.
/// - Source: Shi et al. 2024, *Taming scalable visual tokenizer for autoregressive image
///   generation*, §3.2–3.3.
package struct IBQuantizer: Quantizer {
  private var weight: Tensor  // [K, D]
  private let config: QuantizerConfig
  /// 1/T of the entropy loss.
  private static let sharpness: Float = 100
  /// Products in memory at once where no gradient needs all of them.
  private static let mostProducts = 1 << 24

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    weight = random.normal([config.nEmbed, config.embedDim], on: device).trainable()
    self.config = config.quantizer
  }

  package var codebook: Tensor { weight }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    let rows = z.vectors()
    guard rows.isTracked || weight.isTracked else {
      let indices = largestProducts(of: rows)
      let entries = weight.gathered(at: indices)
      return Quantized(
        entries, like: z,
        loss: { (2 + config.beta) * rows.meanSquaredDifference(from: entries) }, indices: indices)
    }
    let logits = rows.linear(weight, bias: nil)
    let indices = logits.detached().largestColumns()
    let entries = weight.gathered(at: indices)
    let mean = logits.softmax().matmul(weight.detached())
    let q = entries + (mean - mean.detached())
    func loss() -> Tensor {
      let distances =
        q.meanSquaredDifference(from: rows)
        + rows.meanSquaredDifference(from: entries.detached())
        + config.beta * entries.meanSquaredDifference(from: rows.detached())
      let entropy = logits.scaled(by: Self.sharpness).entropyLoss(diversity: config.diversity)
      return distances + config.entropyWeight * entropy
    }
    return Quantized(q, like: z, loss: loss, indices: indices)
  }

  /// The entry of the largest product of each vector `[M, D]`, `[M]`.
  private func largestProducts(of rows: Tensor) -> IndexTensor {
    let (m, step) = (rows.shape[0], max(1, Self.mostProducts / weight.shape[0]))
    func largest(_ rows: Tensor) -> IndexTensor { rows.linear(weight, bias: nil).largestColumns() }
    guard m > step else { return largest(rows) }
    let parts = stride(from: 0, to: m, by: step).map { start in
      largest(rows.items(start..<min(m, start + step))).elements
    }
    return IndexTensor(parts.flatMap { $0 }, shape: [m])
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("embedding.weight", &weight)
  }
}
