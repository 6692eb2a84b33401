// Why a file could not be written or read.

import Platform

/// Why a file or folder could not be created, written or read.
package enum DurableFileError: Error, Equatable {
  /// The path cannot be made at all: no permission, no parent, something else of that name.
  case cannotCreate(path: String, errno: Int32)
  /// A system call failed on the way.
  case failed(operation: String, path: String, errno: Int32)
  /// Another process holds the folder's lock.
  case busy(path: String)
  /// A folder that this process has locked is gone, or there is another one at its path.
  case replaced(path: String)
  /// The path is a folder, a pipe or a device where a file is expected.
  case notAFile(path: String, found: String)
  /// The file is larger than the caller can use.
  case tooLarge(path: String, bytes: Int, limit: Int)
}

extension DurableFileError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .cannotCreate(let path, let errno):
      "\(path): cannot be created (\(Self.reason(errno)))"
    case .failed(let operation, let path, let errno):
      "\(path): \(operation) failed (\(Self.reason(errno)))"
    case .busy(let path):
      "\(path): in use by another process; wait until it has ended or choose another folder"
    case .replaced(let path):
      "\(path): not the folder any more that this command works in: it was removed, moved or "
        + "replaced meanwhile; nothing was written to what is there now"
    case .notAFile(let path, _):
      "\(path): not a regular file"
    case .tooLarge(let path, let bytes, let limit):
      "\(path): \(bytes) bytes, at most \(limit) are expected here"
    }
  }

  private static func reason(_ errno: Int32) -> String { String(cString: strerror(errno)) }
}

extension DurableFileError {
  /// Sorts a failure to make `path` into "its folder is another one", "cannot be made here" and "the
  /// disk failed or is full".
  package static func creating(_ path: String, operation: String, errno code: Int32) -> Self {
    do throws(DurableFileError) {
      try FolderLock.check(path)
    } catch {
      return error
    }
    return of(code, operation: operation, path: path)
  }

  /// What an error number says about making or opening a path.
  static func of(_ code: Int32, operation: String, path: String) -> Self {
    switch code {
    case EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, EEXIST, ENOTEMPTY, ELOOP, ENAMETOOLONG,
      EINVAL, ENXIO, ETXTBSY, EXDEV:
      .cannotCreate(path: path, errno: code)
    default:
      .failed(operation: operation, path: path, errno: code)
    }
  }
}
