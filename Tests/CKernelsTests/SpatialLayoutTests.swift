import CKernels
import Testing

private let extents = [
  Extent(1, 1, 1), Extent(2, 3, 7), Extent(1, 16, 16), Extent(2, 37, 49), Extent(3, 64, 33),
  Extent(1, 130, 1), Extent(2, 5, 5001),
]

@Suite struct SpatialLayoutTests {
  @Test(arguments: extents)
  func plainToBlockedAndBack(extent: Extent) {
    let plain = values(extent.count, seed: 2)
    var blocked = extent.unwritten
    ck_plain_to_blocked(plain, &blocked, extent.n, extent.c, extent.hw)
    #expect(blocked == extent.blocked(plain))
    var back = [Float](repeating: .nan, count: extent.count)
    ck_blocked_to_plain(blocked, &back, extent.n, extent.c, extent.hw)
    #expect(back == plain)
  }

  @Test(arguments: extents)
  func rowsToBlockedAndBack(extent: Extent) {
    let plain = values(extent.count, seed: 3)
    let blocked = extent.blocked(plain)
    var expected = [Float](repeating: 0, count: extent.count)
    for image in 0..<extent.n {
      for channel in 0..<extent.c {
        for pixel in 0..<extent.hw {
          expected[(image * extent.hw + pixel) * extent.c + channel] =
            plain[(image * extent.c + channel) * extent.hw + pixel]
        }
      }
    }
    var rows = [Float](repeating: .nan, count: extent.count)
    ck_blocked_to_rows(blocked, &rows, extent.n, extent.c, extent.hw)
    #expect(rows == expected)
    var back = extent.unwritten
    ck_rows_to_blocked(rows, &back, extent.n, extent.c, extent.hw)
    #expect(back == blocked)
  }

  @Test(arguments: [(1, 1, 1), (1, 16, 32), (3, 5, 70), (2, 131, 17), (1, 1, 300), (1, 3000, 40)])
  func transposes(batch: Int, a: Int, b: Int) {
    let x = values(batch * a * b, seed: 4)
    var expected = x
    for item in 0..<batch {
      for i in 0..<a {
        for j in 0..<b { expected[(item * b + j) * a + i] = x[(item * a + i) * b + j] }
      }
    }
    var y = [Float](repeating: .nan, count: x.count)
    ck_transpose(x, &y, batch, a, b)
    #expect(y == expected)
  }

  @Test(arguments: [(1, 1, 1), (16, 16, 9), (35, 3, 9), (64, 48, 1), (17, 33, 16), (1, 20, 4)])
  func weightsToBlockedAndBack(o: Int, i: Int, kernel: Int) {
    let weights = values(o * i * kernel, seed: 5)
    let inputBlocks = (i + 15) / 16
    let outputBlocks = (o + 15) / 16
    let count = outputBlocks * inputBlocks * kernel * 256
    var expected = [Float](repeating: 0, count: count)
    for output in 0..<o {
      for input in 0..<i {
        for tap in 0..<kernel {
          let block = output / 16 * inputBlocks + input / 16
          let position = ((block * kernel + tap) * 16 + input % 16) * 16 + output % 16
          expected[position] = weights[(output * i + input) * kernel + tap]
        }
      }
    }
    var blocked = [Float](repeating: .nan, count: count)
    ck_weights_to_blocked(weights, &blocked, o, i, kernel)
    #expect(blocked == expected)
    var back = [Float](repeating: .nan, count: weights.count)
    ck_weights_to_plain(blocked, &back, o, i, kernel)
    #expect(back == weights)
  }

  @Test(arguments: [(1, 1), (2, 256), (3, 77), (2, 20_011)])
  func pixelsToPlainAndBack(n: Int, hw: Int) {
    let pixels = (0..<(n * hw * 3)).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ $0 / 256) }
    var expected = [Float](repeating: 0, count: pixels.count)
    for image in 0..<n {
      for pixel in 0..<hw {
        for channel in 0..<3 {
          expected[(image * 3 + channel) * hw + pixel] =
            Float(pixels[(image * hw + pixel) * 3 + channel]) / 127.5 - 1
        }
      }
    }
    var plain = [Float](repeating: .nan, count: pixels.count)
    ck_pixels_to_plain(pixels, &plain, n, hw)
    #expect(zip(plain, expected).allSatisfy { abs($0 - $1) < 1e-6 })
    var back = [UInt8](repeating: 0, count: pixels.count)
    ck_plain_to_pixels(plain, &back, n, hw)
    #expect(back == pixels)
  }

  @Test func pixelsAreClampedAndRounded() {
    let level: Float = 2 / 255
    let plain = [-2, 3, .nan, -.infinity, .infinity, -1 + 0.4 * level, -1 + 0.6 * level, 1, -1]
    var pixels = [UInt8](repeating: 9, count: 9)
    ck_plain_to_pixels(plain, &pixels, 1, 3)
    // Plain [3, 3] is interleaved: channel c of pixel p is plain[3 c + p].
    #expect(pixels == [0, 0, 1, 255, 255, 255, 0, 0, 0])
  }

  @Test func threadsDoNotChangeLayouts() {
    let extent = Extent(2, 20, 9001)
    let plain = values(extent.count, seed: 6)
    #expect(
      sameForAnyThreads {
        var blocked = extent.unwritten
        var rows = plain
        var transposed = plain
        ck_plain_to_blocked(plain, &blocked, extent.n, extent.c, extent.hw)
        ck_blocked_to_rows(blocked, &rows, extent.n, extent.c, extent.hw)
        ck_transpose(plain, &transposed, extent.n, extent.c, extent.hw)
        return [blocked, rows, transposed]
      })
  }
}
