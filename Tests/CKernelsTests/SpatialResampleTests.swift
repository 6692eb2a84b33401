import CKernels
import Testing

/// Planes `[planes, h, w, 16]`.
private struct Planes: CustomTestStringConvertible, Sendable {
  var planes, h, w: Int
  var testDescription: String { "\(planes) planes of \(h) x \(w)" }
  var count: Int { planes * h * w * 16 }

  init(_ planes: Int, _ h: Int, _ w: Int) {
    self.planes = planes
    self.h = h
    self.w = w
  }

  func index(_ plane: Int, _ row: Int, _ column: Int, _ lane: Int) -> Int {
    ((plane * h + row) * w + column) * 16 + lane
  }

  /// Calls `body` for every lane of every pixel.
  func forEach(_ body: (_ plane: Int, _ row: Int, _ column: Int, _ lane: Int) -> Void) {
    for plane in 0..<planes {
      for row in 0..<h {
        for column in 0..<w {
          for lane in 0..<16 { body(plane, row, column, lane) }
        }
      }
    }
  }
}

private let shapes = [
  Planes(1, 1, 1), Planes(1, 2, 2), Planes(3, 1, 5), Planes(2, 5, 1), Planes(2, 7, 5),
  Planes(5, 14, 14), Planes(1, 3, 200), Planes(2, 90, 131),
]

/// Multiples of 1/4, so that equal maxima and exact sums occur.
private func coarse(_ count: Int, seed: UInt64) -> [Float] {
  values(count, seed: seed).map { ($0 * 4).rounded() / 4 }
}

@Suite struct SpatialResampleTests {
  @Test(arguments: shapes)
  private func maxPoolMatchesPlainLoops(large: Planes) {
    let small = Planes(large.planes, large.h / 2, large.w / 2)
    let x = coarse(large.count, seed: 31)
    let dy = values(small.count, seed: 32)
    var expected = [Float](repeating: .nan, count: small.count)
    var expectedDX = [Float](repeating: 0, count: large.count)
    small.forEach { plane, row, column, lane in
      var best = large.index(plane, 2 * row, 2 * column, lane)
      for offset in 1..<4 {
        let other = large.index(plane, 2 * row + offset / 2, 2 * column + offset % 2, lane)
        if x[other] > x[best] { best = other }
      }
      let position = small.index(plane, row, column, lane)
      expected[position] = x[best]
      expectedDX[best] = dy[position]
    }
    var y = [Float](repeating: .nan, count: small.count)
    ck_max_pool_forward(x, &y, large.planes, large.h, large.w)
    #expect(y == expected)
    var dx = [Float](repeating: .nan, count: large.count)
    ck_max_pool_backward(x, dy, &dx, large.planes, large.h, large.w)
    #expect(dx == expectedDX)
  }

  @Test(arguments: 0..<4)
  func maxPoolKeepsNaN(position: Int) {
    var x = [Float](repeating: 1, count: 64)
    x[position * 16 + 3] = .nan
    var y = [Float](repeating: 0, count: 16)
    ck_max_pool_forward(x, &y, 1, 2, 2)
    #expect(y.indices.allSatisfy { $0 == 3 ? y[$0].isNaN : y[$0] == 1 })
  }

  @Test(arguments: shapes)
  private func upsamplingMatchesPlainLoops(small: Planes) {
    let large = Planes(small.planes, 2 * small.h, 2 * small.w)
    let x = coarse(small.count, seed: 33)
    let dy = coarse(large.count, seed: 34)
    var expected = [Float](repeating: .nan, count: large.count)
    var expectedDX = [Float](repeating: 0, count: small.count)
    large.forEach { plane, row, column, lane in
      let from = small.index(plane, row / 2, column / 2, lane)
      let to = large.index(plane, row, column, lane)
      expected[to] = x[from]
      expectedDX[from] += dy[to]
    }
    var y = [Float](repeating: .nan, count: large.count)
    ck_upsample_forward(x, &y, small.planes, small.h, small.w)
    #expect(y == expected)
    var dx = [Float](repeating: .nan, count: small.count)
    ck_upsample_backward(dy, &dx, small.planes, small.h, small.w)
    #expect(dx == expectedDX)
  }

  @Test func threadsDoNotChangeTheBits() {
    let large = Planes(3, 91, 131)
    let x = values(large.count, seed: 35)
    #expect(
      sameForAnyThreads {
        var y = [Float](repeating: .nan, count: 3 * 45 * 65 * 16)
        var dx = x
        var enlarged = [Float](repeating: .nan, count: 4 * x.count)
        var reduced = x
        ck_max_pool_forward(x, &y, 3, 91, 131)
        ck_max_pool_backward(x, y, &dx, 3, 91, 131)
        ck_upsample_forward(x, &enlarged, 3, 91, 131)
        ck_upsample_backward(enlarged, &reduced, 3, 91, 131)
        return [y, dx, enlarged, reduced]
      })
  }
}
