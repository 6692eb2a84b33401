// What the tests of the blocked kernels share: values, layouts by plain loops, finite differences.

import CKernels
import TestSupport
import Testing

/// The sizes of activations `[N, C, H·W]`.
struct Extent: CustomTestStringConvertible, Sendable {
  var n, c, hw: Int

  var count: Int { n * c * hw }
  var blocks: Int { (c + 15) / 16 }
  var blockedCount: Int { n * blocks * hw * 16 }
  var testDescription: String { "[\(n), \(c), \(hw)]" }

  init(_ n: Int, _ c: Int, _ hw: Int) {
    self.n = n
    self.c = c
    self.hw = hw
  }

  /// Where the plain value `[image, channel, pixel]` stands in the blocked tensor.
  func blockedIndex(_ image: Int, _ channel: Int, _ pixel: Int) -> Int {
    ((image * blocks + channel / 16) * hw + pixel) * 16 + channel % 16
  }

  /// The blocked copy of plain values, zero past C.
  func blocked(_ plain: [Float]) -> [Float] {
    var result = [Float](repeating: 0, count: blockedCount)
    for image in 0..<n {
      for channel in 0..<c {
        for pixel in 0..<hw {
          result[blockedIndex(image, channel, pixel)] = plain[(image * c + channel) * hw + pixel]
        }
      }
    }
    return result
  }

  func plain(_ blocked: [Float]) -> [Float] {
    var result = [Float](repeating: 0, count: count)
    for image in 0..<n {
      for channel in 0..<c {
        for pixel in 0..<hw {
          result[(image * c + channel) * hw + pixel] = blocked[blockedIndex(image, channel, pixel)]
        }
      }
    }
    return result
  }

  /// A blocked tensor for a kernel to overwrite, so that a lane it forgets shows.
  var unwritten: [Float] { [Float](repeating: .nan, count: blockedCount) }

  /// Whether every lane past C is zero.
  func hasZeroPadding(_ blocked: [Float]) -> Bool {
    for image in 0..<n {
      for channel in c..<(blocks * 16) {
        for pixel in 0..<hw where blocked[blockedIndex(image, channel, pixel)] != 0 {
          return false
        }
      }
    }
    return true
  }
}

/// `count` values spread evenly over `range`, the same for the same seed.
func values(_ count: Int, seed: UInt64, in range: ClosedRange<Float> = -1...1) -> [Float] {
  var random = SeededGenerator(seed: seed &* 0x9E37_79B9_7F4A_7C15)
  return (0..<count).map { _ in
    let unit = Float(random.next() >> 40) / Float(1 << 24)
    return range.lowerBound + (range.upperBound - range.lowerBound) * unit
  }
}

/// The largest difference, in units of the largest expected value (at least 1e-30).
func relativeError(_ actual: [Float], _ expected: [Double]) -> Double {
  precondition(actual.count == expected.count)
  let scale = expected.reduce(1e-30) { max($0, abs($1)) }
  let worst = zip(actual, expected).map { abs(Double($0) - $1) }.reduce(0) {
    $1.isNaN || $1 > $0 ? $1 : $0
  }
  return worst / scale
}

/// Central differences of `loss` at `point` for the entries `indices`.
func finiteDifferences(
  of loss: ([Double]) -> Double, at point: [Float], indices: [Int], step: Double = 1e-5
) -> [Double] {
  var x = point.map(Double.init)
  return indices.map { index in
    let center = x[index]
    x[index] = center + step
    let above = loss(x)
    x[index] = center - step
    let below = loss(x)
    x[index] = center
    return (above - below) / (2 * step)
  }
}

/// All of a short range, else sixteen entries spread over it.
func probes(_ count: Int) -> [Int] {
  count <= 400 ? Array(0..<count) : (0..<16).map { $0 * (count - 1) / 15 }
}

/// Runs `kernel` with one, two and three threads; whether its results have the same bits.
func sameForAnyThreads(_ kernel: () -> [[Float]]) -> Bool {
  let usual = ck_threads()
  defer { ck_set_threads(usual) }
  ck_set_threads(1)
  let expected = kernel().map { $0.map(\.bitPattern) }
  return ([2, 3] as [Int32]).allSatisfy { threads in
    ck_set_threads(threads)
    return kernel().map { $0.map(\.bitPattern) } == expected
  }
}
