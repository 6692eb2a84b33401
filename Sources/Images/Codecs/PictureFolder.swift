// Pictures of one folder, whatever the names that a list gives for them.

import CBeneath
import Glibc

/// A folder whose pictures are named by somebody else: no name leads out of it.
package final class PictureFolder: Sendable {
  package let path: String
  private let descriptor: Int32
  private let followsLinks: Bool

  /// Opens a folder; the path itself may be a link.
  ///
  /// - Parameter followsLinks: whether links in the folder may point out of it.
  /// - Throws: `.missing`, `.unreadable`.
  package init(_ path: String, followsLinks: Bool = false) throws(ImageError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw errno == ENOENT
        ? .missing(path: path) : .unreadable(path: path, operation: "open", errno: errno)
    }
    self.path = path
    self.descriptor = descriptor
    self.followsLinks = followsLinks
  }

  deinit { close(descriptor) }

  /// All bytes of a picture file, checked as `ImageDecoder.bytes(of:)` does.
  ///
  /// - Parameter name: relative to the folder; may have folders in it.
  /// - Throws: `ImageError`; `.outsideFolder` for names that lead out.
  package func bytes(
    of name: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> [UInt8] {
    try PictureFile.read(try open(name), path: path(of: name), limits: limits)
  }

  /// Length of a file in bytes; nil where it cannot be opened.
  package func fileSize(of name: String) -> Int? {
    guard let descriptor = try? open(name) else { return nil }
    defer { close(descriptor) }
    var status = stat()
    return fstat(descriptor, &status) == 0 ? Int(status.st_size) : nil
  }

  /// The path of a picture, for messages.
  package func path(of name: String) -> String { "\(path)/\(name)" }

  private func open(_ name: String) throws(ImageError) -> Int32 {
    guard Self.staysInside(name) else { throw .outsideFolder(path: path, name: name) }
    let opened =
      followsLinks
      ? openat(descriptor, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
      : beneath_open(descriptor, name)
    guard opened < 0 else { return opened }
    switch errno {
    case ENOENT, ENOTDIR: throw .missing(path: path(of: name))
    case EXDEV: throw .outsideFolder(path: path, name: name)
    default: throw .unreadable(path: path(of: name), operation: "open", errno: errno)
    }
  }

  /// Whether the name by itself stays in the folder: relative, no `..`, nothing that ends a C string.
  package static func staysInside(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count < 4096 && !name.utf8.contains(0) && !name.hasPrefix("/")
      && !name.split(separator: "/").contains("..")
  }
}
