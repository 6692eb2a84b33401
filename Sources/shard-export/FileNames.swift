import DurableFiles

/// Names of files by the names of rows: paths that stay in their folder, each once.
struct FileNames: Sendable {
  /// By every name that is taken, the number to try next behind it.
  private var next: [String: Int] = [:]

  /// Endings of the files that rows are made of.
  private static let endings: Set<String> = [
    "png", "apng", "jpg", "jpeg", "jpe", "jfif", "webp", "gif", "bmp", "tif", "tiff", "avif",
    "heic", "heif",
  ]
  /// Bytes of a name at most: file systems take 255, and an ending comes behind.
  private static let maxBytes = 200
  /// Names of a path at most.
  private static let maxDepth = 8

  /// The file of a row, without its ending: the row's name without that of its source file, or its
  /// number.
  ///
  /// What has another row's name gets a number behind it.
  mutating func file(for name: String, id: Int64) -> String {
    let parts = name.utf8.split(separator: UInt8(ascii: "/")).map {
      String(decoding: $0, as: UTF8.self)
    }.filter { !$0.isEmpty && $0 != "." }.suffix(Self.maxDepth)
    let file: String
    if let last = parts.last, name != "\(id)" {
      let folders = parts.dropLast().map { Self.component($0, isFolder: true) }
      file = (folders + [Self.component(Self.stem(of: last), isFolder: false)])
        .joined(separator: "/")
    } else {
      file = id < 0 ? "\(id)" : id.padded(8)
    }
    var (unique, number) = (file, next[file] ?? 2)
    while next[unique] != nil {
      unique = "\(file)-\(number)"
      number += 1
    }
    next[file] = number
    next[unique] = next[unique] ?? 2
    return unique
  }

  private static func stem(of name: String) -> String {
    guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot != name.startIndex,
      endings.contains(name[name.utf8.index(after: dot)...].lowercased())
    else { return name }
    return String(name[..<dot])
  }

  /// A name of a file or folder that means nothing else in a path, hides nothing and steers no
  /// terminal; the end of what is too long.
  ///
  /// - Parameter isFolder: such a one never looks like one of the images.
  static func component(_ name: String, isFolder: Bool) -> String {
    var safe = String(
      String.UnicodeScalarView(
        name.unicodeScalars.map { scalar in
          ["/", "\\"].contains(scalar) || scalar.isControl ? "-" : scalar
        }))
    if safe.utf8.count > maxBytes {
      // From the first whole character on.
      safe = String(
        decoding: safe.utf8.suffix(maxBytes).drop { $0 & 0xC0 == 0x80 }, as: UTF8.self)
    }
    if safe.isEmpty || safe.utf8.first == UInt8(ascii: ".") { safe = "_" + safe }
    return isFolder && safe.lowercased().hasSuffix(".png") ? safe + "_" : safe
  }
}

extension Unicode.Scalar {
  fileprivate var isControl: Bool {
    [.control, .lineSeparator, .paragraphSeparator].contains(properties.generalCategory)
  }
}
