// PNG and JPEG files to pixels; maps of labels and depth are in ImageDecoder+Maps.swift.

import CImageCodecs

/// What an image's header says.
package struct ImageHeader: Equatable, Sendable {
  package let format: ImageFormat
  /// Pixels.
  package let width, height: Int
  /// Channels as stored: 1 grey or palette, 2 grey and alpha, 3 colour, 4 colour and alpha or CMYK.
  package let channels: Int
  /// Bits of a stored channel.
  package let bitDepth: Int
}

/// Decodes PNG and JPEG images; the content decides, not the file's name.
///
/// Every form becomes sRGB, 8 bits per channel:
/// - grey is repeated in all three channels; palettes are looked up;
/// - **alpha and transparent palette entries are dropped, not blended**, as Pillow's
///   `convert("RGB")` does;
/// - of 16-bit PNG samples the high byte is kept;
/// - gamma, colour profiles and EXIF orientation are ignored;
/// - JPEG is decoded with the accurate integer DCT and smooth chroma upsampling (libjpeg's and
///   Pillow's defaults); CMYK and YCCK are taken as inverted, as Adobe writes them.
///
/// An image is complete or an error: a truncated file, a wrong checksum or a JPEG that libjpeg
/// would patch with grey throws. Bytes after the end of the image are ignored.
package enum ImageDecoder {
  /// Reads a file and decodes it to RGB.
  ///
  /// - Parameter path: a PNG or JPEG file of any name; regular files only, links are followed.
  /// - Throws: `ImageError`, with `path` in it.
  package static func decode(
    contentsOf path: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> RGBImage {
    try decode(ImageFile.read(path, limits: limits), path: path, limits: limits)
  }

  /// Decodes bytes to RGB.
  ///
  /// - Parameter path: the name that errors carry.
  package static func decode(
    _ bytes: [UInt8], path: String = "(bytes)", limits: ImageLimits = .standard
  ) throws(ImageError) -> RGBImage {
    try decode(bytes, path: path, limits: limits, needs: .everything).pixels
  }

  /// Decodes what is needed of an image, and turns it upright.
  ///
  /// The pixels are those of the whole image, and the errors, wherever in the file they are; only
  /// an image that may be reduced has others. Of PNGs, and of images that are turned, all is
  /// decoded.
  ///
  /// - Parameters:
  ///   - path: the name that errors carry.
  ///   - orientation: how an image of this size is stored.
  package static func decode(
    _ bytes: [UInt8], path: String = "(bytes)", limits: ImageLimits = .standard, needs: ImageNeeds,
    orientation: (_ width: Int, _ height: Int) -> EXIFOrientation = { _, _ in .upright }
  ) throws(ImageError) -> DecodedImage {
    let (header, raw) = try checkedHeader(bytes, path: path, limits: limits)
    let orientation = orientation(header.width, header.height)
    let windows =
      orientation.exchangesSides
      ? needs.windows?(header.height, header.width) : needs.windows?(header.width, header.height)
    let isJPEG = header.format == .jpeg
    let reduction = isJPEG ? needs.reduction(for: windows ?? []) : 1
    let whole = (
      width: (header.width + reduction - 1) / reduction,
      height: (header.height + reduction - 1) / reduction
    )
    let part = needs.part(
      of: whole, for: isJPEG && orientation == .upright ? windows ?? [] : [])
    let pixels = try fill(
      part.width * part.height * 3, header: header, path: path,
      expected: "grey, colour or CMYK channels of 8 bits"
    ) { pixels, message in
      bytes.withUnsafeBufferPointer { bytes in
        withUnsafePointer(to: raw) { raw in
          if !isJPEG {
            return ic_png_decode_rgb(bytes.baseAddress, bytes.count, raw, pixels, &message)
          }
          var wanted = ic_part(
            x: UInt32(part.x), y: UInt32(part.y), width: UInt32(part.width),
            height: UInt32(part.height))
          return ic_jpeg_decode(
            bytes.baseAddress, bytes.count, raw, Int32(clamping: limits.maxScans),
            Int32(reduction), &wanted, pixels, &message)
        }
      }
    }
    return DecodedImage(
      width: header.width, height: header.height,
      pixels: RGBImage(width: part.width, height: part.height, pixels: pixels), whole: whole,
      part: part
    ).upright(orientation)
  }

  /// All bytes of a regular file that begins like a PNG or JPEG image.
  package static func bytes(
    of path: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> [UInt8] {
    try ImageFile.read(path, limits: limits)
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
    try checkedHeader(ImageFile.read(path, limits: limits), path: path, limits: limits).header
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

  static func checkedHeader(
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
      for: status, message, header: header, path: path, expected: "an image of 8-bit channels")
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
  static func fill(
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
