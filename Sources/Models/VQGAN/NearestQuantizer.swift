// The codebook of the paper: nearest entries, straight-through gradient, codebook loss.
import NN
import TensorCore

/// Replaces every latent vector by its nearest entry; the gradient of the loss moves the entries.
///
/// The loss is `‖sg[q] - z‖² + β ‖q - sg[z]‖²` (means) in the *legacy* form of the published code,
/// which puts β on the codebook term, and `β ‖sg[q] - z‖² + ‖q - sg[z]‖²` in the paper's.
/// With `cosine`, latents and entries have length 1 (Yu et al. 2021; Sun et al. 2024).
/// - Source: van den Oord et al. 2017, eq. 3; Esser et al. 2021, eq. 4.
package struct NearestQuantizer: Quantizer {
  private var weight: Tensor  // [K, D]
  private let config: QuantizerConfig

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    weight = random.codebook(config, on: device).trainable()
    self.config = config.quantizer
  }

  package var codebook: Tensor { config.cosine ? weight.unitRows() : weight }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    Quantized(z, nearestIn: codebook, config) { config.codebookLoss($0, $1) }
  }

  package mutating func setEntries(_ entries: [Int], to vectors: Tensor) {
    weight.setRows(entries, to: vectors)
  }

  package mutating func startEntries(from rows: Tensor, using random: inout RandomSource) {
    replaceEntries(
      config.centres(of: rows, clusters: weight.shape[0], using: &random))
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("embedding.weight", &weight)
  }
}

// MARK: What codebooks of latents have in common

extension QuantizerConfig {
  /// The two terms of the codebook loss, of latent vectors and their entries.
  func codebookLoss(_ rows: Tensor, _ q: Tensor) -> Tensor {
    let commitment = rows.meanSquaredDifference(from: q.detached())
    let codebook = q.meanSquaredDifference(from: rows.detached())
    return legacy ? commitment + beta * codebook : beta * commitment + codebook
  }

  /// The centres of latent vectors; with `cosine` those of their directions.
  func centres(of rows: Tensor, clusters: Int, using random: inout RandomSource) -> Tensor {
    kMeans(
      cosine ? rows.unitRows() : rows, clusters: clusters, onSphere: cosine, using: &random)
  }
}

extension Quantized {
  /// Latents `[N, D, h, w]` replaced by their nearest rows of a codebook `[K, D]`; the lowest index
  /// wins a tie.
  ///
  /// - Parameters:
  ///   - config: which gradient the latents get, and whether they have length 1 before.
  ///   - loss: of the latent vectors and their entries, both `[N · h · w, D]`.
  init(
    _ z: Tensor, nearestIn codebook: Tensor, _ config: QuantizerConfig,
    entries: ((IndexTensor) -> Tensor)? = nil,
    loss: @escaping (_ rows: Tensor, _ entries: Tensor) -> Tensor
  ) {
    let rows = config.cosine ? z.vectors().unitRows() : z.vectors()
    let (indices, distances) = rows.detached().nearestRows(in: codebook.detached())
    let q = entries?(indices) ?? codebook.gathered(at: indices)
    let replaced =
      switch config.gradient {
      case .straight: rows + (q.detached() - rows.detached())
      case .rotation: rows.rotated(onto: q.detached())
      }
    self.init(
      replaced, like: z, loss: { loss(rows, q) }, indices: indices, squaredDistances: distances,
      compared: rows.detached())
  }
}

extension RandomSource {
  /// Entries uniform within ±1/K, `[K, D]`: the reference's.
  mutating func codebook(_ config: VQGANConfig, on device: Device) -> Tensor {
    let bound = 1 / Float(config.nEmbed)
    return uniform([config.nEmbed, config.embedDim], in: -bound..<bound, on: device)
  }
}

extension Tensor {
  /// Sets rows of a table to those of `values`.
  mutating func setRows(_ rows: [Int], to values: Tensor) {
    let width = count / shape[0]
    var all = elements()
    let new = values.elements()
    for (index, row) in rows.enumerated() {
      all.replaceSubrange(
        row * width..<(row + 1) * width, with: new[index * width..<(index + 1) * width])
    }
    assign(Tensor(all, shape: shape, on: device))
  }
}
