// A codebook whose entries are moving averages of the latents assigned to them.
import NN
import TensorCore

/// Replaces every latent vector by its nearest entry; entries follow their latents by EMA.
///
/// The codebook has no gradient, and the loss is the commitment term alone, times β.
/// With `cosine`, latents and entries have length 1, and the averages are those of directions.
/// - Source: van den Oord et al. 2017, appendix A.1.
package struct MovingAverageQuantizer: Quantizer {
  package private(set) var codebook: Tensor  // [K, D]
  /// EMA of an entry's count, `[K]`.
  private var size: Tensor
  /// EMA of the sum of an entry's vectors, `[K, D]`.
  private var sum: Tensor
  private let config: QuantizerConfig

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    let entries = random.codebook(config, on: device)
    codebook = config.quantizer.cosine ? entries.unitRows() : entries
    // Each entry starts as the mean of one vector.
    (size, sum) = (Tensor(repeating: 1, shape: [config.nEmbed], on: device), codebook)
    self.config = config.quantizer
  }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    Quantized(z, nearestIn: codebook, config) { rows, q in
      config.beta * rows.meanSquaredDifference(from: q)
    }
  }

  package mutating func startEntries(from rows: Tensor, using random: inout RandomSource) {
    replaceEntries(config.centres(of: rows, clusters: codebook.shape[0], using: &random))
  }

  /// - Source: van den Oord et al. 2017, eq. 6–8, with Laplace smoothing of the counts (eps 1e-5).
  package mutating func moveEntries(towards rows: Tensor, at indices: IndexTensor) {
    let (counts, sums) = clusterSums(rows.detached(), indices, clusters: codebook.shape[0])
    size.moveAverage(towards: counts, decay: config.decay)
    sum.moveAverage(towards: sums, decay: config.decay)
    let means = sum.smoothedMeans(counts: size, eps: 1e-5)
    codebook.assign(config.cosine ? means.unitRows() : means)
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
