import DurableFiles

/// The files below a folder, told apart by their names; what is in them is seen when they are read.
struct ImageListing {
  /// Names of images relative to the folder, sorted by their bytes.
  private(set) var images: [String] = []
  /// Names of other files, sorted; hidden ones are in neither list.
  private(set) var ignored: [String] = []
  /// Folders whose images are not in the list, and why; sorted by name.
  private(set) var unread: [(name: String, reason: String)] = []

  /// Endings of images, also of forms that are not read: those are reported, not passed over.
  private static let endings: Set<String> = [
    "jpg", "jpeg", "jpe", "jfif", "png", "apng", "webp", "gif", "bmp", "tif", "tiff", "avif",
    "heic", "heif", "jxl",
  ]

  /// Lists a folder and the folders in it.
  ///
  /// - Parameter followsLinks: whether links to folders are followed. Each folder is listed once,
  ///   under its own name where it is below the first one, so that no loop is endless.
  init(of folder: String, followsLinks: Bool) {
    var listed: Set<String> = []
    var folders = [""]
    var links: [String] = []  // to folders, followed when all others are listed
    var passed: [String] = []  // those that are not followed
    while !folders.isEmpty || !links.isEmpty {
      let prefix = folders.popLast() ?? links.removeFirst()
      let base = prefix.isEmpty ? folder : "\(folder)/\(prefix)"
      guard listed.insert(DurableFile.realPath(base) ?? base).inserted else { continue }
      let names: [String]
      do throws(DurableFileError) {
        names = try DurableFile.list(base)
      } catch {
        unread.append((prefix.isEmpty ? "." : prefix, "\(error)"))
        continue
      }
      for name in names where !name.hasPrefix(".") {
        let whole = prefix.isEmpty ? name : "\(prefix)/\(name)"
        let path = "\(folder)/\(whole)"
        if DurableFile.isRealFolder(path) {
          folders.append(whole)
        } else if followsLinks || !Self.isImage(name), DurableFile.isFolder(path) {
          if followsLinks { links.append(whole) } else { passed.append(whole) }
        } else if name.contains("\u{FFFD}"), !name.contains("."), !DurableFile.exists(path) {
          unread.append((whole, "\(path): its name is not UTF-8; rename it"))  // perhaps a folder
        } else if Self.isImage(name) {
          images.append(whole)
        } else {
          ignored.append(whole)
        }
      }
    }
    for name in passed {
      let path = "\(folder)/\(name)"
      if let target = DurableFile.realPath(path), listed.contains(target) { continue }
      unread.append(
        (name, "\(path): a link to a folder (--follow-symlinks reads the images in it)"))
    }
    images.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    ignored.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    unread.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
  }

  /// The folders that were not read, to be skipped and counted like images.
  ///
  /// - Parameter prefix: of their names in the report.
  func unreadFolders(prefix: String = "") -> [PlannedImage] {
    unread.map {
      PlannedImage(id: -1, name: "\(prefix)\($0.name)/", fault: InvalidImage($0.reason))
    }
  }

  private static func isImage(_ name: String) -> Bool {
    guard let dot = name.lastIndex(of: ".") else { return false }
    return endings.contains(name[name.index(after: dot)...].lowercased())
  }
}
