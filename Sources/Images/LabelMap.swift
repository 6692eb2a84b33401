// One 8-bit value per pixel: grey images and class maps.

/// A map of 8-bit values `[H, W]`, rows from the top: class labels, palette indices or grey levels.
package struct LabelMap: Equatable, Sendable {
  /// Columns, pixels; at least 1.
  package let width: Int
  /// Rows, pixels; at least 1.
  package let height: Int
  /// The values `[H, W]`; its count never changes.
  package var values: [UInt8] {
    didSet { precondition(values.count == width * height, "values must keep their count") }
  }

  /// A map from its values.
  ///
  /// - Parameter values: `[height, width]`, exactly `height * width` of them.
  package init(width: Int, height: Int, values: [UInt8]) {
    precondition(width > 0 && height > 0, "a map has at least one pixel")
    precondition(
      values.count == width * height, "\(values.count) values for a map of \(width)x\(height)")
    self.width = width
    self.height = height
    self.values = values
  }

  /// The value of column `x` of row `y`.
  package subscript(x: Int, y: Int) -> UInt8 {
    get { values[y * width + x] }
    set { values[y * width + x] = newValue }
  }
}
