// How far a measure would move with other images.
import TensorCore

/// Half the width of a 95 % interval, 1.96 times the deviation over resampled sets of images.
///
/// The interval stands around the measure itself: resampled sets hold images twice, which moves
/// distances upwards.
/// - Source: Efron & Tibshirani 1993, §13.3 (the standard normal interval).
package struct Bootstrap {
  package let resamples: Int
  private var random: RandomSource

  package init(resamples: Int, seed: UInt64) {
    self.resamples = resamples
    random = RandomSource(seed: seed).stream("bootstrap")
  }

  /// Rows of a set of `count`, drawn with replacement.
  private mutating func rows(of count: Int) -> [Int] {
    (0..<count).map { _ in Int.random(in: 0..<count, using: &random) }
  }

  /// - Parameter measure: of the rows of two sets.
  package mutating func halfWidth(
    of counts: (Int, Int), _ measure: (_ first: [Int], _ second: [Int]) throws -> Double
  ) rethrows -> Double {
    var values: [Double] = []
    for _ in 0..<resamples {
      let first = rows(of: counts.0)
      values.append(try measure(first, rows(of: counts.1)))
    }
    return 1.96 * values.deviation
  }

  /// Of a mean.
  package mutating func halfWidth(ofMean values: [Double]) -> Double {
    halfWidth(of: (values.count, 0)) { rows, _ in
      rows.reduce(0) { $0 + values[$1] } / Double(rows.count)
    }
  }
}
