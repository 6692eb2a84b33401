// Features of images, one row per image.
import TensorCore

/// Row-major features `[count, width]`.
package struct FeatureTable: Sendable, Equatable {
  package private(set) var count = 0
  package let width: Int
  package private(set) var values: [Float] = []

  /// Of no images yet.
  package init(width: Int) { self.width = width }

  package init(_ rows: [[Float]]) {
    self.init(width: rows.first?.count ?? 0)
    for row in rows { append(row) }
  }

  /// Adds the features of one or several images.
  package mutating func append(_ rows: some Collection<Float>) {
    precondition(width > 0 && rows.count % width == 0, "\(rows.count) values in rows of \(width)")
    values += rows
    count += rows.count / width
  }

  package subscript(row: Int) -> ArraySlice<Float> { values[row * width..<(row + 1) * width] }

  /// Some rows, in the order given; a row may come twice.
  package func rows(_ indices: [Int]) -> FeatureTable {
    var result = FeatureTable(width: width)
    result.values.reserveCapacity(indices.count * width)
    for index in indices { result.values += self[index] }
    result.count = indices.count
    return result
  }

  /// The first row with a value that is not finite.
  package var firstNotFinite: Int? { values.firstIndex { !$0.isFinite }.map { $0 / width } }

  /// Whether all rows are equal, but for a fraction of the largest value.
  package func isConstant(within fraction: Float) -> Bool {
    let tolerance = fraction * values.reduce(0) { max($0, abs($1)) }
    return (0..<count).allSatisfy { row in
      zip(self[row], self[0]).allSatisfy { abs($0 - $1) <= tolerance }
    }
  }

  /// Some rows as doubles.
  func doubles(_ range: Range<Int>) -> DoubleMatrix {
    DoubleMatrix(
      values[range.lowerBound * width..<range.upperBound * width].map(Double.init),
      rows: range.count, columns: width)
  }

  var doubles: DoubleMatrix { doubles(0..<count) }
}

/// Why a measure cannot be taken.
package enum MetricsError: Error, Equatable {
  case tooFew(measure: String, found: Int, needed: Int)
  /// An image's features, or statistics of a file.
  case notFinite(what: String)
  /// Values that are finite, but what is measured of them is not.
  case tooLarge(measure: String)
  case widths(Int, Int)
  case noEigenvalues
}

extension MetricsError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooFew(let measure, let found, let needed):
      "\(measure): \(found) image\(found == 1 ? "" : "s"), it needs at least \(needed)"
    case .notFinite(let what): "\(what): holds values that are not finite"
    case .tooLarge(let measure):
      "\(measure): not finite; the features, or the statistics of a file, are too large for it"
    case .widths(let reference, let candidate):
      "features of width \(candidate) against a reference of width \(reference)"
    case .noEigenvalues: "the eigenvalues of the covariances were not found"
    }
  }
}
