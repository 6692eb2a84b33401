// What a file is, told by its first bytes and never by its name.

/// The formats that are read.
package enum ImageFormat: String, Equatable, Sendable, CustomStringConvertible {
  case png = "PNG"
  case jpeg = "JPEG"

  package var description: String { rawValue }
}

extension ImageFormat {
  /// What a file is that ought to be a text: "a PNG image", "unknown content"; nil for a text.
  ///
  /// - Parameter bytes: the file's beginning.
  package static func otherThanText(_ bytes: some Collection<UInt8>) -> String? {
    // A mark of UTF-16.
    if bytes.isEmpty || bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
      return nil
    }
    switch SniffedContent(sniffing: bytes) {
    case .image(let format): return "a \(format) image"
    case .partOfSignature: return "unknown content"
    case .other(let name):
      // A text may begin with the letters of a signature: BMW/1.jpg.
      let text = SniffedContent.describeText(Array(bytes.prefix(SniffedContent.length)))
      if text == "text" { return nil }
      return text == "unknown content" ? name : text
    }
  }
}

/// What the first bytes of a file say.
enum SniffedContent: Equatable {
  case image(ImageFormat)
  /// The signature of the format, cut short by the end of the file.
  case partOfSignature(ImageFormat)
  /// Something else, named for a message: "a GIF image", "an HTML page".
  case other(String)

  /// How many bytes `init(sniffing:)` looks at.
  static let length = 64

  private static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
  private static let jpegSignature: [UInt8] = [0xFF, 0xD8, 0xFF]

  /// Signature, where it starts, what it is.
  private static let others: [(bytes: [UInt8], offset: Int, name: String)] = [
    (Array("GIF8".utf8), 0, "a GIF image"),
    (Array("WEBP".utf8), 8, "a WebP image"),
    (Array("BM".utf8), 0, "a BMP image"),
    (Array("II*\0".utf8), 0, "a TIFF image"),
    (Array("MM\0*".utf8), 0, "a TIFF image"),
    (Array("ftypavif".utf8), 4, "an AVIF image"),
    (Array("ftyphei".utf8), 4, "a HEIC image"),
    (Array("ftyp".utf8), 4, "a film in an MP4 container"),
    ([0xFF, 0x0A], 0, "a JPEG XL image"),
    (Array("JXL ".utf8), 4, "a JPEG XL image"),
    ([0x89, 0x48, 0x44, 0x46], 0, "an HDF5 file"),
    ([0x1F, 0x8B], 0, "gzip data"),
    (Array("PK\u{3}\u{4}".utf8), 0, "a zip archive"),
    (Array("%PDF".utf8), 0, "a PDF document"),
  ]

  /// - Parameter bytes: the file's beginning, at least one byte.
  init(sniffing bytes: some Collection<UInt8>) {
    let head = Array(bytes.prefix(Self.length))
    if head.starts(with: Self.pngSignature) {
      self = .image(.png)
    } else if head.starts(with: Self.jpegSignature) {
      self = .image(.jpeg)
    } else if Self.pngSignature.starts(with: head) {
      self = .partOfSignature(.png)
    } else if Self.jpegSignature.starts(with: head) {
      self = .partOfSignature(.jpeg)
    } else if let known = Self.others.first(where: {
      head.dropFirst($0.offset).starts(with: $0.bytes)
    }) {
      self = .other(known.name)
    } else {
      self = .other(Self.describeText(head))
    }
  }

  fileprivate static func describeText(_ head: [UInt8]) -> String {
    guard head.allSatisfy({ $0 >= 32 || (9...13).contains($0) }) else { return "unknown content" }
    let text = String(decoding: head, as: UTF8.self).lowercased()
      .drop { $0.isWhitespace || $0 == "\u{FEFF}" }
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") { return "an HTML page" }
    if text.hasPrefix("<svg") { return "an SVG image" }
    if text.hasPrefix("<?xml") { return "an XML document" }
    if text.hasPrefix("version https://git-lfs") { return "a Git LFS pointer (run git lfs pull)" }
    return "text"
  }
}
