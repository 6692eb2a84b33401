import DurableFiles

/// The files below a folder, told apart by their names; what is in them is seen when they are read.
struct ImageListing {
  /// Names of images relative to the folder, sorted by their bytes.
  private(set) var images: [String] = []
  /// Names of other files, sorted; hidden ones are in neither list.
  private(set) var ignored: [String] = []

  /// Endings of images, also of forms that are not read: those are reported, not passed over.
  private static let endings: Set<String> = [
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic",
  ]

  /// Lists a folder and the folders in it; links to folders are not followed.
  init(of folder: String) {
    var waiting = [""]
    while let prefix = waiting.popLast() {
      for name in DurableFile.names(in: prefix.isEmpty ? folder : "\(folder)/\(prefix)")
      where !name.hasPrefix(".") {
        let whole = prefix.isEmpty ? name : "\(prefix)/\(name)"
        if DurableFile.isRealFolder("\(folder)/\(whole)") {
          waiting.append(whole)
        } else if Self.isImage(name) {
          images.append(whole)
        } else {
          ignored.append(whole)
        }
      }
    }
    images.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    ignored.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  private static func isImage(_ name: String) -> Bool {
    guard let dot = name.lastIndex(of: ".") else { return false }
    return endings.contains(name[name.index(after: dot)...].lowercased())
  }
}
