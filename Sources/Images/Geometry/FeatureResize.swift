// Images at the size that a network of features takes, by the conventions that are published.

import CImageCodecs

/// How an image comes to the square input of a network.
package enum FeatureResize: String, Codable, CaseIterable, Sendable {
  /// TensorFlow 1: bilinear, output pixel `i` at `i·in/out`, nothing against aliasing; that of
  /// TTUR, ADM and torch-fidelity.
  case tf
  /// PyTorch's `interpolate`: bilinear, pixel centres half a pixel in, nothing against aliasing;
  /// that of pytorch-fid.
  case torch
  /// Pillow's bicubic with a kernel that widens, per channel in floats; that of clean-fid.
  case clean
}

extension RGBImage {
  /// The image at `side`×`side` pixels, planes of red, green and blue, levels from 0 to 255 that
  /// are not rounded.
  package func planes(side: Int, resize: FeatureResize) -> [Float] {
    let columns = Taps(taps(of: resize, input: width, output: side))
    let rows = Taps(taps(of: resize, input: height, output: side))
    var strip = [Float](repeating: 0, count: height * side)
    return [Float](unsafeUninitializedCapacity: 3 * side * side) { result, initialized in
      for channel in 0..<3 {
        ic_plane_columns(
          pixels, width, height, channel, &strip, side, columns.starts, columns.counts,
          columns.weights, columns.most)
        ic_plane_rows(
          strip, side, result.baseAddress.map { $0 + channel * side * side }, side, rows.starts,
          rows.counts, rows.weights, rows.most)
      }
      initialized = 3 * side * side
    }
  }

  /// The taps of all output pixels, as the loops read them.
  private struct Taps {
    let starts, counts: [Int32]
    let weights: [Double]
    /// Of one pixel.
    let most: Int

    init(_ taps: [(start: Int, weights: [Double])]) {
      let most = taps.map(\.weights.count).max() ?? 0
      self.most = most
      starts = taps.map { Int32($0.start) }
      counts = taps.map { Int32($0.weights.count) }
      weights = taps.flatMap { $0.weights + Array(repeating: 0, count: most - $0.weights.count) }
    }
  }

  /// The first input pixel of every output pixel, and the weights from there on.
  private func taps(
    of resize: FeatureResize, input: Int, output: Int
  ) -> [(start: Int, weights: [Double])] {
    (0..<output).map { position in
      switch resize {
      case .tf: linear(at: Float(position) * (Float(input) / Float(output)), input)
      case .torch:
        linear(at: max((Float(position) + 0.5) * (Float(input) / Float(output)) - 0.5, 0), input)
      case .clean: cubic(position, input, output)
      }
    }
  }

  private func linear(at position: Float, _ input: Int) -> (start: Int, weights: [Double]) {
    let start = min(Int(position), input - 1)
    guard start + 1 < input else { return (start, [1]) }
    let fraction = position - Float(start)
    return (start, [Double(1 - fraction), Double(fraction)])
  }

  private func cubic(_ position: Int, _ input: Int, _ output: Int) -> (
    start: Int, weights: [Double]
  ) {
    guard input != output else { return (position, [1]) }
    let scale = Double(input) / Double(output)
    let filterScale = max(scale, 1)
    let support = ResizeFilter.bicubic.support * filterScale
    let center = (Double(position) + 0.5) * scale
    let start = max(Int(center - support + 0.5), 0)
    let end = min(Int(center + support + 0.5), input)
    let weights = (start..<end).map {
      ResizeFilter.bicubic.weight(at: (Double($0) - center + 0.5) / filterScale)
    }
    let sum = weights.reduce(0, +)
    return (start, weights.map { $0 / sum })
  }
}
