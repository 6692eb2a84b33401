// The image that every part of the suite passes around.

/// One sRGB colour, 8 bits per channel.
package struct RGBColor: Equatable, Hashable, Sendable {
  package var red, green, blue: UInt8

  package init(red: UInt8, green: UInt8, blue: UInt8) {
    self.red = red
    self.green = green
    self.blue = blue
  }

  /// A grey of equal channels.
  package static func grey(_ level: UInt8) -> RGBColor {
    RGBColor(red: level, green: level, blue: level)
  }

  package static let black = grey(0)
  package static let white = grey(255)
}

/// An image of 8-bit sRGB pixels `[H, W, 3]`, rows from the top; values are never linearised.
package struct RGBImage: Equatable, Sendable {
  /// Columns, pixels; at least 1.
  package let width: Int
  /// Rows, pixels; at least 1.
  package let height: Int
  /// Red, green, blue of every pixel, `[H, W, 3]`; its count never changes.
  package var pixels: [UInt8] {
    didSet { precondition(pixels.count == width * height * 3, "pixels must keep their count") }
  }

  /// An image from its pixels.
  ///
  /// - Parameter pixels: `[height, width, 3]`, exactly `height * width * 3` values.
  package init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(width > 0 && height > 0, "an image has at least one pixel")
    precondition(
      pixels.count == width * height * 3,
      "\(pixels.count) values for an image of \(width)x\(height)x3")
    self.width = width
    self.height = height
    self.pixels = pixels
  }

  /// An image of one colour.
  package init(width: Int, height: Int, filledWith color: RGBColor) {
    let count = width * height
    let pixels = [UInt8](unsafeUninitializedCapacity: count * 3) { buffer, initialized in
      for pixel in 0..<count {
        buffer[pixel * 3] = color.red
        buffer[pixel * 3 + 1] = color.green
        buffer[pixel * 3 + 2] = color.blue
      }
      initialized = count * 3
    }
    self.init(width: width, height: height, pixels: pixels)
  }

  /// The colour of column `x` (from the left) of row `y` (from the top).
  package subscript(x: Int, y: Int) -> RGBColor {
    get {
      let i = (y * width + x) * 3
      return RGBColor(red: pixels[i], green: pixels[i + 1], blue: pixels[i + 2])
    }
    set {
      let i = (y * width + x) * 3
      pixels[i] = newValue.red
      pixels[i + 1] = newValue.green
      pixels[i + 2] = newValue.blue
    }
  }
}
