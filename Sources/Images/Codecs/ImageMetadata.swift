// What an image file tells of how the camera was held; other metadata is not read.

import CImageCodecs

extension EXIFOrientation {
  /// The orientation that a PNG or JPEG file tells, in any form by which Pillow's `exif_transpose`
  /// turns an image; upright where it does not tell.
  ///
  /// - Parameter file: its bytes; whatever they are, this does not fail.
  package init(of file: [UInt8]) {
    let metadata =
      file.first == 0x89 ? ImageMetadata(png: file[...]) : ImageMetadata(jpeg: file[...])
    let number =
      metadata.exif.flatMap(Self.number(inTIFF:)) ?? metadata.xmp.flatMap(Self.number(inXMP:))
    self = number.flatMap(EXIFOrientation.init) ?? .upright
  }

  /// The value of the tag in a TIFF structure, 0 where it is no integer; nil without the tag.
  private static func number(inTIFF tiff: ArraySlice<UInt8>) -> Int? {
    let isLittle: Bool
    switch tiff.prefix(2) {
    case [0x49, 0x49]: isLittle = true
    case [0x4D, 0x4D]: isLittle = false
    default: return nil
    }
    func bits(at offset: Int, _ bytes: Int) -> UInt64? {
      guard offset >= 0, offset + bytes <= tiff.count else { return nil }
      let field = tiff[tiff.startIndex + offset..<tiff.startIndex + offset + bytes]
      return (isLittle ? Array(field.reversed()) : Array(field)).reduce(0) { $0 << 8 | UInt64($1) }
    }
    func integer(at offset: Int, _ bytes: Int) -> Int? { bits(at: offset, bytes).map(Int.init) }
    guard integer(at: 2, 2) == 42, let directory = integer(at: 4, 4),
      let count = integer(at: directory, 2)
    else { return nil }
    for entry in 0..<count {
      let position = directory + 2 + entry * 12
      guard let tag = integer(at: position, 2) else { return nil }
      guard tag == 0x0112 else { continue }
      guard let type = integer(at: position + 2, 2), let size = sizes[type],
        let values = integer(at: position + 4, 4), values > 0
      else { return 0 }
      // What has more than four bytes stands elsewhere.
      let at = values <= 4 / size ? position + 8 : integer(at: position + 8, 4)
      guard let at, let first = bits(at: at, size) else { return 0 }
      switch type {
      case 5, 10:
        guard let over = integer(at: at, 4), let under = integer(at: at + 4, 4), under > 0 else {
          return 0
        }
        return over % under == 0 ? over / under : 0
      case 11: return Int(exactly: Float(bitPattern: UInt32(first))) ?? 0
      case 12: return Int(exactly: Double(bitPattern: first)) ?? 0
      default: return Int(exactly: first) ?? 0
      }
    }
    return nil
  }

  /// Bytes of a number of TIFF's types that have numbers; SHORT, 3, is the one that Exif wants.
  private static let sizes = [
    3: 2, 4: 4, 5: 8, 6: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8,
  ]

  /// The digit behind `tiff:Orientation="` or `tiff:Orientation>`; nil without.
  private static func number(inXMP text: ArraySlice<UInt8>) -> Int? {
    let name = Array("tiff:Orientation".utf8)
    var rest = text
    while let start = rest.firstIndex(of: name[0]) {
      rest = rest[start...]
      if rest.starts(with: name) {
        let value = rest.dropFirst(name.count)
        let mark = [Array("=\"".utf8), Array(">".utf8)].first(where: value.starts(with:))
        if let mark, let digit = value.dropFirst(mark.count).first, 48...57 ~= digit {
          return Int(digit) - 48
        }
      }
      rest = rest.dropFirst()
    }
    return nil
  }
}

/// The parts of an image file that may tell its orientation.
private struct ImageMetadata {
  /// A TIFF structure.
  private(set) var exif: ArraySlice<UInt8>?
  /// A text in XML.
  private(set) var xmp: ArraySlice<UInt8>?

  /// Compressed texts so far; more of a mebibyte each than Pillow's 64 are no photo's.
  private var compressedTexts = 0
  private static let mostCompressedTexts = 64

  private static let exifHeader = Array("Exif\0\0".utf8)

  /// Looks at the segments before the first scan; bytes between them are passed over.
  init(jpeg: ArraySlice<UInt8>) {
    let xmpHeader = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
    var position = 2  // behind SOI
    while position + 4 <= jpeg.count {
      let marker = jpeg[position + 1]
      if jpeg[position] != 0xFF || marker == 0xFF || marker == 0 {  // no marker, or padding
        position += 1
        continue
      }
      if marker == 0xDA || marker == 0xD9 { return }  // pixels begin, or the end
      if marker == 0x01 || (0xD0...0xD8).contains(marker) {  // markers without a length
        position += 2
        continue
      }
      let length = Int(jpeg[position + 2]) << 8 | Int(jpeg[position + 3])
      let end = position + 2 + length
      guard length >= 2, end <= jpeg.count else { return }
      let body = jpeg[position + 4..<end]
      if marker == 0xE1, exif == nil, body.starts(with: Self.exifHeader) {
        exif = body.dropFirst(Self.exifHeader.count)
      } else if marker == 0xE1, body.starts(with: xmpHeader) {
        xmp = body.dropFirst(xmpHeader.count)
      }
      position = end
    }
  }

  /// Looks at all chunks: eXIf, and the texts that ImageMagick and Adobe's programs write.
  init(png: ArraySlice<UInt8>) {
    var position = 8
    while position + 12 <= png.count {
      let length = png[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= png.count - position - 12 else { return }
      let body = png[position + 8..<position + 8 + length]
      switch String(decoding: png[position + 4..<position + 8], as: UTF8.self) {
      case "eXIf": exif = Self.withoutHeader(body)
      case "tEXt", "zTXt", "iTXt":
        let compressed = png[position + 4] == UInt8(ascii: "z")
        let international = png[position + 4] == UInt8(ascii: "i")
        take(body, isCompressed: compressed, isInternational: international)
      default: break
      }
      position += length + 12
    }
  }

  /// Takes the text of a chunk whose keyword is one of the two.
  private mutating func take(
    _ body: ArraySlice<UInt8>, isCompressed: Bool, isInternational: Bool
  ) {
    guard let zero = body.firstIndex(of: 0) else { return }
    let keyword = String(decoding: body[..<zero], as: UTF8.self)
    guard ["Raw profile type exif", "XML:com.adobe.xmp"].contains(keyword) else { return }
    var isCompressed = isCompressed
    var text = body[(zero + 1)...]
    if isInternational {
      // Whether and how it is compressed, the language, the keyword in that language.
      isCompressed = text.first == 1
      text = text.dropFirst(2)
      for _ in 0..<2 { text = text.drop { $0 != 0 }.dropFirst() }
    } else if isCompressed {
      text = text.dropFirst()  // how
    }
    if isCompressed { compressedTexts += 1 }
    guard compressedTexts <= Self.mostCompressedTexts,
      let text = isCompressed ? Self.inflated(text) : text
    else { return }
    if keyword.hasPrefix("XML") {
      xmp = text
    } else {
      // An empty line, a name, a length, and lines of hexadecimal digits.
      let lines = text.split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
      let digits = lines.dropFirst(3).joined().compactMap(Self.hexadecimalDigit)
      let bytes = stride(from: 1, to: digits.count, by: 2).map { digits[$0 - 1] << 4 | digits[$0] }
      exif = Self.withoutHeader(bytes[...])
    }
  }

  private static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }

  private static func withoutHeader(_ exif: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    exif.starts(with: exifHeader) ? exif.dropFirst(exifHeader.count) : exif
  }

  /// zlib's data expanded; nil where it is damaged or has more than a mebibyte, Pillow's limit.
  private static func inflated(_ data: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    let expanded = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
      count = data.withUnsafeBufferPointer { data in
        ic_inflate(data.baseAddress, data.count, buffer.baseAddress, buffer.count)
      }
    }
    return expanded.isEmpty ? nil : expanded[...]
  }
}
