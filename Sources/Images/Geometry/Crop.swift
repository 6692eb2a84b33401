// Cutting and padding of images and maps.

extension RGBImage {
  /// A part of the image.
  ///
  /// - Parameters:
  ///   - x: left column of the part, inside the image as the whole part must be.
  ///   - y: top row of the part.
  package func cropped(x: Int, y: Int, width: Int, height: Int) -> RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: copiedRows(
        of: pixels, rowLength: self.width * 3, rows: self.height,
        from: PixelRect(x: x * 3, y: y, width: width * 3, height: height)))
  }

  /// The middle of the image; of an odd rest the larger half is cut at the right and the bottom.
  package func centerCropped(width: Int, height: Int) -> RGBImage {
    cropped(
      x: (self.width - width) / 2, y: (self.height - height) / 2, width: width, height: height)
  }

  /// The image with a margin of one colour.
  ///
  /// - Parameters:
  ///   - left, top, right, bottom: pixels of margin, 0 or more.
  package func padded(
    left: Int = 0, top: Int = 0, right: Int = 0, bottom: Int = 0, color: RGBColor
  ) -> RGBImage {
    precondition(min(left, top, right, bottom) >= 0, "a margin is not negative")
    var padded = RGBImage(
      width: left + width + right, height: top + height + bottom, filledWith: color)
    padded.draw(self, x: left, y: top)
    return padded
  }
}

extension LabelMap {
  /// A part of the map, which must lie inside it.
  package func cropped(x: Int, y: Int, width: Int, height: Int) -> LabelMap {
    LabelMap(
      width: width, height: height,
      values: copiedRows(
        of: values, rowLength: self.width, rows: self.height,
        from: PixelRect(x: x, y: y, width: width, height: height)))
  }

  /// The map with a margin of one value.
  ///
  /// - Parameters:
  ///   - left, top, right, bottom: pixels of margin, 0 or more.
  package func padded(
    left: Int = 0, top: Int = 0, right: Int = 0, bottom: Int = 0, value: UInt8
  ) -> LabelMap {
    precondition(min(left, top, right, bottom) >= 0, "a margin is not negative")
    let paddedWidth = left + width + right
    let paddedHeight = top + height + bottom
    var padded = [UInt8](repeating: value, count: paddedWidth * paddedHeight)
    for y in 0..<height {
      let to = (top + y) * paddedWidth + left
      padded.replaceSubrange(to..<to + width, with: values[y * width..<(y + 1) * width])
    }
    return LabelMap(width: paddedWidth, height: paddedHeight, values: padded)
  }
}

/// The bytes of a rectangle of `[rows, rowLength]`; `rect` counts bytes along a row.
private func copiedRows(
  of bytes: [UInt8], rowLength: Int, rows: Int, from rect: PixelRect
) -> [UInt8] {
  precondition(
    rect.x >= 0 && rect.y >= 0 && rect.width > 0 && rect.height > 0
      && rect.x + rect.width <= rowLength && rect.y + rect.height <= rows,
    "the part is not inside the image")
  var copied: [UInt8] = []
  copied.reserveCapacity(rect.width * rect.height)
  for y in rect.y..<rect.y + rect.height {
    let start = y * rowLength + rect.x
    copied.append(contentsOf: bytes[start..<start + rect.width])
  }
  return copied
}
