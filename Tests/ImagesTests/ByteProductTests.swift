// The passes of a resize by products of bytes have the bits of those by products of words.

import CImageCodecs
import TestSupport
import Testing

/// Weights of one axis, as `ResampleWeights` has them, but of any value.
private struct Axis {
  var starts: [Int32] = []
  var counts: [Int32] = []
  var weights: [Int32] = []
  let taps: Int

  init(input: Int, outputs: Int, taps: Int, using random: inout SeededGenerator) {
    self.taps = taps
    for _ in 0..<outputs {
      let count = Int.random(in: 1...min(taps, input), using: &random)
      starts.append(Int32.random(in: 0...Int32(input - count), using: &random))
      counts.append(Int32(count))
      // Up to twice the whole: sums overflow a byte to both sides, and stay in 32 bits.
      let largest = Int32(1 << 23) / Int32(count)
      for tap in 0..<taps {
        weights.append(tap < count ? .random(in: -largest...largest, using: &random) : 0)
      }
    }
  }
}

private func bytes(_ count: Int, using random: inout SeededGenerator) -> [UInt8] {
  (0..<count).map { _ in
    let number = random.next()
    return number % 4 == 0 ? 255 : number % 4 == 1 ? 0 : UInt8(truncatingIfNeeded: number >> 8)
  }
}

@Test("Along rows", arguments: [1, 2, 3, 5, 8, 21, 33, 64, 200], [4, 8, 12, 40, 8000])
func byteColumns(width: Int, taps: Int) {
  var random = SeededGenerator(seed: UInt64(width * taps))
  for (rows, outputs) in [(1, 3), (4, 1), (5, 4), (9, 7), (14, 66), (40, 130)] {
    if taps > 1000, outputs > 10 { continue }
    let source = bytes(width * rows * 3, using: &random)
    let axis = Axis(input: width, outputs: outputs, taps: taps, using: &random)
    var plain = [UInt8](repeating: 1, count: rows * outputs * 3)
    var fast = [UInt8](repeating: 2, count: rows * outputs * 3)
    ic_resample_columns_plain(
      source, width, rows, &plain, outputs, axis.starts, axis.counts, axis.weights, taps)
    ic_resample_columns(
      source, width, rows, &fast, outputs, axis.starts, axis.counts, axis.weights, taps)
    #expect(fast == plain, "\(rows) rows to \(outputs)")
  }
}

@Test("Across rows", arguments: [1, 2, 3, 5, 8, 21, 64, 200], [4, 8, 12, 40, 8000])
func byteRows(height: Int, taps: Int) {
  var random = SeededGenerator(seed: UInt64(height * taps))
  for (rowBytes, outputs) in [(1, 3), (63, 2), (64, 5), (65, 4), (200, 9), (768, 3)] {
    let source = bytes(rowBytes * height, using: &random)
    let axis = Axis(input: height, outputs: outputs, taps: taps, using: &random)
    var plain = [UInt8](repeating: 1, count: rowBytes * outputs)
    var fast = [UInt8](repeating: 2, count: rowBytes * outputs)
    ic_resample_rows_plain(
      source, rowBytes, &plain, outputs, axis.starts, axis.counts, axis.weights, taps)
    ic_resample_rows(
      source, rowBytes, &fast, outputs, axis.starts, axis.counts, axis.weights, taps)
    #expect(fast == plain, "\(rowBytes) bytes to \(outputs) rows")
  }
}

@Test("Weights that no three bytes hold are taken by words")
func largeWeights() {
  let source = [UInt8](repeating: 1, count: 64 * 4)
  var plain = [UInt8](repeating: 1, count: 64)
  var fast = [UInt8](repeating: 2, count: 64)
  for weight in [127 << 16, 1 << 23, -1 << 23, (1 << 23) + 5, 1 << 29] as [Int32] {
    ic_resample_rows_plain(source, 64, &plain, 1, [0], [4], [weight, 0, weight, 0], 4)
    ic_resample_rows(source, 64, &fast, 1, [0], [4], [weight, 0, weight, 0], 4)
    #expect(fast == plain, "\(weight)")
  }
}
