// The codebook of the paper: nearest entries, straight-through gradient, codebook loss.
import NN
import TensorCore

/// Replaces every latent vector by its nearest entry; the gradient of the loss moves the entries.
///
/// The loss is `‖sg[q] - z‖² + β ‖q - sg[z]‖²` (means) in the *legacy* form of the published code,
/// which puts β on the codebook term, and `β ‖sg[q] - z‖² + ‖q - sg[z]‖²` in the paper's.
/// - Source: van den Oord et al. 2017, eq. 3; Esser et al. 2021, eq. 4.
package struct NearestQuantizer: Quantizer {
  package private(set) var codebook: Tensor  // [K, D]
  private let beta: Float
  private let legacy: Bool

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    codebook = random.codebook(config, on: device).trainable()
    beta = config.quantizer.beta
    legacy = config.quantizer.legacy
  }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    Quantized(z, nearestIn: codebook) { rows, q in
      let commitment = rows.meanSquaredDifference(from: q.detached())
      let codebook = q.meanSquaredDifference(from: rows.detached())
      return legacy ? commitment + beta * codebook : beta * commitment + codebook
    }
  }

  package mutating func setEntries(_ entries: [Int], to vectors: Tensor) {
    codebook.setRows(entries, to: vectors)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("embedding.weight", &codebook)
  }
}

// MARK: What codebooks of latents have in common

extension Quantized {
  /// Latents `[N, D, h, w]` replaced by their nearest rows of a codebook `[K, D]`; the lowest index
  /// wins a tie.
  ///
  /// - Parameter loss: of the latent vectors and their entries, both `[N · h · w, D]`.
  init(
    _ z: Tensor, nearestIn codebook: Tensor, loss: (_ rows: Tensor, _ entries: Tensor) -> Tensor
  ) {
    let rows = z.vectors()
    let (indices, distances) = rows.detached().nearestRows(in: codebook.detached())
    let q = codebook.gathered(at: indices)
    let loss = loss(rows, q)
    self.init(
      rows + (q.detached() - rows.detached()), like: z, loss: loss, indices: indices,
      squaredDistances: distances)
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
