import CKernels
import Testing

@Suite struct RowsProductTests {
  /// [m, n, k]: single values, single rows, few rows (another kernel), several panels and parts of
  /// the sums.
  static let sizes = [
    [1, 1, 1], [1, 5, 3], [7, 1, 17], [3, 33, 64], [32, 65, 31], [33, 65, 31], [300, 17, 5],
    [70, 2100, 33], [1, 515, 1000], [4, 37, 100], [30, 21, 500], [85, 70, 800],
  ]

  @Test(arguments: sizes, [false, true])
  func productsEqualPlainLoops(size: [Int], transposeA: Bool) {
    let (m, n, k) = (size[0], size[1], size[2])
    for transposeB in [false, true] {
      let lda = (transposeA ? m : k) + 2
      let ldb = (transposeB ? k : n) + 3
      let ldc = n + 1
      let a = Rows.values((transposeA ? k : m) * lda, seed: 1)
      let b = Rows.values((transposeB ? n : k) * ldb, seed: 2)
      let old = Rows.values(m * ldc, seed: 3)
      for (alpha, beta) in [(Float(1), Float(0)), (1.5, 0.5)] {
        // Between the rows of C nothing is written; without beta C is not read.
        let start = beta == 0 ? old.indices.map { $0 % ldc < n ? .nan : old[$0] } : old
        var expected = old.map(Double.init)
        for i in 0..<m {
          for j in 0..<n {
            var sum = 0.0
            for t in 0..<k {
              let left = a[transposeA ? t * lda + i : i * lda + t]
              let right = b[transposeB ? j * ldb + t : t * ldb + j]
              sum += Double(left) * Double(right)
            }
            expected[i * ldc + j] =
              Double(alpha) * sum + (beta == 0 ? 0 : Double(beta) * Double(old[i * ldc + j]))
          }
        }
        var c = start
        ck_gemm(
          transposeA ? 1 : 0, transposeB ? 1 : 0, m, n, k, alpha, a, lda, b, ldb, beta, &c, ldc)
        Rows.expectClose(
          c, expected, tolerance: 1e-5 * Double(k).squareRoot(),
          "\(size) transposed \(transposeA) \(transposeB)")
      }
    }
  }

  @Test(arguments: [[1, 4000, 300], [20, 515, 400], [700, 900, 130]])
  func productsDoNotDependOnThreads(size: [Int]) {
    let (m, n, k) = (size[0], size[1], size[2])
    let a = Rows.values(m * k, seed: 4)
    let b = Rows.values(n * k, seed: 5)
    for (transposeA, transposeB) in [(Int32(0), Int32(1)), (1, 0)] {
      Rows.sameOnAnyThreads("\(size)") {
        var c = [Float](repeating: .nan, count: m * n)
        ck_gemm(
          transposeA, transposeB, m, n, k, 1, a, transposeA == 1 ? m : k, b,
          transposeB == 1 ? k : n, 0, &c, n)
        return c
      }
    }
  }
}
