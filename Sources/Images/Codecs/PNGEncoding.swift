// Images and maps to PNG; the only file that calls the encoder in C.

import CImageCodecs
import DurableFiles
import Platform

extension RGBImage {
  /// The image as a PNG of 8-bit RGB, without any text or time in it.
  ///
  /// - Parameter level: zlib's compression level, 0 (none) to 9 (smallest).
  package func encodedPNG(level: Int = 6) -> [UInt8] {
    encodePNG(pixels, width: width, height: height, channels: 3, level: level)
  }

  /// Writes the image as a PNG that appears under its name only when complete.
  ///
  /// - Throws: `ImageError.unwritable`.
  package func writePNG(to path: String, level: Int = 6) throws(ImageError) {
    try publish(encodedPNG(level: level), to: path)
  }
}

extension LabelMap {
  /// The map as a PNG of 8-bit grey.
  ///
  /// - Parameter level: zlib's compression level, 0 (none) to 9 (smallest).
  package func encodedPNG(level: Int = 6) -> [UInt8] {
    encodePNG(values, width: width, height: height, channels: 1, level: level)
  }

  /// Writes the map as a grey PNG that appears under its name only when complete.
  ///
  /// - Throws: `ImageError.unwritable`.
  package func writePNG(to path: String, level: Int = 6) throws(ImageError) {
    try publish(encodedPNG(level: level), to: path)
  }
}

extension DepthMap {
  /// The map as a PNG of 16-bit grey, 65535 for 1.
  ///
  /// - Parameter level: zlib's compression level, 0 (none) to 9 (smallest).
  package func encodedPNG(level: Int = 6) -> [UInt8] {
    let bytes = stored.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
    return encodePNG(bytes, width: width, height: height, channels: 1, bitDepth: 16, level: level)
  }
}

private func publish(_ bytes: [UInt8], to path: String) throws(ImageError) {
  do {
    try DurableFile.write(bytes, to: path)
  } catch {
    throw .unwritable(error)
  }
}

/// Memory is all that encoding can lack, so that a failure stops the program.
private func encodePNG(
  _ pixels: [UInt8], width: Int, height: Int, channels: Int, bitDepth: Int = 8,
  level: Int
) -> [UInt8] {
  precondition((0...9).contains(level), "zlib's compression levels are 0...9")
  precondition(
    width <= Int(Int32.max) && height <= Int(Int32.max), "a PNG side has at most 2^31 - 1 pixels")
  var bytes: UnsafeMutablePointer<UInt8>?
  var count = 0
  var message = ic_message()
  let status = pixels.withUnsafeBufferPointer { pixels in
    ic_png_encode(
      pixels.baseAddress, UInt32(width), UInt32(height), Int32(channels), Int32(bitDepth),
      Int32(level), &bytes, &count, &message)
  }
  precondition(status == IC_OK, "\(width)x\(height) PNG: \(message.text)")
  defer { free(bytes) }
  return Array(UnsafeBufferPointer(start: bytes, count: count))
}
