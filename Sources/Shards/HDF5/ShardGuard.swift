// Files that libhdf5 must not see before it has survived them elsewhere.

import CShardGuard
import Platform
import Synchronization

/// A look at a file without a seal, in a process of its own.
///
/// libhdf5 1.10 crashes, loops for ever or writes past its memory on some damaged files. Such a
/// file kills the process that looks, and is an error here.
enum ShardGuard {
  /// What became of files that have been looked at, by device, number, size and time of change.
  private static let seen = Mutex<[[Int]: Int]>([:])

  /// - Throws: `crashesLibrary`; `file` where the process cannot be started.
  static func look(at file: RawFile) throws(ShardError) {
    var status = stat()
    guard stat(file.path, &status) == 0 else { throw .missing(path: file.path) }
    let changed = timeOfChange(status)
    let identity = [
      Int(status.st_dev), Int(status.st_ino), Int(status.st_size), changed.tv_sec, changed.tv_nsec,
    ]
    var outcome = seen.withLock { $0[identity] }
    if outcome == nil {
      // A process starts in 50 ms; texts and columns are read at 500 MB/s and more.
      let found = Int(guard_look(file.path, 0.3 + Double(file.count) / 1e8))
      let code = errno
      if found == GUARD_NOT_RUN {
        throw .file(
          .failed(operation: "start a process to look at", path: file.path, errno: code))
      }
      seen.withLock { $0[identity] = found }
      outcome = found
    }
    switch outcome {
    case GUARD_CRASHED: throw .crashesLibrary(path: file.path, how: "crashes")
    case GUARD_ENDLESS: throw .crashesLibrary(path: file.path, how: "loops for ever")
    default: break
    }
  }
}
