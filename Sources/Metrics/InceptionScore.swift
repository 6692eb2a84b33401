// How sure a classifier is of every image, and how varied all are.
import Platform
import TensorCore

/// `exp mean KL(p(y∣x) ‖ p̄)`, mean and deviation over splits.
///
/// - Source: Salimans et al. 2016, §4; splits, order and seed as in torch-fidelity.
package struct InceptionScore: Sendable, Equatable {
  package let mean: Double
  package let deviation: Double

  package static let splits = 10

  /// - Parameter logits: of every image; at least one for each split.
  /// - Throws: `MetricsError.tooFew`.
  package init(logits: FeatureTable, splits: Int = splits, seed: UInt64) throws(MetricsError) {
    guard logits.count >= splits else {
      throw .tooFew(measure: "the Inception Score", found: logits.count, needed: splits)
    }
    let order = MersenneTwister.permutation(logits.count, seed: seed)
    let scores = (0..<splits).map { split in
      let rows = order[split * logits.count / splits..<(split + 1) * logits.count / splits]
      return Self.score(rows.map { logits[$0] })
    }
    mean = scores.reduce(0, +) / Double(splits)
    deviation = scores.deviation
  }

  private static func score(_ rows: [ArraySlice<Float>]) -> Double {
    var mean = [Double](repeating: 0, count: rows[0].count)
    var negativeEntropy = 0.0
    for row in rows {
      let largest = Double(row.max() ?? 0)
      let sum = row.reduce(0) { $0 + exp(Double($1) - largest) }
      let logSum = largest + log(sum)
      for (label, logit) in row.enumerated() {
        let logP = Double(logit) - logSum
        let p = exp(logP)
        mean[label] += p
        negativeEntropy += p * logP
      }
    }
    let count = Double(rows.count)
    // Mean KL = mean sum p log p - sum p̄ log p̄.
    let entropy = mean.reduce(0) { sum, total in
      total > 0 ? sum - total / count * log(total / count) : sum
    }
    return exp(negativeEntropy / count + entropy)
  }
}
