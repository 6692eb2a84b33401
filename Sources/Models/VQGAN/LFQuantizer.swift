// Lookup-free quantization: the sign of every channel, an entropy loss for even use.
import Foundation
import NN
import TensorCore

/// Replaces every channel of the latents by its sign; a code is the signs as bits, the first
/// channel's the highest.
///
/// With `signs` of Open-MAGVIT2 the first channel's bit is the lowest, and latents are not
/// normalised. Otherwise an image's latents are brought to mean 0 and variance 1 together, without
/// which the entropy loss has no scale to work at. The loss is
/// `w (mean H(p) - γ H(mean p)) + β mean (z - q)²`, p being the soft assignment
/// `softmax(200 z · c)` of a vector to the codes: each vector is to be sure of its code, all of
/// them together are to use every code. More than ten bits are taken in groups of at most ten,
/// whose entropies are added.
///
/// Of several codebooks, all see the normalised latents, and that of level k, from 0, has the signs
/// times 2⁻ᵏ, in the loss too.
/// - Source: Yu et al. 2023, *Language model beats diffusion*, §3.1, in the conventions of
///   vector-quantize-pytorch, several codebooks as in its ResidualLFQ; groups as in Zhao et al.
///   2024.
package struct LFQuantizer: Quantizer {
  private let bits: Int
  private let config: QuantizerConfig
  private let device: Device
  /// Of the signs, where this is one of several codebooks.
  private var scale: Float?
  /// 1/T of the soft assignments.
  private static let sharpness: Float = 100

  package static func problem(_ config: VQGANConfig) -> String? {
    guard (1...20).contains(config.embedDim), config.nEmbed == 1 << config.embedDim else {
      return "n_embed is \(config.nEmbed) and embed_dim \(config.embedDim); lfq has a bit for "
        + "each of up to 20 channels"
    }
    return nil
  }

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    bits = config.embedDim
    self.config = config.quantizer
    self.device = device
  }

  package init(
    _ config: VQGANConfig, level: Int, using random: inout RandomSource, on device: Device
  ) {
    self.init(config, using: &random, on: device)
    scale = pow(0.5, Float(level))
  }

  package var codebook: Tensor {
    Tensor((0..<1 << bits).flatMap(signs), shape: [1 << bits, bits], on: device)
  }

  /// All signs of so many channels, `[2^bits, bits]`.
  private static func codes(_ bits: Int, on device: Device) -> Tensor {
    Tensor(
      (0..<1 << bits).flatMap { entry in
        (0..<bits).map { entry >> (bits - 1 - $0) & 1 == 1 ? 1 : -1 }
      }, shape: [1 << bits, bits], on: device)
  }

  /// The bit of an entry that is a channel's.
  private func bit(of channel: Int) -> Int {
    config.signs == .openMAGVIT2 ? channel : bits - 1 - channel
  }

  private func signs(of entry: Int) -> [Float] {
    let one = scale ?? 1
    return (0..<bits).map { entry >> bit(of: $0) & 1 == 1 ? one : -one }
  }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    let rows = (scale == nil ? shared(z) : z).vectors()
    let values = rows.detached().elements()
    let one = scale ?? 1
    let signs = values.map { $0 > 0 ? one : $0.isNaN ? $0 : -one }
    let entries = (0..<rows.shape[0]).map { row in
      (0..<bits).reduce(Int32(0)) {
        signs[row * bits + $1] > 0 ? $0 | 1 << Int32(bit(of: $1)) : $0
      }
    }
    let q = Tensor(signs, shape: rows.shape, on: z.device)
    func loss() -> Tensor {
      config.entropyWeight * entropyLoss(rows) + config.beta
        * rows.meanSquaredDifference(from: q)
    }
    return Quantized(
      rows.replaced(by: q), like: z, loss: loss,
      indices: IndexTensor(entries, shape: [entries.count]), compared: rows.detached())
  }

  /// The latents of each image with mean 0 and variance 1; in the convention of Open-MAGVIT2 as they
  /// are.
  package func shared(_ z: Tensor) -> Tensor {
    guard config.signs == .normalized else { return z }
    return z.groupNormalized(
      gamma: Tensor(repeating: 1, shape: [bits], on: z.device),
      beta: Tensor(repeating: 0, shape: [bits], on: z.device), groups: 1, silu: false)
  }

  /// `mean H(p) - γ H(mean p)` of vectors `[M, D]`, nats.
  private func entropyLoss(_ rows: Tensor) -> Tensor {
    let columns = rows.transposed()
    return stride(from: 0, to: bits, by: 10).map { start in
      let count = min(10, bits - start)
      let part = columns.items(start..<start + count).transposed()
      return part.linear(Self.codes(count, on: rows.device), bias: nil)
        .scaled(by: 2 * Self.sharpness * (scale ?? 1)).entropyLoss(diversity: config.diversity)
    }.reduce(Tensor(0, on: rows.device)) { $0 + $1 }
  }

  package func vectors(of indices: IndexTensor) -> Tensor {
    let (n, h, w) = (indices.shape[0], indices.shape[1], indices.shape[2])
    return Tensor(
      indices.elements.flatMap { signs(of: Int($0)) }, shape: [n, h * w, bits],
      on: device
    ).image(height: h, width: w)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {}
}

extension Tensor {
  /// `mean H(p) - γ H(mean p)`, nats, p being the softmax of each row of logits `[M, K]`: each row
  /// is to be sure of its code, all of them together are to use every code.
  func entropyLoss(diversity: Float) -> Tensor {
    let (m, k) = (shape[0], shape[1])
    let mean = Tensor(repeating: 1 / Float(m), shape: [1, m], on: device).matmul(softmax())
    // The derivative of p log p is log p + 1, and the ones fall out: fractions add up to 1.
    let logarithms = Tensor(
      mean.detached().elements().map { log(max($0, 1e-5)) }, shape: mean.shape, on: device)
    let ofBatch = (mean * logarithms).sum().scaled(by: -1)
    let ofSamples = (-divergenceFromUniform()) + Tensor(log(Float(k)), on: device)
    return ofSamples - diversity * ofBatch
  }
}
