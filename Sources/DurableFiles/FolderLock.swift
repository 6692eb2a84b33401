// One process at a time in a folder.

import Glibc

/// Exclusive `flock` on `<folder>/.lock`, held until the value is gone or the process ends.
///
/// A folder that was made for the lock and in which nothing was put goes with it.
package final class FolderLock: Sendable {
  package let folder: String
  private let descriptor: Int32
  /// The folders that were made, the innermost first.
  private let made: [String]

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
    try DurableFile.createFolder(folder)
    let path = "\(folder)/.lock"
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o666)
    guard descriptor >= 0 else { throw .creating(path, operation: "open", errno: errno) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      if code == EINTR { continue }
      close(descriptor)
      throw code == EWOULDBLOCK
        ? .busy(path: folder) : .failed(operation: "flock", path: path, errno: code)
    }
    self.folder = folder
    self.descriptor = descriptor
    made = missing
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
