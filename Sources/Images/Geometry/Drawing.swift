// Drawing into images: other images, rectangles and their edges.

extension RGBImage {
  /// Copies an image into this one; what lies outside is cut off.
  ///
  /// - Parameters:
  ///   - x: column of this image for the left one of `image`, may be negative.
  ///   - y: row of this image for the top one of `image`, may be negative.
  package mutating func draw(_ image: RGBImage, x: Int, y: Int) {
    let whole = PixelRect(x: 0, y: 0, width: width, height: height)
    let position = PixelRect(x: x, y: y, width: image.width, height: image.height)
    guard let visible = whole.intersection(position) else { return }
    for row in visible.y..<visible.y + visible.height {
      let to = (row * width + visible.x) * 3
      let from = ((row - y) * image.width + visible.x - x) * 3
      pixels.replaceSubrange(
        to..<to + visible.width * 3, with: image.pixels[from..<from + visible.width * 3])
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

  /// Draws the edges of a rectangle, inside it; what lies outside the image is cut off.
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
