// The Fréchet distance of two sets of features, as of two normal distributions.
import TensorCore

/// Mean and covariance of features.
package struct FeatureMoments: Sendable, Equatable {
  package let mean: [Double]
  /// Of the sample: sums over n - 1.
  package let covariance: DoubleMatrix

  package init(mean: [Double], covariance: DoubleMatrix) {
    precondition(
      covariance.rows == mean.count && covariance.columns == mean.count,
      "a covariance of \(covariance.rows)×\(covariance.columns), a mean of \(mean.count)")
    self.mean = mean
    self.covariance = covariance
  }

  /// - Throws: `MetricsError.tooFew` below two rows.
  package init(_ table: FeatureTable) throws(MetricsError) {
    guard table.count > 1 else {
      throw .tooFew(measure: "a covariance", found: table.count, needed: 2)
    }
    mean = DoubleMatrix.columnMeans(of: table.values, rows: table.count, columns: table.width)
    var sums = DoubleMatrix.scatter(
      of: table.values, rows: table.count, columns: table.width, means: mean)
    let scale = 1 / Double(table.count - 1)
    for index in sums.elements.indices { sums.elements[index] *= scale }
    covariance = sums
  }
}

/// `‖μ₁ - μ₂‖² + tr Σ₁ + tr Σ₂ - 2 tr (Σ₁Σ₂)^½`.
///
/// - Source: Dowson & Landau 1982; Heusel et al. 2017, eq. 6 (of Inception's features: FID).
package enum FrechetDistance {
  /// Of moments.
  ///
  /// The trace of the root is that of `Lᵀ·Σ₂·L` with `Σ₁ = L·Lᵀ`, which is symmetric and as large
  /// as the rank of Σ₁: singular covariances need no care.
  /// - Throws: `widths`, `notFinite`, `tooLarge`, `noEigenvalues`.
  package static func between(
    _ first: FeatureMoments, _ second: FeatureMoments
  ) throws(MetricsError) -> Double {
    guard first.mean.count == second.mean.count else {
      throw .widths(first.mean.count, second.mean.count)
    }
    guard
      (first.mean + second.mean).allSatisfy(\.isFinite),
      [first, second].allSatisfy({ $0.covariance.elements.allSatisfy(\.isFinite) })
    else { throw .notFinite(what: "moments") }
    let factor = first.covariance.semidefiniteFactor()  // Lᵀ
    let product = factor.timesTransposed(second.covariance).timesTransposed(factor)
    return try distance(
      zip(first.mean, second.mean), traces: first.covariance.trace + second.covariance.trace,
      squares: product)
  }

  /// Of features; where they are few, without covariances.
  ///
  /// The trace of the root is the nuclear norm of `C₁·C₂ᵀ/√((n₁-1)(n₂-1))`, C the centred features.
  /// - Throws: as above, and `tooFew` below two rows.
  package static func between(
    _ first: FeatureTable, _ second: FeatureTable
  ) throws(MetricsError) -> Double {
    guard first.width == second.width else { throw .widths(first.width, second.width) }
    let (small, large) = first.count < second.count ? (first, second) : (second, first)
    guard small.count > 1 else {
      throw .tooFew(measure: "the Fréchet distance", found: small.count, needed: 2)
    }
    guard small.count < small.width, large.count <= 2 * large.width else {
      return try between(try FeatureMoments(first), try FeatureMoments(second))
    }
    let means = [small, large].map {
      DoubleMatrix.columnMeans(of: $0.values, rows: $0.count, columns: $0.width)
    }
    let centred = zip([small, large], means).map { table, mean in
      var rows = DoubleMatrix(
        table.values, rows: table.count, columns: table.width, lessMeans: mean)
      let scale = 1 / Double(table.count - 1).squareRoot()
      for index in rows.elements.indices { rows.elements[index] *= scale }
      return rows
    }
    let traces = centred.reduce(0) { $0 + $1.elements.reduce(0) { $0 + $1 * $1 } }
    guard traces.isFinite else { throw .notFinite(what: "features") }
    let gram = centred[0].timesTransposed(centred[1])
    return try distance(
      zip(means[0], means[1]), traces: traces, squares: gram.timesTransposed(gram))
  }

  /// - Parameter squares: a symmetric matrix whose eigenvalues are those of Σ₁Σ₂ that are not zero.
  private static func distance(
    _ means: some Sequence<(Double, Double)>, traces: Double, squares: DoubleMatrix
  ) throws(MetricsError) -> Double {
    let shift = means.reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    guard (shift + traces).isFinite, squares.elements.allSatisfy(\.isFinite) else {
      throw .tooLarge(measure: "the Fréchet distance")
    }
    guard let values = squares.symmetricEigenvalues() else { throw .noEigenvalues }
    let root = values.reduce(0) { $0 + max($1, 0).squareRoot() }
    return shift + traces - 2 * root
  }
}
