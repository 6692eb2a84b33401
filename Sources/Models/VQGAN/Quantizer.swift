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

  /// One codebook before training of several, each of what those before it leave.
  ///
  /// - Parameter level: from 0; kinds whose entries are not learnt have finer ones at each.
  init(_ config: VQGANConfig, level: Int, using random: inout RandomSource, on device: Device)

  /// Latents `[N, D, h, w]` as the first of several codebooks sees them.
  func shared(_ z: Tensor) -> Tensor

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

  /// Moves codebooks without gradients towards the latents of each level.
  mutating func moveEntries(towards levels: [QuantizedVectors])

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

  package init(
    _ config: VQGANConfig, level: Int, using random: inout RandomSource, on device: Device
  ) {
    self.init(config, using: &random, on: device)
  }

  package func shared(_ z: Tensor) -> Tensor { z }
  package mutating func startStep(_ step: Int) {}
  package mutating func moveEntries(towards rows: Tensor, at indices: IndexTensor) {}

  package mutating func moveEntries(towards levels: [QuantizedVectors]) {
    for level in levels { moveEntries(towards: level.vectors, at: level.indices) }
  }

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

/// The latent vectors of a batch and where they fell in one codebook.
package struct QuantizedVectors {
  /// As they are compared with the entries, `[M, D]`, constants.
  package let vectors: Tensor
  /// In `0..<K`, `[M]`.
  package let indices: IndexTensor
  /// `[M]`; none where entries are sampled.
  package let squaredDistances: Tensor?
  /// Where this codebook's entries begin among those of all levels.
  package var firstEntry = 0

  /// The indices among the entries of all levels.
  package var entries: [Int32] { indices.elements.map { $0 + Int32(firstEntry) } }
}

/// What quantization gives.
package struct Quantized {
  /// The entries in place of the latents, `[N, D, h, w]`; the gradient passes straight through to
  /// the latents.
  package let latents: Tensor
  /// Entries of the codebook, `[N, h, w]`, in `0..<K`.
  package let indices: IndexTensor
  /// The latent vectors of each level that was used.
  package let levels: [QuantizedVectors]
  private let makeLoss: () -> Tensor
  private let hasGradients = GradientMode.isRecording

  /// The codebook loss, a scalar.
  ///
  /// - Complexity: made anew each time; with an entropy loss most of the work of quantization, and
  ///   only trainings and validations need it.
  package var loss: Tensor { hasGradients ? makeLoss() : withoutGradients(makeLoss) }

  /// - Parameters:
  ///   - rows: the vectors that replace `z`, `[N · h · w, D]`.
  ///   - indices: `[N · h · w]`.
  ///   - compared: what entries are compared with; the vectors of `z` if left out.
  init(
    _ rows: Tensor, like z: Tensor, loss: @escaping () -> Tensor, indices: IndexTensor,
    squaredDistances: Tensor? = nil, compared: Tensor? = nil
  ) {
    let (n, d, h, w) = (z.shape[0], z.shape[1], z.shape[2], z.shape[3])
    latents = rows.reshaped([n, h * w, d]).image(height: h, width: w)
    makeLoss = loss
    self.indices = indices.reshaped([n, h, w])
    levels = [
      QuantizedVectors(
        vectors: compared ?? withoutGradients { z.detached().vectors() }, indices: indices,
        squaredDistances: squaredDistances)
    ]
  }

  init(
    latents: Tensor, loss: @escaping () -> Tensor, indices: IndexTensor, levels: [QuantizedVectors]
  ) {
    (self.latents, makeLoss, self.indices, self.levels) = (latents, loss, indices, levels)
  }
}
