// Every measure against what it is by hand, or against another way to compute it.
import Metrics
import TensorCore
import Testing

@Suite struct FrechetDistanceTests {
  /// Two normal distributions in one dimension: (m₁ - m₂)² + (s₁ - s₂)².
  @Test func ofOneDimensionIsTheClosedForm() throws {
    let a = FeatureTable([[0], [2]])  // mean 1, variance 2
    let b = FeatureTable([[1], [5], [9]])  // mean 5, variance 16
    let expected = 16 + (2.0.squareRoot() - 4) * (2.0.squareRoot() - 4)
    #expect(abs(try FrechetDistance.between(a, b) - expected) < 1e-12)
  }

  @Test func ofEqualSetsIsZero() throws {
    let table = randomTable(20, 6, seed: 1)
    #expect(abs(try FrechetDistance.between(table, table)) < 1e-9)
  }

  /// Fewer images than features: the short way and the covariances, which are singular.
  @Test(arguments: [(5, 9), (12, 7), (3, 30)])
  func ofFewImagesIsThatOfTheirMoments(counts: (Int, Int)) throws {
    let a = randomTable(counts.0, 16, seed: 2)
    let b = randomTable(counts.1, 16, seed: 3)
    let short = try FrechetDistance.between(a, b)
    let long = try FrechetDistance.between(try FeatureMoments(a), try FeatureMoments(b))
    #expect(abs(short - long) < 1e-6 * long)
  }

  /// Diagonal covariances commute, so the root of the product is the product of the roots.
  @Test func ofDiagonalCovariances() throws {
    var first = DoubleMatrix(zeros: 3, 3)
    var second = DoubleMatrix(zeros: 3, 3)
    for (index, (a, b)) in [(1.0, 4.0), (9, 1), (0, 25)].enumerated() {
      first[index, index] = a
      second[index, index] = b
    }
    let distance = try FrechetDistance.between(
      FeatureMoments(mean: [0, 0, 0], covariance: first),
      FeatureMoments(mean: [1, 2, 2], covariance: second))
    #expect(abs(distance - (9 + 1 + 4 + 25)) < 1e-12)
  }

  @Test func refusesWhatHasNoDistance() throws {
    let one = FeatureTable([[1, 2]])
    let two = FeatureTable([[1, 2], [3, 4]])
    #expect(throws: MetricsError.self) { try FrechetDistance.between(one, two) }
    #expect(throws: MetricsError.self) {
      try FrechetDistance.between(two, FeatureTable([[1], [2]]))
    }
    #expect(throws: MetricsError.self) {
      try FrechetDistance.between(two, FeatureTable([[.nan, 2], [3, 4]]))
    }
    let some = try FeatureMoments(two)
    let spread = DoubleMatrix(some.covariance.elements.map { $0 * 1e200 }, rows: 2, columns: 2)
    for large in [
      FeatureMoments(mean: [1e300, 0], covariance: some.covariance),
      FeatureMoments(mean: some.mean, covariance: spread),
    ] {
      #expect(throws: MetricsError.tooLarge(measure: "the Fréchet distance")) {
        try FrechetDistance.between(large, large.mean == some.mean ? large : some)
      }
    }
  }
}

@Suite struct OtherMeasureTests {
  @Test func eigenvaluesOfASymmetricMatrix() {
    let values = DoubleMatrix([2, 1, 0, 1, 2, 0, 0, 0, -5], rows: 3, columns: 3)
      .symmetricEigenvalues()?.sorted()
    #expect(values?.count == 3)
    for (found, expected) in zip(values ?? [], [-5.0, 1, 3]) {
      #expect(abs(found - expected) < 1e-14)
    }
    #expect(DoubleMatrix([.nan], rows: 1, columns: 1).symmetricEigenvalues() == nil)
  }

  /// Most eigenvalues of a matrix of low rank are zero but for rounding, beside which nothing is
  /// small.
  @Test func eigenvaluesOfALowRank() throws {
    let (size, rank) = (200, 50)
    var random = RandomSource(seed: 3)
    let rows = random.normal([size, rank], on: .default).elements().map { Double($0) }
    var product = [Double](repeating: 0, count: size * size)
    for i in 0..<size {
      for j in 0..<size {
        product[i * size + j] = (0..<rank).reduce(0) {
          $0 + rows[i * rank + $1] * rows[j * rank + $1]
        }
      }
    }
    let values = try #require(
      DoubleMatrix(product, rows: size, columns: size).symmetricEigenvalues())
    let trace = (0..<size).reduce(0) { $0 + product[$1 * size + $1] }
    #expect(abs(values.reduce(0, +) - trace) < 1e-12 * trace)
    #expect(values.count { abs($0) > 1e-12 * trace } == rank)
  }

  /// Features of width 1 and two images each: every kernel value by hand.
  @Test func kernelDistanceByHand() throws {
    let distance = try KernelDistance(
      FeatureTable([[0], [1]]), FeatureTable([[2], [-1]]), seed: 2020)
    // Within: k(0,1) = 1, k(2,-1) = -1; across: 1, 1, 27, 0.
    #expect(abs(distance.mean - (1 - 1 - 2 * 29.0 / 4)) < 1e-12)
    #expect(distance.deviation == 0 && distance.subsets == distance.spread)
    #expect(distance.subsets.count == 1 && distance.subsets.size == 2)
  }

  /// Where there are too few images for subsets of 1,000, the mean is that of all, and the
  /// deviation that over subsets of half of them.
  @Test(arguments: [40, 30])
  func kernelDistanceOfFewImagesHasASpread(count: Int) throws {
    let (a, b) = (randomTable(40, 6, seed: 7), randomTable(count, 6, seed: 8))
    let few = try KernelDistance(a, b, seed: 2020)
    let halves = try KernelDistance(a, b, size: count / 2, seed: 2020)
    #expect(few.subsets.count == (count == 40 ? 1 : 100) && few.subsets.size == count)
    #expect(few.spread.count == 100 && few.spread.size == count / 2)
    #expect(few.deviation == halves.deviation && few.deviation > 0)
    #expect(halves.subsets == few.spread && halves.spread == few.spread)
    if count == 40 { #expect(abs(few.mean - (try KernelDistance.ofAll(a, b))) < 1e-12) }
  }

  /// The same features in sets of unlike sizes: by the kernel, one value at a time.
  @Test func kernelDistanceOfAllByHand() throws {
    let distance = try KernelDistance.ofAll(
      FeatureTable([[0], [1]]), FeatureTable([[2], [-1], [0]]))
    // Within: k(0,1) = 1; k(2,-1) = -1, twice 1. Across: 1, 1, 1, 27, 0, 1.
    #expect(abs(distance - (1 + 1.0 / 3 - 2 * 31.0 / 6)) < 1e-12)
  }

  /// NumPy: `RandomState(2020).permutation(10)`; the subsets of torch-fidelity begin with it.
  @Test func subsetsAreThoseOfNumPy() {
    #expect(MersenneTwister.permutation(10, seed: 2020) == [2, 4, 9, 1, 5, 7, 6, 3, 8, 0])
    // Of more than 32 bits: `RandomState([5, 7])` and `RandomState([0, 1])`.
    #expect(MersenneTwister.permutation(10, seed: 7 << 32 + 5) == [5, 6, 8, 7, 1, 0, 9, 2, 3, 4])
    #expect(MersenneTwister.permutation(10, seed: 1 << 32) == [9, 4, 0, 8, 1, 5, 3, 2, 6, 7])
  }

  /// Equal but for rounding; a value that differs by more is seen beside larger ones.
  @Test func constantTables() {
    let rows: [[Float]] = [[1, 100], [1.001, 100], [1, 99.999]]
    #expect(FeatureTable(rows).isConstant(within: 1e-4))
    #expect(!FeatureTable(rows).isConstant(within: 5e-6))
    #expect(FeatureTable([[0], [0]]).isConstant(within: 0))
    #expect(!FeatureTable([[0], [0.001], [1]]).isConstant(within: 1e-4))
  }

  @Test func precisionAndRecallByHand() throws {
    // Balls of k = 1: reference 0, 1, 10 have radii 1, 1, 9; candidates 0, 30, 31 have 30, 1, 1.
    let result = try PrecisionRecall(
      reference: FeatureTable([[0], [1], [10]]), candidate: FeatureTable([[0], [30], [31]]), k: 1)
    #expect(abs(result.precision - 1.0 / 3) < 1e-12)
    #expect(abs(result.recall - 1) < 1e-12)
    // 0 is inside the balls of 0 (distance 0) and, on their surfaces, not inside those of 1 and 10.
    #expect(abs(result.density - 1.0 / 3) < 1e-12)
    #expect(abs(result.coverage - 1.0 / 3) < 1e-12)
  }

  /// Distances of equal features are 0 to the bit, so that equal sets are in each other's balls.
  @Test func equalSetsHavePrecisionOne() throws {
    let rows = randomTable(30, 70, seed: 4)
    let table = rows.rows(Array(0..<30) + Array(0..<30))  // every one twice: radii of k = 1 are 0
    let result = try PrecisionRecall(reference: table, candidate: rows, k: 1)
    #expect(result.precision == 1 && result.recall == 1)
  }

  @Test func inceptionScoreIsTheNumberOfSureLabels() throws {
    let logits = FeatureTable([[90, 0, 0], [0, 90, 0], [0, 0, 90]])
    let score = try InceptionScore(logits: logits, splits: 1, seed: 0)
    #expect(abs(score.mean - 3) < 1e-9)
    let unsure = try InceptionScore(
      logits: FeatureTable([[1, 1], [1, 1]]), splits: 2, seed: 0)
    #expect(abs(unsure.mean - 1) < 1e-9 && unsure.deviation < 1e-9)
  }

  /// A shift by c moves every projection by c·θ, whose square is |c|²/D in the mean.
  @Test func slicedDistanceOfAShift() throws {
    let table = randomTable(7, 4, seed: 5)
    let moved = FeatureTable((0..<7).map { row in zip(table[row], [1, 2, 0, 2]).map(+) })
    let distance = try SlicedDistance.between(table, moved, directions: 20_000, seed: 1)
    #expect(abs(distance - 27) < 1)
    #expect(try SlicedDistance.between(table, table, seed: 1) == 0)
  }

  /// A set is as good as itself twice: its quantiles are the same.
  @Test func slicedDistanceOfOtherCounts() throws {
    let table = randomTable(3, 4, seed: 6)
    let twice = table.rows([0, 1, 2, 2, 0, 1])
    #expect(abs(try SlicedDistance.between(table, twice, seed: 1)) < 1e-12)
  }

  /// The deviation of a mean is the deviation of the values over √n.
  @Test func intervalOfAMean() throws {
    var bootstrap = Bootstrap(resamples: 2000, seed: 3)
    let values = (0..<100).map { Double($0 % 10) }
    let half = bootstrap.halfWidth(ofMean: values)
    #expect(abs(try #require(half) - 1.96 * values.deviation / 10) < 0.05)
    let lone = bootstrap.halfWidth(ofMean: [1])
    #expect(lone == nil)
  }

  /// The deviation of a difference of means is √(s₁²/n₁ + s₂²/n₂).
  @Test func intervalOfTwoSets() throws {
    var bootstrap = Bootstrap(resamples: 2000, seed: 3)
    let values = (0..<100).map { Double($0 % 10) }
    func mean(_ rows: [Int]) -> Double { rows.reduce(0) { $0 + values[$1] } / Double(rows.count) }
    let widths = try bootstrap.halfWidths(of: (100, 100)) { first, second in
      #expect(Set(first).count == 50 && Set(second).count == 50)
      return [mean(first) - mean(second), 7]
    }
    #expect(widths.count == 2 && widths[1] == 0)
    #expect(abs(widths[0] - 1.96 * values.deviation * (2.0 / 100).squareRoot()) < 0.06)
    #expect(throws: MetricsError.self) { try bootstrap.halfWidths(of: (100, 3)) { _, _ in [1] } }
  }

  /// Subsets of large sets stay small, and the interval is still that of all rows.
  @Test func intervalOfLargeSets() throws {
    var bootstrap = Bootstrap(resamples: 500, seed: 3)
    let widths = try bootstrap.halfWidths(of: (5000, 5000)) { first, second in
      #expect(first.count == 1000 && second.count == 1000)
      return [Double(first.count { $0 % 2 == 0 }) / 1000]
    }
    #expect(abs(widths[0] - 1.96 * 0.5 / 5000.0.squareRoot()) < 0.002)
    var none = Bootstrap(resamples: 0, seed: 3)
    #expect(try none.halfWidths(of: (9, 9)) { _, _ in [1] } == [])
  }
}

private func randomTable(_ count: Int, _ width: Int, seed: UInt64) -> FeatureTable {
  var random = RandomSource(seed: seed)
  var table = FeatureTable(width: width)
  table.append(random.normal([count, width]).elements())
  return table
}
