// Images at the size that a network of features takes, by the conventions that are published.
/// How an image comes to the square input of a network.
package enum FeatureResize: String, CaseIterable, Sendable {
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
    let columns = taps(of: resize, input: width, output: side)
    let rows = taps(of: resize, input: height, output: side)
    var result = [Float](repeating: 0, count: 3 * side * side)
    var strip = [Float](repeating: 0, count: height * side)
    pixels.withUnsafeBufferPointer { pixels in
      for channel in 0..<3 {
        strip.withUnsafeMutableBufferPointer { strip in
          for y in 0..<height {
            for (x, tap) in columns.enumerated() {
              var sum = 0.0
              for (k, weight) in tap.weights.enumerated() {
                sum += weight * Double(pixels[(y * width + tap.start + k) * 3 + channel])
              }
              strip[y * side + x] = Float(sum)
            }
          }
        }
        result.withUnsafeMutableBufferPointer { result in
          for (y, tap) in rows.enumerated() {
            for x in 0..<side {
              var sum = 0.0
              for (k, weight) in tap.weights.enumerated() {
                sum += weight * Double(strip[(tap.start + k) * side + x])
              }
              // Only the cubic can leave the range.
              result[(channel * side + y) * side + x] = Float(min(max(sum, 0), 255))
            }
          }
        }
      }
    }
    return result
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
