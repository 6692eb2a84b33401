// Animations: PNG with the animation chunks that browsers know.

import DurableFiles

/// Images of one size as an animated PNG.
///
/// - Source: the PNG specification, third edition, §11.3.5 (acTL, fcTL, fdAT).
package enum AnimatedPNG {
  /// The file's bytes.
  ///
  /// - Parameters:
  ///   - frames: at least one, of one size.
  ///   - milliseconds: each frame is shown; the last one for two seconds.
  /// - Returns: a PNG that shows its first frame where animation is not known, and repeats without
  ///   end elsewhere.
  package static func encoded(_ frames: [RGBImage], milliseconds: Int) -> [UInt8] {
    precondition(!frames.isEmpty, "an animation has a frame")
    let (width, height) = (frames[0].width, frames[0].height)
    precondition(
      frames.allSatisfy { $0.width == width && $0.height == height }, "frames of one size")
    var bytes: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
    var sequence = 0
    for (index, frame) in frames.enumerated() {
      let chunks = chunks(of: frame.encodedPNG())
      if index == 0 {
        for chunk in chunks where chunk.type == "IHDR" { append("IHDR", chunk.data, to: &bytes) }
        append("acTL", big(frames.count, 4) + big(0, 4), to: &bytes)
      }
      let shown = index == frames.count - 1 ? 2000 : milliseconds
      let control =
        big(sequence, 4) + big(width, 4) + big(height, 4) + big(0, 4) + big(0, 4) + big(shown, 2)
        + big(1000, 2) + [0, 0]
      append("fcTL", control, to: &bytes)
      sequence += 1
      for chunk in chunks where chunk.type == "IDAT" {
        if index == 0 {
          append("IDAT", chunk.data, to: &bytes)
        } else {
          append("fdAT", big(sequence, 4) + chunk.data, to: &bytes)
          sequence += 1
        }
      }
    }
    append("IEND", [], to: &bytes)
    return bytes
  }

  /// Writes it under its name when it is complete.
  ///
  /// - Throws: `ImageError.unwritable`.
  package static func write(_ frames: [RGBImage], milliseconds: Int, to path: String)
    throws(ImageError)
  {
    do {
      try DurableFile.write(encoded(frames, milliseconds: milliseconds), to: path)
    } catch {
      throw .unwritable(error)
    }
  }

  private static func chunks(of png: [UInt8]) -> [(type: String, data: [UInt8])] {
    var chunks: [(String, [UInt8])] = []
    var position = 8
    while position + 12 <= png.count {
      let length = png[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      let type = String(decoding: png[position + 4..<position + 8], as: UTF8.self)
      chunks.append((type, Array(png[position + 8..<position + 8 + length])))
      position += 12 + length
    }
    return chunks
  }

  private static func append(_ type: String, _ data: [UInt8], to bytes: inout [UInt8]) {
    let body = Array(type.utf8) + data
    bytes += big(data.count, 4) + body + big(Int(crc32(body)), 4)
  }

  private static func big(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// The checksum of PNG chunks: CRC-32 of ISO 3309.
  private static func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in
      table[Int(UInt8(truncatingIfNeeded: crc) ^ byte)] ^ crc >> 8
    }
  }

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? 0xedb8_8320 ^ crc >> 1 : crc >> 1 }
  }
}
