// How far two sets of features cover each other.
import TensorCore

/// Precision, recall, density and coverage by balls that reach to the k-th nearest neighbour.
///
/// A point on a ball's surface counts for precision and recall, as in torch-fidelity, and not for
/// density and coverage, as in prdc.
/// - Source: Kynkäänniemi et al. 2019, eq. 1–3; Naeem et al. 2020, eq. 4 and 6.
package struct PrecisionRecall: Sendable, Equatable {
  /// Fraction of candidates inside some ball of the reference.
  package let precision: Double
  /// Fraction of references inside some ball of the candidates.
  package let recall: Double
  /// Balls of the reference around a candidate, over k; may exceed 1.
  package let density: Double
  /// Fraction of the reference's balls with a candidate inside.
  package let coverage: Double

  /// Which neighbour a ball reaches to.
  package static let neighbour = 3

  /// - Parameter k: which neighbour a ball reaches to.
  /// - Throws: `MetricsError.tooFew` for k rows or less, `widths`.
  /// - Complexity: three products of all features by all; memory for the features as doubles.
  package init(
    reference: FeatureTable, candidate: FeatureTable, k: Int = neighbour,
    progress: () throws -> Void = {}
  ) throws {
    guard reference.width == candidate.width else {
      throw MetricsError.widths(reference.width, candidate.width)
    }
    let fewest = min(reference.count, candidate.count)
    guard fewest > k else {
      throw MetricsError.tooFew(measure: "precision and recall", found: fewest, needed: k + 1)
    }
    let (real, made) = (Points(reference), Points(candidate))
    var realRadii: [Double] = []
    var madeRadii: [Double] = []
    try real.forEachRow(to: real, progress) { _, distances in
      realRadii.append(Self.smallest(k + 1, of: distances))
    }
    try made.forEachRow(to: made, progress) { _, distances in
      madeRadii.append(Self.smallest(k + 1, of: distances))
    }
    var isPrecise = [Bool](repeating: false, count: candidate.count)
    var (recalled, inside, covered) = (0, 0, 0)
    try real.forEachRow(to: made, progress) { row, distances in
      let radius = realRadii[row]
      var (isRecalled, nearest) = (false, Double.infinity)
      for (column, distance) in distances.enumerated() {
        if distance <= radius { isPrecise[column] = true }
        if distance < radius { inside += 1 }
        if distance <= madeRadii[column] { isRecalled = true }
        nearest = min(nearest, distance)
      }
      if isRecalled { recalled += 1 }
      if nearest < radius { covered += 1 }
    }
    precision = Double(isPrecise.count(where: \.self)) / Double(candidate.count)
    recall = Double(recalled) / Double(reference.count)
    density = Double(inside) / Double(k * candidate.count)
    coverage = Double(covered) / Double(reference.count)
  }

  /// The `count`-th smallest value.
  private static func smallest(_ count: Int, of values: UnsafeBufferPointer<Double>) -> Double {
    var kept: [Double] = []
    for value in values where kept.count < count || value < kept[count - 1] {
      if kept.count == count { kept.removeLast() }
      kept.insert(value, at: kept.firstIndex { $0 > value } ?? kept.count)
    }
    return kept[kept.count - 1]
  }

  /// Features with their squared lengths.
  private struct Points {
    let rows: DoubleMatrix
    let squares: [Double]

    private static let block = 256

    init(_ table: FeatureTable) {
      rows = table.doubles
      squares = stride(from: 0, to: table.count, by: Self.block).flatMap { start in
        let part = table.doubles(start..<min(start + Self.block, table.count))
        return part.timesTransposed(part).diagonal
      }
    }

    /// Squared distances of every row to those of `others`: exactly 0 to an equal one.
    func forEachRow(
      to others: Points, _ progress: () throws -> Void,
      _ body: (_ row: Int, _ distances: UnsafeBufferPointer<Double>) -> Void
    ) throws {
      let (width, count) = (rows.columns, others.rows.rows)
      for start in stride(from: 0, to: rows.rows, by: Self.block) {
        let end = min(start + Self.block, rows.rows)
        let part = DoubleMatrix(
          Array(rows.elements[start * width..<end * width]), rows: end - start, columns: width)
        var distances = part.timesTransposed(others.rows).elements
        distances.withUnsafeMutableBufferPointer { values in
          for row in start..<end {
            let line = UnsafeMutableBufferPointer(
              rebasing: values[(row - start) * count..<(row - start + 1) * count])
            for column in 0..<count {
              line[column] = squares[row] + others.squares[column] - 2 * line[column]
            }
            body(row, UnsafeBufferPointer(line))
          }
        }
        try progress()
      }
    }
  }
}
