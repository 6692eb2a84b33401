// A codebook whose entries are moving averages of the latents assigned to them.
import NN
import TensorCore

/// Replaces every latent vector by its nearest entry; entries follow their latents by EMA.
///
/// The codebook has no gradient, and the loss is the commitment term alone, times β.
/// - Source: van den Oord et al. 2017, appendix A.1.
package struct MovingAverageQuantizer: Quantizer {
  package private(set) var codebook: Tensor  // [K, D]
  /// EMA of an entry's count, `[K]`.
  private var size: Tensor
  /// EMA of the sum of an entry's vectors, `[K, D]`.
  private var sum: Tensor
  private let beta: Float
  private let decay: Float

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    codebook = random.codebook(config, on: device)
    // Each entry starts as the mean of one vector.
    (size, sum) = (Tensor(repeating: 1, shape: [config.nEmbed], on: device), codebook)
    beta = config.quantizer.beta
    decay = config.quantizer.decay
  }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    Quantized(z, nearestIn: codebook) { rows, q in beta * rows.meanSquaredDifference(from: q) }
  }

  /// - Source: van den Oord et al. 2017, eq. 6–8, with Laplace smoothing of the counts (eps 1e-5).
  package mutating func moveEntries(towards rows: Tensor, at indices: IndexTensor) {
    let (counts, sums) = clusterSums(rows.detached(), indices, clusters: codebook.shape[0])
    size.moveAverage(towards: counts, decay: decay)
    sum.moveAverage(towards: sums, decay: decay)
    codebook.assign(sum.smoothedMeans(counts: size, eps: 1e-5))
  }

  package mutating func setEntries(_ entries: [Int], to vectors: Tensor) {
    codebook.setRows(entries, to: vectors)
    sum.setRows(entries, to: vectors)
    size.setRows(entries, to: Tensor(repeating: 1, shape: [entries.count], on: size.device))
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("embedding.weight", &codebook)
    try visit("cluster_size", &size)
    try visit("embed_avg", &sum)
  }
}
