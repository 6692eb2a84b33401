import CKernels
import Testing

@Suite struct RowsQuantizerTests {
  /// Rows, entries and their length.
  @Test(arguments: [
    [1, 1, 1], [5, 3, 2], [65, 17, 4], [130, 100, 33], [200, 1000, 16], [600, 2100, 8],
  ])
  func nearestCodesEqualPlainLoop(shape: [Int]) {
    let (m, k, d) = (shape[0], shape[1], shape[2])
    let z = Rows.values(m * d, seed: 1)
    let codebook = Rows.values(k * d, seed: 2)
    var norms = [Float](repeating: .nan, count: k)
    ck_row_norms(codebook, &norms, k, d)
    Rows.expectClose(
      norms, (0..<k).map { row in Self.squaredNorm(codebook[row * d..<(row + 1) * d]) },
      tolerance: 1e-5, "norms")
    var distances = [Float](repeating: .nan, count: m)
    let found = Rows.sameOnAnyThreads("\(shape)") {
      var indices = [Int32](repeating: -1, count: m)
      ck_nearest_codes(z, codebook, norms, &indices, &distances, m, k, d)
      return indices.map(Float.init)
    }
    for row in 0..<m {
      let all = (0..<k).map { code in
        (0..<d).reduce(0.0) { sum, i in
          let difference = Double(z[row * d + i]) - Double(codebook[code * d + i])
          return sum + difference * difference
        }
      }
      let best = all.min() ?? .nan
      // Two entries closer than rounding may change positions.
      #expect(all[Int(found[row])] <= best + 1e-4, "\(shape) row \(row)")
      #expect(abs(Double(distances[row]) - best) <= 1e-4, "\(shape) row \(row)")
    }
  }

  static func squaredNorm(_ row: ArraySlice<Float>) -> Double {
    row.reduce(0) { $0 + Double($1) * Double($1) }
  }

  /// Integers have no rounding: equal entries tie exactly, wherever they stand.
  @Test func theLowestIndexWinsATie() {
    let (k, d) = (1100, 3)
    let z: [Float] = [1, 2, 3]
    for positions in [
      [0, 16, 69], [15, 31, 64], [5, 37, 53], [65, 66, 69], [20, 36, 1090], [1030, 1095, 1099],
    ] {
      var codebook = [Float](repeating: 100, count: k * d)
      for position in positions {
        codebook.replaceSubrange(position * d..<(position + 1) * d, with: z)
      }
      var norms = [Float](repeating: .nan, count: k)
      ck_row_norms(codebook, &norms, k, d)
      var indices: [Int32] = [-1]
      ck_nearest_codes(z, codebook, norms, &indices, nil, 1, k, d)
      #expect(indices == [Int32(positions[0])], "\(positions)")
    }
  }

  @Test func latentsThatAreNotNumbersStillGetAnIndex() {
    var indices: [Int32] = [-1]
    ck_nearest_codes(
      [.nan], [Float](repeating: 1, count: 40), [Float](repeating: 1, count: 40),
      &indices, nil, 1, 40, 1)
    #expect(indices == [0])
  }
}
