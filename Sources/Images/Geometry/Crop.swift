// Cutting and padding of pictures and maps.

extension RGBImage {
  /// A part of the picture.
  ///
  /// - Parameters:
  ///   - x: left column of the part, inside the picture as the whole part must be.
  ///   - y: top row of the part.
  package func cropped(x: Int, y: Int, width: Int, height: Int) -> RGBImage {
    RGBImage(
      width: width, height: height,
      pixels: copiedRows(
        of: pixels, rowLength: self.width * 3, rows: self.height,
        from: PixelRect(x: x * 3, y: y, width: width * 3, height: height)))
  }

  /// The middle of the picture; of an odd rest the larger half is cut at the right and the bottom.
  package func centerCropped(width: Int, height: Int) -> RGBImage {
    cropped(
      x: (self.width - width) / 2, y: (self.height - height) / 2, width: width, height: height)
  }

  /// The picture with a margin of one colour.
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

  /// Copies a picture into this one; what lies outside is cut off.
  ///
  /// - Parameters:
  ///   - x: column of this picture for the left one of `picture`, may be negative.
  ///   - y: row of this picture for the top one of `picture`, may be negative.
  package mutating func draw(_ picture: RGBImage, x: Int, y: Int) {
    let whole = PixelRect(x: 0, y: 0, width: width, height: height)
    let place = PixelRect(x: x, y: y, width: picture.width, height: picture.height)
    guard let visible = whole.intersection(place) else { return }
    for row in visible.y..<visible.y + visible.height {
      let to = (row * width + visible.x) * 3
      let from = ((row - y) * picture.width + visible.x - x) * 3
      pixels.replaceSubrange(
        to..<to + visible.width * 3, with: picture.pixels[from..<from + visible.width * 3])
    }
  }

  /// Fills a rectangle with a colour; what lies outside is cut off.
  package mutating func fill(_ rect: PixelRect, with color: RGBColor) {
    let whole = PixelRect(x: 0, y: 0, width: width, height: height)
    guard let visible = whole.intersection(rect) else { return }
    for y in visible.y..<visible.y + visible.height {
      for x in visible.x..<visible.x + visible.width { self[x, y] = color }
    }
  }
}

extension RGBImage {
  /// Draws the edges of a rectangle, inside it; what lies outside the picture is cut off.
  ///
  /// - Parameter thickness: pixels.
  package mutating func outline(_ rect: PixelRect, thickness: Int, with color: RGBColor) {
    let (width, height) = (min(thickness, rect.width), min(thickness, rect.height))
    let (right, bottom) = (rect.x + rect.width - width, rect.y + rect.height - height)
    for y in [rect.y, bottom] {
      fill(PixelRect(x: rect.x, y: y, width: rect.width, height: height), with: color)
    }
    for x in [rect.x, right] {
      fill(PixelRect(x: x, y: rect.y, width: width, height: rect.height), with: color)
    }
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
    "the part is not inside the picture")
  var copied: [UInt8] = []
  copied.reserveCapacity(rect.width * rect.height)
  for y in rect.y..<rect.y + rect.height {
    let start = y * rowLength + rect.x
    copied.append(contentsOf: bytes[start..<start + rect.width])
  }
  return copied
}
