// The kernel distance of two sets of features.
import TensorCore

/// The squared maximum mean discrepancy under the kernel `(x·y/D + 1)³`, without bias, over random
/// subsets.
///
/// The generator and the order of its numbers are those of torch-fidelity, whose seed is 2020.
/// - Source: Bińkowski et al. 2018, §4 (of Inception's features: KID).
package struct KernelDistance: Sendable, Equatable {
  package let mean: Double
  /// Over the subsets; 0 where each holds all images.
  package let deviation: Double
  package let subsets: Int
  /// Images of a subset.
  package let size: Int

  /// - Parameters: subsets: how many; size: images of each at most.
  /// - Throws: `MetricsError.tooFew` below two rows, `widths`.
  package init(
    _ first: FeatureTable, _ second: FeatureTable, subsets: Int = 100, size: Int = 1000,
    seed: UInt64, progress: () throws -> Void = {}
  ) throws {
    guard first.width == second.width else { throw MetricsError.widths(first.width, second.width) }
    let size = min(size, first.count, second.count)
    guard size > 1 else {
      throw MetricsError.tooFew(measure: "the kernel distance", found: size, needed: 2)
    }
    // Subsets that hold everything are all the same.
    let count = size == max(first.count, second.count) ? 1 : subsets
    var random = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
    var distances: [Double] = []
    for _ in 0..<count {
      let a = first.rows(Array(random.permutation(first.count).prefix(size))).doubles
      let b = second.rows(Array(random.permutation(second.count).prefix(size))).doubles
      distances.append(Self.discrepancy(a, b))
      try progress()
    }
    mean = distances.reduce(0, +) / Double(count)
    deviation = distances.deviation
    self.subsets = count
    self.size = size
  }

  private static func discrepancy(_ a: DoubleMatrix, _ b: DoubleMatrix) -> Double {
    let (m, width) = (Double(a.rows), Double(a.columns))
    func within(_ x: DoubleMatrix) -> Double {
      let dots = x.timesTransposed(x)
      let diagonal = DoubleMatrix(dots.diagonal, rows: 1, columns: dots.rows)
      return dots.polynomialKernelSum(scale: width) - diagonal.polynomialKernelSum(scale: width)
    }
    let across = a.timesTransposed(b).polynomialKernelSum(scale: width)
    return (within(a) + within(b)) / (m * (m - 1)) - 2 * across / (m * m)
  }
}

extension [Double] {
  /// The standard deviation, over n.
  package var deviation: Double {
    guard !isEmpty else { return 0 }
    let mean = reduce(0, +) / Double(count)
    return (reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
  }
}
