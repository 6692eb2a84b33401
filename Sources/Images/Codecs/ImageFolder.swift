// Images of one folder, whatever the names that a list gives for them.

import DurableFiles
import Platform

/// A folder whose images are named by somebody else: no name leads out of it.
package final class ImageFolder: Sendable {
  private let folder: ConfinedFolder

  package var path: String { folder.path }

  /// Opens a folder; the path itself may be a link.
  ///
  /// - Parameter followsLinks: whether links in the folder may point out of it.
  /// - Throws: `.missing`, `.unreadable`.
  package init(_ path: String, followsLinks: Bool = false) throws(ImageError) {
    do throws(DurableFileError) {
      folder = try ConfinedFolder(path, followsLinks: followsLinks)
    } catch {
      if case .failed(_, _, let code) = error, code != ENOENT {
        throw .unreadable(path: path, operation: "open", errno: code)
      }
      throw .missing(path: path)
    }
  }

  /// All bytes of an image file, checked as `ImageDecoder.bytes(of:)` does.
  ///
  /// - Parameter name: relative to the folder; may have folders in it.
  /// - Throws: `ImageError`; `.outsideFolder` and `.linkLeadsOut` for what is not in the folder.
  package func bytes(
    of name: String, limits: ImageLimits = .standard
  ) throws(ImageError) -> [UInt8] {
    try ImageFile.read(try open(name), limits: limits)
  }

  /// Length of a file in bytes; nil where it cannot be opened.
  package func fileSize(of name: String) -> Int? { folder.fileSize(of: name) }

  /// The path of an image, for messages.
  package func path(of name: String) -> String { folder.path(of: name) }

  private func open(_ name: String) throws(ImageError) -> OpenFile {
    do throws(ConfinementError) {
      return try folder.open(name)
    } catch {
      switch error {
      case .nameLeadsOut: throw .outsideFolder(path: path, name: name)
      case .linkLeadsOut: throw .linkLeadsOut(path: path(of: name), folder: path)
      case .file(let error): throw ImageError(reading: error)
      }
    }
  }
}
