// PNG and JPEG files to pixels; the only file that calls the decoders in C.

import CImageCodecs

/// What a picture's header says.
package struct ImageHeader: Equatable, Sendable {
  package let format: ImageFormat
  /// Pixels.
  package let width, height: Int
  /// Channels as stored: 1 grey or palette, 2 grey and alpha, 3 colour, 4 colour and alpha or CMYK.
  package let channels: Int
  /// Bits of a stored channel.
  package let bitDepth: Int
}

/// Decodes PNG and JPEG pictures; the content decides, not the file's name.
///
/// Every form becomes sRGB, 8 bits a channel:
/// - grey is repeated in all three channels; palettes are looked up;
/// - **alpha and transparent palette entries are dropped, not blended**, as Pillow's
///   `convert("RGB")` does;
/// - of 16-bit PNG samples the high byte is kept;
/// - gamma, colour profiles and EXIF orientation are ignored;
/// - JPEG is decoded with the accurate integer DCT and smooth chroma upsampling (libjpeg's and
///   Pillow's defaults); CMYK and YCCK are taken as inverted, as Adobe writes them.
///
/// A picture is complete or an error: a truncated file, a wrong checksum or a JPEG that libjpeg
/// would patch with grey throws. Bytes after the end of the picture are ignored.
package enum ImageDecoder {
  /// Reads a file and decodes it to RGB.
  ///
  /// - Parameter path: a PNG or JPEG file of any name; regular files only, links are followed.
  /// - Throws: `ImageError`, with `path` in it.
  package static func decode(
    contentsOf path: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> RGBImage {
    try decode(PictureFile.read(path, limits: limits), path: path, limits: limits)
  }

  /// Decodes bytes to RGB.
  ///
  /// - Parameter path: the name that errors carry.
  package static func decode(
    _ bytes: [UInt8], path: String = "(bytes)", limits: ImageLimits = .standard
  ) throws(ImageError) -> RGBImage {
    let (header, raw) = try checkedHeader(bytes, path: path, limits: limits)
    let format = header.format
    let pixels = try fill(
      header.width * header.height * 3, header: header, path: path,
      expected: "grey, colour or CMYK channels of 8 bits"
    ) { pixels, message in
      bytes.withUnsafeBufferPointer { bytes in
        withUnsafePointer(to: raw) { raw in
          switch format {
          case .png:
            ic_png_decode_rgb(bytes.baseAddress, bytes.count, raw, pixels, &message)
          case .jpeg:
            ic_jpeg_decode(
              bytes.baseAddress, bytes.count, raw, Int32(clamping: limits.maxScans), pixels,
              &message)
          }
        }
      }
    }
    return RGBImage(width: header.width, height: header.height, pixels: pixels)
  }

  /// Reads a label map: a grey or palette PNG of at most 8 bits.
  ///
  /// The stored values come out as they are: palette indices are not looked up and grey of 1, 2 or
  /// 4 bits is not scaled.
  ///
  /// - Throws: `ImageError`; `.unsupported` for JPEG, colour, alpha and 16-bit pictures.
  package static func decodeLabels(
    contentsOf path: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> LabelMap {
    try decodeLabels(PictureFile.read(path, limits: limits), path: path, limits: limits)
  }

  /// Decodes the bytes of a label map, see `decodeLabels(contentsOf:limits:)`.
  package static func decodeLabels(
    _ bytes: [UInt8], path: String = "(bytes)", limits: ImageLimits = .standard
  ) throws(ImageError) -> LabelMap {
    let (header, raw) = try checkedHeader(bytes, path: path, limits: limits)
    let expected = "one channel of at most 8 bits in a PNG"
    guard header.format == .png, header.channels == 1, header.bitDepth <= 8 else {
      throw .unsupported(
        path: path, format: header.format,
        found: "\(header.channels) channel(s) of \(header.bitDepth) bits", expected: expected)
    }
    let values = try fill(
      header.width * header.height, header: header, path: path, expected: expected
    ) { values, message in
      bytes.withUnsafeBufferPointer { bytes in
        withUnsafePointer(to: raw) { raw in
          ic_png_decode_indices(bytes.baseAddress, bytes.count, raw, values, &message)
        }
      }
    }
    return LabelMap(width: header.width, height: header.height, values: values)
  }

  /// Reads a depth map and brings its values to 0 … 1, see `DepthMap.init(normalizing:width:height:)`.
  ///
  /// A PNG with one grey channel of 8 or 16 bits, or with red, green, blue and alpha of 8 bits that are the four bytes of
  /// a little-endian 32-bit float: the form in which the published depth maps of ImageNet are stored.
  ///
  /// - Throws: `ImageError`; `.unsupported` for other pictures, `.damaged` for floats that are no numbers.
  package static func decodeDepth(
    contentsOf path: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> DepthMap {
    try decodeDepth(PictureFile.read(path, limits: limits), path: path, limits: limits)
  }

  /// Decodes the bytes of a depth map, see `decodeDepth(contentsOf:limits:)`.
  package static func decodeDepth(
    _ bytes: [UInt8], path: String = "(bytes)", limits: ImageLimits = .standard
  ) throws(ImageError) -> DepthMap {
    let (header, raw) = try checkedHeader(bytes, path: path, limits: limits)
    let expected = "a PNG with one grey channel of 8 or 16 bits, or floats in four channels of 8"
    let isGrey = raw.color_type == 0 && header.bitDepth >= 8
    guard header.format == .png, isGrey || header.channels == 4 && header.bitDepth == 8 else {
      throw .unsupported(
        path: path, format: header.format,
        found: "\(header.channels) channel(s) of \(header.bitDepth) bits", expected: expected)
    }
    let samples = try fill(
      header.width * header.height * header.channels * header.bitDepth / 8, header: header,
      path: path, expected: expected
    ) { samples, message in
      bytes.withUnsafeBufferPointer { bytes in
        withUnsafePointer(to: raw) { raw in
          ic_png_decode_stored(bytes.baseAddress, bytes.count, raw, samples, &message)
        }
      }
    }
    let values = depths(samples, bytesEach: header.channels * header.bitDepth / 8)
    if let wrong = values.firstIndex(where: { !$0.isFinite }) {
      throw .damaged(
        path: path, format: header.format,
        reason: "the depth of column \(wrong % header.width), row \(wrong / header.width) is "
          + "\(values[wrong])")
    }
    return DepthMap(normalizing: values, width: header.width, height: header.height)
  }

  /// One value for each pixel: a byte, a big-endian number of 16 bits, or the bytes of a little-endian float.
  private static func depths(_ samples: [UInt8], bytesEach: Int) -> [Float] {
    stride(from: 0, to: samples.count, by: bytesEach).map { place in
      switch bytesEach {
      case 1: return Float(samples[place])
      case 2: return Float(UInt16(samples[place]) << 8 | UInt16(samples[place + 1]))
      default:
        let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(samples[place + $1]) << (8 * $1) }
        return Float(bitPattern: bits)
      }
    }
  }

  /// All bytes of a regular file that begins like a PNG or JPEG picture.
  package static func bytes(
    of path: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> [UInt8] {
    try PictureFile.read(path, limits: limits)
  }

  /// Checks the header in a file's bytes against the limits; decodes no pixels.
  package static func header(
    _ bytes: [UInt8], path: String = "(bytes)", limits: ImageLimits = .standard
  ) throws(ImageError) -> ImageHeader {
    try checkedHeader(bytes, path: path, limits: limits).header
  }

  /// Reads a file's header and checks it against the limits; decodes no pixels.
  package static func header(
    contentsOf path: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> ImageHeader {
    try checkedHeader(PictureFile.read(path, limits: limits), path: path, limits: limits).header
  }
}

extension ImageDecoder {
  /// The format that the first bytes tell.
  ///
  /// - Throws: `.empty`, `.truncated` inside the signature, or `.notAnImage`.
  @discardableResult
  static func checkContent(_ bytes: [UInt8], path: String) throws(ImageError) -> ImageFormat {
    guard !bytes.isEmpty else { throw .empty(path: path) }
    switch SniffedContent(sniffing: bytes) {
    case .image(let format):
      return format
    case .partOfSignature(let format):
      throw .truncated(path: path, format: format, reason: "only \(bytes.count) bytes")
    case .other(let found):
      throw .notAnImage(path: path, found: found)
    }
  }

  private static func checkedHeader(
    _ bytes: [UInt8], path: String, limits: ImageLimits
  ) throws(ImageError) -> (header: ImageHeader, raw: ic_header) {
    let format = try checkContent(bytes, path: path)
    var raw = ic_header()
    var message = ic_message()
    let status = bytes.withUnsafeBufferPointer { bytes in
      switch format {
      case .png: ic_png_header(bytes.baseAddress, bytes.count, &raw, &message)
      case .jpeg: ic_jpeg_header(bytes.baseAddress, bytes.count, &raw, &message)
      }
    }
    let header = ImageHeader(
      format: format, width: Int(raw.width), height: Int(raw.height),
      channels: Int(raw.components), bitDepth: Int(raw.bit_depth))
    if let error = error(
      for: status, message, header: header, path: path, expected: "a picture of 8-bit channels")
    {
      throw error
    }
    guard header.width > 0, header.height > 0 else {
      throw .damaged(
        path: path, format: format, reason: "\(header.width)x\(header.height) pixels")
    }
    guard limits.allow(width: header.width, height: header.height) else {
      throw .tooLarge(path: path, width: header.width, height: header.height, limits: limits)
    }
    return (header, raw)
  }

  /// Lets a decoder fill `count` bytes and turns its status into an error.
  private static func fill(
    _ count: Int, header: ImageHeader, path: String, expected: String,
    decode: (UnsafeMutablePointer<UInt8>?, inout ic_message) -> ic_status
  ) throws(ImageError) -> [UInt8] {
    var message = ic_message()
    var status = IC_OK
    let filled = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      status = decode(buffer.baseAddress, &message)
      initialized = status == IC_OK ? count : 0
    }
    if let error = error(for: status, message, header: header, path: path, expected: expected) {
      throw error
    }
    return filled
  }

  private static func error(
    for status: ic_status, _ message: ic_message, header: ImageHeader, path: String,
    expected: String
  ) -> ImageError? {
    let text = message.text
    switch status {
    case IC_OK:
      return nil
    case IC_TRUNCATED:
      return .truncated(path: path, format: header.format, reason: text)
    case IC_UNSUPPORTED:
      return .unsupported(path: path, format: header.format, found: text, expected: expected)
    case IC_OUT_OF_MEMORY:
      return .outOfMemory(path: path, width: header.width, height: header.height)
    default:
      return .damaged(path: path, format: header.format, reason: text)
    }
  }
}

extension ic_message {
  /// The message as text, up to its terminating zero.
  var text: String {
    withUnsafeBytes(of: message) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
