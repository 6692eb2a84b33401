// PNG files to maps of labels and of depth.

import CImageCodecs

extension ImageDecoder {
  /// Reads a label map: a grey or palette PNG of at most 8 bits.
  ///
  /// The stored values come out as they are: palette indices are not looked up and grey of 1, 2 or
  /// 4 bits is not scaled.
  ///
  /// - Throws: `ImageError`; `.unsupported` for JPEG, colour, alpha and 16-bit images.
  package static func decodeLabels(
    contentsOf path: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> LabelMap {
    try decodeLabels(ImageFile.read(path, limits: limits), path: path, limits: limits)
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

  /// Reads a depth map and brings its values to 0 … 1, see
  /// `DepthMap.init(normalizing:width:height:)`.
  ///
  /// A PNG with one grey channel of 8 or 16 bits, or with red, green, blue and alpha of 8 bits that
  /// are the four bytes of a little-endian 32-bit float: the form in which the published depth maps
  /// of ImageNet are stored.
  ///
  /// - Throws: `ImageError`; `.unsupported` for other images, `.damaged` for floats that are no
  ///   numbers.
  package static func decodeDepth(
    contentsOf path: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> DepthMap {
    try decodeDepth(ImageFile.read(path, limits: limits), path: path, limits: limits)
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
        reason: "the depth of column \(wrong % header.width), row \(wrong / header.width) "
          + (values[wrong].isNaN ? "is not a number" : "is \(values[wrong])"))
    }
    return DepthMap(normalizing: values, width: header.width, height: header.height)
  }

  /// One value for each pixel: a byte, a big-endian number of 16 bits, or the bytes of a
  /// little-endian float.
  private static func depths(_ samples: [UInt8], bytesEach: Int) -> [Float] {
    stride(from: 0, to: samples.count, by: bytesEach).map { position in
      switch bytesEach {
      case 1: return Float(samples[position])
      case 2: return Float(UInt16(samples[position]) << 8 | UInt16(samples[position + 1]))
      default:
        let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(samples[position + $1]) << (8 * $1) }
        return Float(bitPattern: bits)
      }
    }
  }
}
