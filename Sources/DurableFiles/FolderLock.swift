// One process at a time in a folder.

import Platform
import Synchronization

/// Exclusive `flock` on `<folder>/.lock`, held until the value is gone or the process ends.
///
/// A folder that was made for the lock and in which nothing was put goes with it.
package final class FolderLock: Sendable {
  package let folder: String
  private let descriptor: Int32
  /// The folders that were made, the innermost first.
  private let made: [String]

  /// Told of a folder whose file system has no locks: nothing keeps a second process out.
  package static let withoutLocks = Mutex<@Sendable (_ folder: String) -> Void>({ _ in })

  /// Takes the lock, making the folder when it is missing.
  ///
  /// - Throws: `busy` at once when another process holds it.
  package init(folder: String) throws(DurableFileError) {
    var missing: [String] = []
    var position = folder
    while !DurableFile.exists(position) {
      missing.append(position)
      position = DurableFile.folder(of: position)
    }
    var descriptor: Int32?
    while descriptor == nil {
      try DurableFile.createFolder(folder)
      descriptor = try Self.lock("\(folder)/.lock", of: folder)
    }
    self.folder = folder
    self.descriptor = descriptor ?? -1
    made = missing
  }

  /// - Returns: nil where the file's holder has just removed it, with its folder.
  private static func lock(_ path: String, of folder: String) throws(DurableFileError) -> Int32? {
    let descriptor = uninterrupted {
      open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
    }
    guard descriptor >= 0 else { throw .creating(path, operation: "open", errno: errno) }
    if uninterrupted({ flock(descriptor, LOCK_EX | LOCK_NB) }) != 0 {
      let code = errno
      guard [ENOLCK, ENOSYS, EOPNOTSUPP].contains(code) else {
        close(descriptor)
        throw code == EWOULDBLOCK
          ? .busy(path: folder) : .failed(operation: "flock", path: path, errno: code)
      }
      Self.withoutLocks.withLock { $0(folder) }
    }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_nlink > 0 else {
      close(descriptor)
      return nil
    }
    return descriptor
  }

  deinit {
    if !made.isEmpty, (try? DurableFile.list(folder)) == [".lock"] {
      unlink("\(folder)/.lock")
      for folder in made where rmdir(folder) != 0 { break }
    }
    flock(descriptor, LOCK_UN)  // also for a child process that still has a copy
    close(descriptor)
  }
}
