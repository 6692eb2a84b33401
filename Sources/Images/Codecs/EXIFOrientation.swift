// How the camera was held, as EXIF tells it, and turning an image upright.

/// How the stored rows and columns of a photo lie: the value of EXIF's tag 0x0112.
///
/// Source: CIPA DC-008 (Exif 2.32), 4.6.4 A "Orientation"; TIFF 6.0, section 2.
package enum EXIFOrientation: Int, CaseIterable, Sendable {
  case upright = 1
  case mirrored = 2
  /// By half a turn.
  case upsideDown = 3
  /// Top and bottom exchanged.
  case flipped = 4
  /// Rows and columns exchanged.
  case transposed = 5
  /// A quarter turn clockwise makes it upright.
  case needsClockwise = 6
  /// Rows and columns exchanged along the other diagonal.
  case transversed = 7
  /// A quarter turn anticlockwise makes it upright.
  case needsAnticlockwise = 8

  /// Whether the upright image is as wide as the stored one is high.
  package var exchangesSides: Bool { rawValue >= 5 }
}

extension RGBImage {
  /// The image as it looked to the camera's holder.
  package func upright(_ orientation: EXIFOrientation) -> RGBImage {
    if orientation == .upright { return self }
    let (newWidth, newHeight) = orientation.exchangesSides ? (height, width) : (width, height)
    // Where the first pixel comes from, and the steps from there along a new row and to the next
    // one.
    let (right, bottom) = (width - 1, (height - 1) * width)
    let (start, column, row) =
      switch orientation {
      case .upright: (0, 1, width)
      case .mirrored: (right, -1, width)
      case .upsideDown: (bottom + right, -1, -width)
      case .flipped: (bottom, 1, -width)
      case .transposed: (0, width, 1)
      case .needsClockwise: (bottom, -width, 1)
      case .transversed: (bottom + right, -width, -1)
      case .needsAnticlockwise: (right, width, -1)
      }
    let turned = [UInt8](unsafeUninitializedCapacity: pixels.count) { output, initialized in
      pixels.withUnsafeBufferPointer { input in
        var to = 0
        for y in 0..<newHeight {
          for x in 0..<newWidth {
            let from = (start + y * row + x * column) * 3
            output[to] = input[from]
            output[to + 1] = input[from + 1]
            output[to + 2] = input[from + 2]
            to += 3
          }
        }
      }
      initialized = pixels.count
    }
    return RGBImage(width: newWidth, height: newHeight, pixels: turned)
  }
}
