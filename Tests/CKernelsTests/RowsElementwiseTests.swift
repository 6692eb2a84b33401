import CKernels
import Testing

/// Counts around the vector width, and one of several chunks with a rest.
@Suite struct RowsElementwiseTests {
  @Test(arguments: [1, 15, 16, 17, 1000, 70_001])
  func formulasEqualPlainLoops(count: Int) {
    let a = Rows.values(count, seed: 1)
    var b = Rows.values(count, seed: 2)
    b[0] = a[0]  // sign(0) = 0
    let pairs = zip(a, b).map { (Double($0), Double($1)) }
    let cases: [(Comment, ([Float], [Float], inout [Float]) -> Void, (Double, Double) -> Double)] =
      [
        ("add", { ck_add($0, $1, &$2, count) }, { $0 + $1 }),
        ("subtract", { ck_subtract($0, $1, &$2, count) }, { $0 - $1 }),
        ("multiply", { ck_multiply($0, $1, &$2, count) }, { $0 * $1 }),
        ("scale", { x, _, y in ck_scale(x, &y, 2.5, -1, count) }, { x, _ in 2.5 * x - 1 }),
        (
          "sign", { ck_sign_difference($0, $1, &$2, 0.5, count) },
          { $0 > $1 ? 0.5 : $0 < $1 ? -0.5 : 0 }
        ),
      ]
    for (name, kernel, formula) in cases {
      let y = Rows.sameOnAnyThreads(name) {
        var y = [Float](repeating: .nan, count: count)
        kernel(a, b, &y)
        return y
      }
      Rows.expectClose(y, pairs.map(formula), tolerance: 1e-6, name)
    }
    var y = b
    ck_accumulate(a, &y, 0.25, count)
    Rows.expectClose(y, pairs.map { $1 + 0.25 * $0 }, tolerance: 1e-6, "accumulate")
  }

  @Test func outputsMayAliasInputs() {
    let count = 40_000
    let a = Rows.values(count, seed: 3)
    var y = a
    y.withUnsafeMutableBufferPointer {
      ck_add($0.baseAddress, $0.baseAddress, $0.baseAddress, count)
    }
    #expect(y == a.map { $0 + $0 })
    y.withUnsafeMutableBufferPointer { ck_scale($0.baseAddress, $0.baseAddress, 0.5, 0, count) }
    #expect(y == a)
  }

  @Test(arguments: [[1, 1, 1], [2, 3, 5], [3, 7, 40], [1, 2, 5000]])
  func channelsAreScaledAndRowsBiased(shape: [Int]) {
    let (n, c, hw) = (shape[0], shape[1], shape[2])
    let x = Rows.values(n * c * hw, seed: 4)
    let scale = Rows.values(c, seed: 5)
    let shift = Rows.values(c, seed: 6)
    let y = Rows.sameOnAnyThreads("channel scale") {
      var y = [Float](repeating: .nan, count: x.count)
      ck_plain_channel_scale(x, scale, shift, &y, n, c, hw)
      return y
    }
    let expected = x.indices.map { i in
      Double(scale[i / hw % c]) * Double(x[i]) + Double(shift[i / hw % c])
    }
    Rows.expectClose(y, expected, tolerance: 1e-6, "channel scale")

    // The same numbers as rows [N * HW, C].
    let biased = Rows.sameOnAnyThreads("bias") {
      var y = x
      y.withUnsafeMutableBufferPointer {
        ck_add_bias($0.baseAddress, shift, $0.baseAddress, n * hw, c)
      }
      return y
    }
    #expect(biased == x.indices.map { x[$0] + shift[$0 % c] })
  }

  @Test func dropoutKeepsOrZeroes() {
    let x = Rows.values(50_003, seed: 7)
    let mask = Rows.indices(x.count, below: 2, seed: 8).map { UInt8($0) }
    var y = [Float](repeating: .nan, count: x.count)
    ck_dropout(x, mask, &y, 0.2, x.count)
    let expected = zip(x, mask).map { $1 == 1 ? Double($0) / 0.8 : 0 }
    Rows.expectClose(y, expected, tolerance: 1e-6, "dropout")
    ck_dropout(x, [UInt8](repeating: 0, count: x.count), &y, 1, x.count)
    #expect(y.allSatisfy { $0 == 0 })
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func oneBadValueIsFoundAnywhere(bad: Float) {
    let x = Rows.values(40_000, seed: 9)
    #expect(ck_all_finite(x, x.count) == 1)
    #expect(ck_all_finite([.greatestFiniteMagnitude, -.greatestFiniteMagnitude], 2) == 1)
    for position in [0, 17, 32_767, 32_768, 39_999] {
      var y = x
      y[position] = bad
      #expect(ck_all_finite(y, y.count) == 0, "\(bad) at \(position)")
    }
  }
}
