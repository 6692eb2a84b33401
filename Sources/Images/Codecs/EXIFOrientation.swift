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

  /// The orientation of a JPEG file; upright where it does not tell.
  ///
  /// - Parameter jpeg: the file's bytes; anything may follow the marker that tells.
  package init(jpeg: [UInt8]) {
    self = Self.segment(of: jpeg).flatMap(Self.orientation(ofTIFF:)) ?? .upright
  }

  /// The TIFF structure in the APP1 segment that begins with "Exif".
  private static func segment(of jpeg: [UInt8]) -> ArraySlice<UInt8>? {
    var position = 2  // behind SOI
    while position + 4 <= jpeg.count, jpeg[position] == 0xFF {
      let marker = jpeg[position + 1]
      if marker == 0xFF {  // padding
        position += 1
        continue
      }
      if marker == 0xDA || marker == 0xD9 { return nil }  // pixels begin, or the end
      if marker == 0x01 || (0xD0...0xD8).contains(marker) {  // markers without a length
        position += 2
        continue
      }
      let length = Int(jpeg[position + 2]) << 8 | Int(jpeg[position + 3])
      let end = position + 2 + length
      guard length >= 2, end <= jpeg.count else { return nil }
      let body = jpeg[position + 4..<end]
      if marker == 0xE1, body.starts(with: Array("Exif\0\0".utf8)) { return body.dropFirst(6) }
      position = end
    }
    return nil
  }

  private static func orientation(ofTIFF tiff: ArraySlice<UInt8>) -> EXIFOrientation? {
    let isLittle: Bool
    switch tiff.prefix(2) {
    case [0x49, 0x49]: isLittle = true
    case [0x4D, 0x4D]: isLittle = false
    default: return nil
    }
    func number(at offset: Int, bytes: Int) -> Int? {
      guard offset >= 0, offset + bytes <= tiff.count else { return nil }
      let field = tiff[tiff.startIndex + offset..<tiff.startIndex + offset + bytes]
      return (isLittle ? Array(field.reversed()) : Array(field)).reduce(0) { $0 << 8 | Int($1) }
    }
    guard number(at: 2, bytes: 2) == 42, let directory = number(at: 4, bytes: 4),
      let count = number(at: directory, bytes: 2)
    else { return nil }
    for entry in 0..<count {
      let position = directory + 2 + entry * 12
      guard let tag = number(at: position, bytes: 2) else { return nil }
      guard tag == 0x0112 else { continue }
      // One SHORT, which stands in the entry itself.
      guard number(at: position + 2, bytes: 2) == 3, number(at: position + 4, bytes: 4) == 1 else {
        return nil
      }
      return number(at: position + 8, bytes: 2).flatMap(EXIFOrientation.init)
    }
    return nil
  }
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
