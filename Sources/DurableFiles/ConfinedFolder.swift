// Files of one folder, whatever the names that a list or a data set gives for them.

import CBeneath
import Platform

/// A folder whose files are named by somebody else: no name and no link leads out of it.
package final class ConfinedFolder: Sendable {
  package let path: String
  private let descriptor: Int32
  private let followsLinks: Bool

  /// Opens a folder; the path itself may be a link.
  ///
  /// - Parameter followsLinks: whether links in the folder may point out of it.
  /// - Throws: `failed("open")`.
  package init(_ path: String, followsLinks: Bool = false) throws(DurableFileError) {
    let descriptor = uninterrupted { Platform.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw .failed(operation: "open", path: path, errno: errno) }
    self.path = path
    self.descriptor = descriptor
    self.followsLinks = followsLinks
  }

  deinit { close(descriptor) }

  /// The path of a file, for messages.
  package func path(of name: String) -> String { "\(path)/\(name)" }

  /// Opens a regular file for reading; a pipe is refused without waiting for its writer.
  ///
  /// - Parameter name: relative to the folder; may have folders in it.
  package func open(_ name: String) throws(ConfinementError) -> OpenFile {
    guard Self.staysInside(name) else { throw .nameLeadsOut }
    let opened = uninterrupted {
      followsLinks
        ? openat(descriptor, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY)
        : beneath_open(descriptor, name)
    }
    guard opened >= 0 else {
      throw errno == EXDEV
        ? .linkLeadsOut : .file(.failed(operation: "open", path: path(of: name), errno: errno))
    }
    do throws(DurableFileError) {
      return try OpenFile(opened, path: path(of: name))
    } catch {
      throw .file(error)
    }
  }

  /// Length of a file in bytes; nil where it cannot be opened.
  package func fileSize(of name: String) -> Int? {
    guard let file = try? open(name) else { return nil }
    return try? file.count
  }

  /// Whether the name by itself stays in a folder: relative, no `..`, nothing that ends a C string.
  private static func staysInside(_ name: String) -> Bool {
    !name.isEmpty && name.utf8.count < 4096 && !name.utf8.contains(0)
      && name.utf8.first != UInt8(ascii: "/")
      && !name.utf8.split(separator: UInt8(ascii: "/")).contains { $0.elementsEqual("..".utf8) }
  }
}

extension DurableFile {
  /// Whether `path`, somewhere below `folder` by its name, is elsewhere because of a link.
  package static func leadsOut(_ path: String, of folder: String) -> Bool {
    guard let path = realPath(path), let root = realPath(folder) else { return false }
    return !path.utf8.starts(with: (root.hasSuffix("/") ? root : root + "/").utf8)
  }

  /// The path without links; nil where there is nothing.
  package static func realPath(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}

/// Why a file of a confined folder was not opened.
package enum ConfinementError: Error, Equatable {
  case nameLeadsOut
  /// A link on the way points out of the folder.
  case linkLeadsOut
  case file(DurableFileError)
}
