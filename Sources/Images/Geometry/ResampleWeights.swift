// Which pixels of a row or column make a pixel of the resized one, and with which weights.

import CImageCodecs

/// Fixed-point weights of one axis of a resize, for a range of the output.
///
/// Source: Pillow, `src/libImaging/Resample.c`, `precompute_coeffs` and `normalize_coeffs_8bpc`;
/// the order of the floating-point operations is kept, so that the integers are equal.
struct ResampleWeights {
  /// First input pixel of every output pixel.
  private(set) var starts: [Int32]
  /// Number of input pixels of every output pixel.
  private(set) var counts: [Int32]
  /// Bits of a weight behind the point.
  static let fractionBits = Int(IC_WEIGHT_BITS)

  /// Weights times 2^22, `[outputs, taps]`, zero past an output's count.
  private(set) var weights: [Int32]
  /// Weights kept per output pixel.
  let taps: Int

  /// Input pixels that are read at all.
  var inputRange: Range<Int> {
    guard let first = starts.first, let last = starts.last, let count = counts.last else {
      return 0..<0
    }
    return Int(first)..<Int(last + count)
  }

  /// - Parameters:
  ///   - input: pixels of the whole input axis.
  ///   - output: pixels of the whole output axis.
  ///   - range: the output pixels that are wanted, inside `0..<output`.
  init(input: Int, output: Int, range: Range<Int>, filter: ResizeFilter) {
    let scale = Double(input) / Double(output)
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    let inverseScale = 1 / filterScale
    // Rounded up to whole vectors of four.
    let taps = (Int(support.rounded(.up)) * 2 + 1 + 3) / 4 * 4
    self.taps = taps
    starts = []
    counts = []
    starts.reserveCapacity(range.count)
    counts.reserveCapacity(range.count)
    weights = [Int32](repeating: 0, count: range.count * taps)

    var exact = [Double](repeating: 0, count: taps)
    for (row, position) in range.enumerated() {
      let center = 0 + (Double(position) + 0.5) * scale
      let start = max(Int(center - support + 0.5), 0)
      let count = min(Int(center + support + 0.5), input) - start
      var sum = 0.0
      for tap in 0..<count {
        exact[tap] = filter.weight(at: (Double(tap + start) - center + 0.5) * inverseScale)
        sum += exact[tap]
      }
      for tap in 0..<count {
        let weight = (sum == 0 ? exact[tap] : exact[tap] / sum) * Double(1 << IC_WEIGHT_BITS)
        weights[row * taps + tap] = Int32(weight < 0 ? weight - 0.5 : weight + 0.5)
      }
      starts.append(Int32(start))
      counts.append(Int32(count))
    }
  }

  /// The same weights for an input that begins at pixel `offset` of the present one.
  func shifted(by offset: Int) -> ResampleWeights {
    var shifted = self
    for i in shifted.starts.indices { shifted.starts[i] -= Int32(offset) }
    return shifted
  }
}
