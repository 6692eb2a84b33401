import CKernels
import Testing

@Suite struct RowsEmbeddingTests {
  /// [m, d, rows]: tables cut by rows, by columns, by both.
  @Test(arguments: [[1, 1, 1], [10, 3, 4], [300, 64, 7], [300, 130, 50], [90, 1000, 3]])
  func gatherAndScatterEqualPlainLoops(shape: [Int]) {
    let (m, d, rows) = (shape[0], shape[1], shape[2])
    let table = Rows.values(rows * d, seed: 1)
    let indices = Rows.indices(m, below: rows, seed: 2)
    var y = [Float](repeating: .nan, count: m * d)
    ck_gather_rows(table, indices, &y, m, d)
    #expect(y == indices.flatMap { table[Int($0) * d..<(Int($0) + 1) * d] })

    let dy = Rows.values(m * d, seed: 3)
    let sums = Rows.sameOnAnyThreads("scatter \(shape)") {
      var sums = table
      ck_scatter_add_rows(dy, indices, &sums, m, d, rows)
      return sums
    }
    // Equal, not close: the order of the additions is promised.
    var expected = table
    for (row, index) in indices.enumerated() {
      for column in 0..<d { expected[Int(index) * d + column] += dy[row * d + column] }
    }
    #expect(sums == expected)
  }
}
