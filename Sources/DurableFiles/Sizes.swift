// How large files are, and how much room a disk has left.

import Platform

extension DurableFile {
  /// Bytes that may still be written below `path`, which need not exist yet; nil where the system
  /// does not tell.
  package static func freeBytes(at path: String) -> Int? {
    var position = withoutTrailingSlashes(path)
    while !exists(position), position != "/", position != "." { position = folder(of: position) }
    var status = statvfs()
    guard statvfs(position, &status) == 0 else { return nil }
    let (bytes, overflow) = UInt64(status.f_bavail).multipliedReportingOverflow(
      by: UInt64(status.f_frsize))
    return overflow ? Int.max : Int(clamping: bytes)
  }
}

extension DurableFile {
  /// Length of a file in bytes, links followed; nil where there is none.
  package static func byteCount(of path: String) -> Int? {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : nil
  }

  /// Whether there is a link at `path`, wherever it leads.
  package static func isLink(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
  }

  /// Whether `path` is a folder itself, not a link to one.
  package static func isRealFolder(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }
}
