// How far a measure would move with other images.
import TensorCore

/// Half the width of a 95 % interval, 1.96 times the deviation over resampled sets of images.
///
/// The interval stands around the measure itself.
/// - Source: Efron & Tibshirani 1993, §13.3 (the standard normal interval).
package struct Bootstrap {
  package let resamples: Int
  private var random: RandomSource

  /// Images of one side in a random subset, at most: bounds the time of measures of sets.
  package static let largestSubset = 1000

  package init(resamples: Int, seed: UInt64) {
    self.resamples = resamples
    random = RandomSource(seed: seed).stream("bootstrap")
  }

  /// Of a measure of one set, whose rows are drawn with replacement; nil below 2 rows, which do not
  /// differ.
  package mutating func halfWidth(
    of count: Int, _ measure: (_ rows: [Int]) throws -> Double
  ) rethrows -> Double? {
    guard count > 1 else { return nil }
    var values: [Double] = []
    for _ in 0..<resamples {
      values.append(try measure((0..<count).map { _ in Int.random(in: 0..<count, using: &random) }))
    }
    return 1.96 * values.deviation
  }

  /// Of a mean.
  package mutating func halfWidth(ofMean values: [Double]) -> Double? {
    halfWidth(of: values.count) { rows in
      rows.reduce(0) { $0 + values[$1] } / Double(rows.count)
    }
  }

  /// Of measures that compare two sets: over random halves of both, `largestSubset` rows at most.
  ///
  /// Drawn with replacement, equal rows would be each other's nearest neighbours and add to sums
  /// over other images. The deviation over subsets of m of n rows times √(m/(n - m)) is that of all
  /// rows; of the two sides' factors the larger one is taken. Where the sets are alike, the
  /// intervals come out too wide.
  /// - Parameter measures: of the rows of both sets, always equally many.
  /// - Returns: one for each measure; none without resamples.
  /// - Throws: `MetricsError.tooFew` of halves below 2 rows, what `measures` throws.
  /// - Source: Shao & Wu 1989 (the delete-d jackknife).
  package mutating func halfWidths(
    of counts: (Int, Int),
    _ measures: (_ first: [Int], _ second: [Int]) throws -> [Double]
  ) throws -> [Double] {
    let sizes = [counts.0, counts.1].map { min($0 / 2, Self.largestSubset) }
    if resamples > 0, let smallest = sizes.min(), smallest < 2 {
      throw MetricsError.tooFew(measure: "a resampled set", found: smallest, needed: 2)
    }
    var values: [[Double]] = []
    for _ in 0..<resamples {
      let first = subset(sizes[0], of: counts.0)
      values.append(try measures(first, subset(sizes[1], of: counts.1)))
    }
    let factor =
      zip([counts.0, counts.1], sizes).map { count, size in
        (Double(size) / Double(count - size)).squareRoot()
      }.max() ?? 1
    return (values.first ?? []).indices.map { index in
      1.96 * factor * values.map { $0[index] }.deviation
    }
  }

  /// Different rows, the first ones of a random order.
  private mutating func subset(_ size: Int, of count: Int) -> [Int] {
    var rows = Array(0..<count)
    for index in 0..<size { rows.swapAt(index, Int.random(in: index..<count, using: &random)) }
    return Array(rows[..<size])
  }
}
