// What every kind of codebook does: latents in, entries out.
import NN
import TensorCore

/// A codebook that latents are quantized with; every kind is a type in a file of its own.
///
/// Indices here are *entries*, positions in the codebook; `CodeRemap` gives those in use their
/// *codes*.
package protocol Quantizer: Layer {
  /// What makes a configuration of this kind impossible, in a sentence; `nil` if it can be built.
  static func problem(_ config: VQGANConfig) -> String?

  /// The codebook before training: K entries of length D.
  init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device)

  /// The vectors of all entries, `[K, D]`.
  var codebook: Tensor { get }

  /// Replaces latent vectors by entries.
  ///
  /// - Parameters:
  ///   - z: latents `[N, D, h, w]`.
  ///   - used: the entries that have a code; nil for all. Of matter to kinds with logits.
  ///   - random: noise for kinds that sample in training; `nil` in evaluation.
  func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized

  /// Prepares for a step of training, counted from 0.
  mutating func startStep(_ step: Int)

  /// Moves a codebook without gradients towards latents `[M, D]` assigned to `indices` `[M]`.
  mutating func moveEntries(towards rows: Tensor, at indices: IndexTensor)

  /// Sets the named entries to vectors `[entries.count, D]`.
  mutating func setEntries(_ entries: [Int], to vectors: Tensor)

  /// Starts the codebook at the centres of latent vectors `[M, D]`.
  mutating func startEntries(from rows: Tensor, using random: inout RandomSource)

  /// The vectors of entries `[N, h, w]` as latents `[N, D, h, w]`.
  func vectors(of indices: IndexTensor) -> Tensor
}

extension Quantizer {
  package static func problem(_ config: VQGANConfig) -> String? { nil }
  package mutating func startStep(_ step: Int) {}
  package mutating func moveEntries(towards rows: Tensor, at indices: IndexTensor) {}

  package mutating func setEntries(_ entries: [Int], to vectors: Tensor) {
    preconditionFailure("entries that are no latents; VQGANConfig.problem refuses this")
  }

  /// Sets the whole codebook `[K, D]`, for example from k-means.
  package mutating func replaceEntries(_ values: Tensor) {
    setEntries(Array(0..<codebook.shape[0]), to: values)
  }

  package mutating func startEntries(from rows: Tensor, using random: inout RandomSource) {
    replaceEntries(kMeans(rows, clusters: codebook.shape[0], using: &random))
  }

  package func vectors(of indices: IndexTensor) -> Tensor {
    let (n, h, w) = (indices.shape[0], indices.shape[1], indices.shape[2])
    return codebook.gathered(at: indices.reshaped([n, h * w])).image(height: h, width: w)
  }
}

/// What quantization gives.
package struct Quantized {
  /// The entries in place of the latents, `[N, D, h, w]`; the gradient passes straight through to
  /// the latents.
  package let latents: Tensor
  /// The codebook loss, a scalar.
  package let loss: Tensor
  /// Entries of the codebook, `[N, h, w]`, in `0..<K`.
  package let indices: IndexTensor
  /// Of every latent vector from its entry, `[N · h · w]`; none where entries are sampled.
  package let squaredDistances: Tensor?
  /// The latent vectors as entries are compared with them, `[N · h · w, D]`, constants.
  package let compared: Tensor

  /// - Parameters:
  ///   - rows: the vectors that replace `z`, `[N · h · w, D]`.
  ///   - indices: `[N · h · w]`.
  ///   - compared: what entries are compared with; the vectors of `z` if left out.
  init(
    _ rows: Tensor, like z: Tensor, loss: Tensor, indices: IndexTensor,
    squaredDistances: Tensor? = nil, compared: Tensor? = nil
  ) {
    let (n, d, h, w) = (z.shape[0], z.shape[1], z.shape[2], z.shape[3])
    latents = rows.reshaped([n, h * w, d]).image(height: h, width: w)
    self.loss = loss
    self.indices = indices.reshaped([n, h, w])
    self.squaredDistances = squaredDistances
    self.compared = compared ?? withoutGradients { z.detached().vectors() }
  }
}
