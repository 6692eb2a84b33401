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
    #expect(distance.deviation == 0 && distance.subsets == 1 && distance.size == 2)
  }

  /// NumPy: `RandomState(2020).permutation(10)`; the subsets of torch-fidelity begin with it.
  @Test func subsetsAreThoseOfNumPy() {
    #expect(MersenneTwister.permutation(10, seed: 2020) == [2, 4, 9, 1, 5, 7, 6, 3, 8, 0])
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
  @Test func intervalOfAMean() {
    var bootstrap = Bootstrap(resamples: 2000, seed: 3)
    let values = (0..<100).map { Double($0 % 10) }
    let half = bootstrap.halfWidth(ofMean: values)
    #expect(abs(half - 1.96 * values.deviation / 10) < 0.05)
  }
}

private func randomTable(_ count: Int, _ width: Int, seed: UInt64) -> FeatureTable {
  var random = RandomSource(seed: seed)
  var table = FeatureTable(width: width)
  table.append(random.normal([count, width]).elements())
  return table
}
