// Maps of depth: one number per pixel.

/// How far away every pixel of an image is, between the least of the whole image, 0, and the
/// greatest, 1.
package struct DepthMap: Equatable, Sendable {
  /// Columns and rows, pixels; at least 1.
  package let width, height: Int
  /// `[H, W]` in 0 … 1.
  package let values: [Float]

  /// - Parameter values: `[height, width]` in 0 … 1.
  package init(width: Int, height: Int, values: [Float]) {
    precondition(width > 0 && height > 0, "a map has at least one pixel")
    precondition(
      values.count == width * height, "\(values.count) values for a map of \(width)x\(height)")
    self.width = width
    self.height = height
    self.values = values
  }

  /// A map of depths in any unit; where all are equal they become 0.
  ///
  /// - Parameter depths: `[height, width]`, finite.
  /// - Source: the reference's `BaseWithDepth.preprocess_depth`, which maps 0 … 1 to -1 … 1 next.
  package init(normalizing depths: [Float], width: Int, height: Int) {
    let least = Double(depths.min() ?? 0)
    let range = max(Double(depths.max() ?? 0) - least, 1e-8)
    self.init(
      width: width, height: height, values: depths.map { Float((Double($0) - least) / range) })
  }

  /// A map as shards hold it.
  ///
  /// - Parameter stored: `[height, width]`, 65535 for 1.
  package init(width: Int, height: Int, stored: [UInt16]) {
    self.init(width: width, height: height, values: stored.map { Float($0) / 65535 })
  }

  /// The values as shards hold them, 65535 for 1.
  package var stored: [UInt16] { values.map { UInt16(max(0, min(1, $0)) * 65535 + 0.5) } }

  /// The map as a grey image: 0 black, 1 white.
  package var image: RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: values.flatMap { value -> [UInt8] in
        let grey = UInt8(max(0, min(1, value)) * 255 + 0.5)
        return [grey, grey, grey]
      })
  }
}

extension DepthMap {
  /// The map in a geometry that was made for its size and that leaves no margin.
  ///
  /// Numbers are scaled as numbers, with a tent that widens when a map shrinks.
  package func fitted(_ fit: FitGeometry) -> DepthMap {
    let shown = fit.visible
    precondition(
      shown.width == fit.width && shown.height == fit.height, "a depth map has no margin")
    let columns = ResampleWeights(
      input: width, output: fit.scaledWidth, range: shown.x..<shown.x + shown.width,
      filter: .bilinear)
    let rows = ResampleWeights(
      input: height, output: fit.scaledHeight, range: shown.y..<shown.y + shown.height,
      filter: .bilinear)
    let narrow = Self.resampled(values, rows: height, rowLength: width, along: columns)
    // Transposed twice, both passes run along rows.
    let tall = Self.transposed(narrow, rows: height, columns: shown.width)
    let low = Self.resampled(tall, rows: shown.width, rowLength: height, along: rows)
    return DepthMap(
      width: fit.width, height: fit.height,
      values: Self.transposed(low, rows: shown.width, columns: shown.height))
  }

  /// Weighted sums along each row: `[rows, rowLength]` to `[rows, outputs]`.
  private static func resampled(
    _ values: [Float], rows: Int, rowLength: Int, along axis: ResampleWeights
  ) -> [Float] {
    let one = Float(1 << ResampleWeights.fractionBits)
    var result: [Float] = []
    result.reserveCapacity(rows * axis.starts.count)
    for row in 0..<rows {
      for output in axis.starts.indices {
        let start = row * rowLength + Int(axis.starts[output])
        var sum: Float = 0
        for tap in 0..<Int(axis.counts[output]) {
          sum += values[start + tap] * Float(axis.weights[output * axis.taps + tap])
        }
        result.append(sum / one)
      }
    }
    return result
  }

  private static func transposed(_ values: [Float], rows: Int, columns: Int) -> [Float] {
    (0..<values.count).map { values[$0 % rows * columns + $0 / rows] }
  }
}
