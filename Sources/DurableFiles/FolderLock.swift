// One process at a time in a folder.

import Glibc
import Synchronization

/// Exclusive `flock` on `<folder>/.lock`, held until the value is gone or the process ends.
package final class FolderLock: Sendable {
  package let folder: String
  private let descriptor: Int32

  /// Told of a folder whose file system has no locks: nothing keeps a second process out.
  package static let withoutLocks = Mutex<@Sendable (_ folder: String) -> Void>({ _ in })

  /// Takes the lock, making the folder when it is missing.
  ///
  /// - Throws: `busy` at once when another process holds it.
  package init(folder: String) throws(DurableFileError) {
    try DurableFile.createFolder(folder)
    let path = "\(folder)/.lock"
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
    self.folder = folder
    self.descriptor = descriptor
  }

  deinit {
    flock(descriptor, LOCK_UN)  // also for a child process that still has a copy
    close(descriptor)
  }
}
