/// A rectangle between pixels: pixel (i, j) covers i…i+1 and j…j+1.
package struct COCOBox: Equatable, Sendable {
  /// Left and top edge, pixels.
  package var x, y: Double
  /// Pixels, not negative.
  package var width, height: Double

  package init(x: Double, y: Double, width: Double, height: Double) {
    self.x = x
    self.y = y
    self.width = width
    self.height = height
  }

  /// The box after its image was scaled, moved and cut.
  ///
  /// - Parameters:
  ///   - scaleX: new columns for each old one.
  ///   - scaleY: new rows for each old one.
  ///   - x: column of the cut image where the scaled one begins; negative where it is cut.
  ///   - y: row of the cut image where the scaled one begins.
  ///   - width: columns of the cut image.
  ///   - height: rows of the cut image.
  /// - Returns: the part inside the cut image, in its pixels, and the fraction of the box's area
  ///   that this is, 0…1; `nil` where nothing of the box is inside. Of a box without area, a line
  ///   or a point, the fraction is that of its length, or 1.
  package func placed(
    scaleX: Double, scaleY: Double, x: Double, y: Double, width: Int, height: Int
  ) -> (box: COCOBox, visible: Double)? {
    guard
      let columns = Self.part(
        from: self.x * scaleX + x, length: self.width * scaleX, limit: Double(width)),
      let rows = Self.part(
        from: self.y * scaleY + y, length: self.height * scaleY, limit: Double(height))
    else { return nil }
    return (
      COCOBox(x: columns.start, y: rows.start, width: columns.length, height: rows.length),
      columns.fraction * rows.fraction
    )
  }

  /// The part of an interval inside `0…limit`, and its fraction of the whole.
  private static func part(
    from start: Double, length: Double, limit: Double
  ) -> (start: Double, length: Double, fraction: Double)? {
    let low = max(0, start)
    let high = min(limit, start + length)
    if length > 0 {
      guard low < high else { return nil }
      // A box inside is wholly visible, whatever rounding says.
      let whole = start >= 0 && start + length <= limit
      return (low, high - low, whole ? 1 : min(1, (high - low) / length))
    }
    guard start >= 0, start <= limit else { return nil }
    return (start, 0, 1)
  }
}
