// The kernel distance of two sets of features.
import TensorCore

/// The squared maximum mean discrepancy under the kernel `(x·y/D + 1)³`, without bias, over random
/// subsets.
///
/// The generator and the order of its numbers are those of torch-fidelity, whose seed is 2020.
/// - Source: Bińkowski et al. 2018, §4 (of Inception's features: KID).
package struct KernelDistance: Sendable, Equatable {
  /// Random subsets of both sets.
  package struct Subsets: Sendable, Equatable {
    package let count: Int
    /// Images of each side in one.
    package let size: Int
  }

  package let mean: Double
  /// Over the subsets of `spread`.
  package let deviation: Double
  /// What the mean is taken over; a single one that holds everything where all would be equal.
  package let subsets: Subsets
  /// What the deviation is taken over: the same subsets or, where there are too few images for
  /// them or they are all equal, subsets of half the smaller set.
  package let spread: Subsets

  /// - Parameters: subsets: how many; size: images of each at most.
  /// - Throws: `MetricsError.tooFew` below two rows, `widths`.
  package init(
    _ first: FeatureTable, _ second: FeatureTable, subsets: Int = 100, size limit: Int = 1000,
    seed: UInt64, progress: () throws -> Void = {}
  ) throws {
    let fewest = min(first.count, second.count)
    let size = min(limit, fewest)
    try Self.require(first, second)
    // Subsets that hold everything are all the same.
    let holdAll = size == max(first.count, second.count)
    func distances(_ subsets: Subsets) throws -> [Double] {
      var random = MersenneTwister(seed: seed)
      return try (0..<subsets.count).map { _ in
        let a = first.rows(Array(random.permutation(first.count).prefix(subsets.size)))
        let b = second.rows(Array(random.permutation(second.count).prefix(subsets.size)))
        try progress()
        return Self.discrepancy(a.doubles, b.doubles)
      }
    }
    self.subsets = Subsets(count: holdAll ? 1 : subsets, size: size)
    let found = try distances(self.subsets)
    mean = found.reduce(0, +) / Double(found.count)
    let half = max(fewest / 2, 2)
    if (holdAll || fewest < limit) && half < fewest {
      spread = Subsets(count: subsets, size: half)
      deviation = try distances(spread).deviation
    } else {
      spread = self.subsets
      deviation = found.deviation
    }
  }

  /// The discrepancy of all rows, of sets of any sizes.
  ///
  /// - Throws: as `init`.
  package static func ofAll(
    _ first: FeatureTable, _ second: FeatureTable
  ) throws(MetricsError) -> Double {
    try require(first, second)
    return discrepancy(first.doubles, second.doubles)
  }

  private static func require(
    _ first: FeatureTable, _ second: FeatureTable
  ) throws(MetricsError) {
    guard first.width == second.width else { throw .widths(first.width, second.width) }
    let fewest = min(first.count, second.count)
    guard fewest > 1 else {
      throw .tooFew(measure: "the kernel distance", found: fewest, needed: 2)
    }
  }

  private static func discrepancy(_ a: DoubleMatrix, _ b: DoubleMatrix) -> Double {
    let width = Double(a.columns)
    func within(_ x: DoubleMatrix) -> Double {
      let dots = x.timesTransposed(x)
      let diagonal = DoubleMatrix(dots.diagonal, rows: 1, columns: dots.rows)
      let sum = dots.polynomialKernelSum(scale: width) - diagonal.polynomialKernelSum(scale: width)
      return sum / Double(x.rows * (x.rows - 1))
    }
    let across = a.timesTransposed(b).polynomialKernelSum(scale: width)
    return within(a) + within(b) - 2 * across / Double(a.rows * b.rows)
  }
}
