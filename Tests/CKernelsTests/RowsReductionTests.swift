import CKernels
import Testing

@Suite struct RowsReductionTests {
  @Test(arguments: [0, 1, 15, 17, 1000, 32_769, 200_003])
  func sumsEqualPlainLoops(count: Int) {
    let a = Rows.values(count, seed: 1)
    let b = Rows.values(count, seed: 2)
    let pairs = zip(a, b).map { (Double($0), Double($1)) }
    let cases: [(Comment, () -> Double, ((Double, Double)) -> Double)] = [
      ("sum", { ck_sum(a, count) }, { $0.0 }),
      (
        "absolute", { ck_sum_of_absolute_differences(a, b, count) },
        // The difference itself is taken in single precision.
        { Double(abs(Float($0.0) - Float($0.1))) }
      ),
      ("squares", { ck_sum_of_squares(a, count) }, { $0.0 * $0.0 }),
      (
        "squared differences", { ck_sum_of_squared_differences(a, b, count) },
        { ($0.0 - $0.1) * ($0.0 - $0.1) }
      ),
    ]
    for (name, kernel, term) in cases {
      Rows.sameOnAnyThreads(name) { [Float(kernel())] }
      let expected = pairs.map(term).reduce(0, +)
      #expect(abs(kernel() - expected) <= 1e-9 * Double(max(1, count)), name)
    }
  }

  @Test(arguments: [[1, 1], [1, 300], [63, 5], [64, 16], [65, 17], [5000, 33]])
  func rowsAreSummedByColumn(shape: [Int]) {
    let (m, c) = (shape[0], shape[1])
    let dy = Rows.values(m * c, seed: 3)
    let sums = Rows.sameOnAnyThreads("row sums") {
      var sums = [Float](repeating: .nan, count: c)
      ck_row_sums(dy, &sums, m, c)
      return sums
    }
    let expected = (0..<c).map { column in
      (0..<m).reduce(0) { $0 + Double(dy[$1 * c + column]) }
    }
    Rows.expectClose(sums, expected, tolerance: 1e-5 * Double(m).squareRoot(), "row sums")
  }
}
