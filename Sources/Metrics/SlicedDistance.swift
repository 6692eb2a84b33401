// The sliced Wasserstein distance of two sets of features.
import Platform
import TensorCore

/// `3·D` times the mean, over random directions, of the squared differences of the sorted
/// projections: usable for any number of images, without a covariance.
///
/// - Source: the measure that torch-fidelity 0.5 calls MIND; Bonneel et al. 2015, §3.
package enum SlicedDistance {
  package static let directions = 1000

  /// - Parameter directions: uniform on the sphere, from the seed.
  /// - Throws: `MetricsError.tooFew` for no rows, `widths`.
  package static func between(
    _ first: FeatureTable, _ second: FeatureTable, directions: Int = directions, seed: UInt64
  ) throws(MetricsError) -> Double {
    guard first.width == second.width else { throw .widths(first.width, second.width) }
    guard min(first.count, second.count) > 0 else {
      throw .tooFew(measure: "MIND", found: 0, needed: 1)
    }
    var random = RandomSource(seed: seed).stream("directions")
    let width = first.width
    let normal = random.normal([directions, width]).elements()
    var axes = DoubleMatrix(normal.map(Double.init), rows: directions, columns: width)
    for row in 0..<directions {
      let range = row * width..<(row + 1) * width
      let length = axes.elements[range].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for index in range { axes.elements[index] /= length }
    }
    var sum = 0.0
    // Some directions at a time: the projections of all take more memory than the features.
    for start in stride(from: 0, to: directions, by: 100) {
      let count = min(100, directions - start)
      let part = DoubleMatrix(
        Array(axes.elements[start * width..<(start + count) * width]), rows: count, columns: width)
      let (a, b) = (projections(of: first, on: part), projections(of: second, on: part))
      sum = (0..<count).reduce(sum) { $0 + squaredDistance(a[$1].sorted(), b[$1].sorted()) }
    }
    return 3 * Double(width) * sum / Double(directions)
  }

  private static func projections(of table: FeatureTable, on axes: DoubleMatrix) -> [[Double]] {
    var result = [[Double]](repeating: [], count: axes.rows)
    for start in stride(from: 0, to: table.count, by: 1024) {
      let part = table.doubles(start..<min(start + 1024, table.count))
      let product = axes.timesTransposed(part)
      for row in 0..<axes.rows {
        result[row] += product.elements[row * part.rows..<(row + 1) * part.rows]
      }
    }
    return result
  }

  /// The squared Wasserstein distance of two sorted samples of any sizes: both quantile functions
  /// are steps.
  private static func squaredDistance(_ a: [Double], _ b: [Double]) -> Double {
    var (i, j, from, sum) = (0, 0, 0.0, 0.0)
    while i < a.count, j < b.count {
      // Compared as integers: (i + 1)/n against (j + 1)/m.
      let (left, right) = ((i + 1) * b.count, (j + 1) * a.count)
      let end = Double(min(left, right)) / Double(a.count * b.count)
      sum += (end - from) * (a[i] - b[j]) * (a[i] - b[j])
      from = end
      if left <= right { i += 1 }
      if right <= left { j += 1 }
    }
    return sum
  }
}
