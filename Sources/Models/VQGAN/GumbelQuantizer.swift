// A codebook chosen from by logits: Gumbel-softmax samples, straight-through gradient, divergence
// loss.
import Foundation
import NN
import TensorCore

/// Replaces every latent vector by an entry sampled from the softmax of its logits, or by the most
/// likely one.
///
/// The result is the sampled entry alone; its gradient is that of the entries' mean by the
/// fractions `softmax((logits + noise) / temperature)`, and reaches the entries as that of the
/// sampled one. The loss is the divergence of `softmax(logits)` from even use, times `kl_weight`.
/// Entries that a remap leaves out have no logits.
/// - Source: Jang et al. 2017, §2; the reference's `GumbelVQ`, which samples in evaluation too:
///   here that takes the most likely entries, so that an image has one grid of codes.
package struct GumbelQuantizer: Quantizer {
  package private(set) var codebook: Tensor  // [K, D]
  /// Logits, `D` to `K` channels.
  private var projection: Conv2d
  /// Of the samples in training.
  package private(set) var temperature: Float
  private let schedule: TemperatureSchedule
  private let klWeight: Float

  package static func problem(_ config: VQGANConfig) -> String? {
    if config.embedDim != config.zChannels {
      return "embed_dim is \(config.embedDim); the logits of a gumbel quantizer need z_channels, "
        + "\(config.zChannels)"
    }
    if config.quantizer.restartAfter > 0 || config.quantizer.initialization != .uniform {
      return "a gumbel quantizer has neither revive_after nor k_means: its entries are no latents"
    }
    return nil
  }

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    let (entries, length) = (config.nEmbed, config.embedDim)
    projection = Conv2d(length, entries, kernel: 1, using: &random, on: device)
    codebook = random.normal([entries, length], on: device).trainable()
    schedule = config.quantizer.temperature
    temperature = schedule(0)
    klWeight = config.quantizer.klWeight
  }

  package mutating func startStep(_ step: Int) { temperature = schedule(step) }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    let logits = self.logits(of: z.vectors(), among: used)
    var noisy = logits
    if let noise = random?.gumbel(logits.shape, on: z.device) { noisy = logits + noise }
    var chosen = noisy.detached().largestColumns()
    if let used {
      chosen = IndexTensor(
        chosen.elements.map { used.elements[Int($0)] }, shape: chosen.shape)
    }
    var q = codebook.gathered(at: chosen)
    if logits.isTracked {
      let fractions = noisy.scaled(by: 1 / temperature).softmax()
      let table = codebook.detached()
      let soft = fractions.matmul(used.map { table.gathered(at: $0) } ?? table)
      q = q + (soft - soft.detached())
    }
    func loss() -> Tensor {
      // The divergence is from even use of the whole codebook, also where a part of it is left out.
      let left = log(Float(codebook.shape[0]) / Float(logits.shape[1]))
      return klWeight * logits.divergenceFromUniform().scaled(by: 1, plus: left)
    }
    return Quantized(q, like: z, loss: loss, indices: chosen)
  }

  /// One logit for each entry in use, `[M, entries in use]`, of latents `[M, D]`.
  private func logits(of rows: Tensor, among used: IndexTensor?) -> Tensor {
    let entries = codebook.shape[0]
    var weight = projection.weight.plain().reshaped([entries, projection.weight.shape[1]])
    var bias = projection.bias
    if let used {
      weight = weight.gathered(at: used)
      bias = bias?.reshaped([entries, 1]).gathered(at: used).reshaped([used.count])
    }
    return rows.linear(weight, bias: bias)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try projection.visitParameters { try visit("proj." + $0, &$1) }
    try visit("embed.weight", &codebook)
  }
}
