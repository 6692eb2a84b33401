// Files that appear under their name only when they are complete and on the disk.

import Platform

/// Writes aside, syncs and renames: a reader sees the old file or the new one, never a part.
package enum DurableFile {
  /// Path for unfinished work beside `path`: `<path>.tmp-<pid>-<random>`.
  package static func temporaryPath(for path: String) -> String {
    let random = String(UInt32.random(in: 0 ... .max) | 0x1000_0000, radix: 16)
    return "\(withoutTrailingSlashes(path)).tmp-\(getpid())-\(random)"
  }

  /// Syncs `temporary`, renames it to `path` and syncs the folder.
  ///
  /// `temporary` is removed when this throws.
  package static func publish(
    _ temporary: String, as path: String
  ) throws(DurableFileError) {
    do {
      try sync(temporary)
      try rename(temporary, to: path)
    } catch {
      removeUnfinished(temporary)
      try FolderLock.check(path)  // rather than that something in it is missing
      throw error
    }
  }

  /// Writes the bytes aside and publishes them.
  package static func write(_ bytes: [UInt8], to path: String) throws(DurableFileError) {
    var file = try UnfinishedFile(for: path)
    try file.write(bytes)
    try file.publish()
  }

  /// Reads a whole regular file.
  ///
  /// - Parameter limit: bytes; a larger file throws `tooLarge` before anything is allocated.
  package static func read(
    _ path: String, atMost limit: Int = 1 << 32
  ) throws(DurableFileError) -> [UInt8] {
    try OpenFile(reading: path).contents(atMost: limit)
  }

  /// Whether a slash stands in a name, as the system sees it: to Swift, one with an accent behind it
  /// is another character.
  package static func hasSlash(_ name: String) -> Bool { name.utf8.contains(UInt8(ascii: "/")) }

  /// The folder that holds `path`.
  package static func folder(of path: String) -> String {
    let path = withoutTrailingSlashes(path)
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  static func withoutTrailingSlashes(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
  }

  /// Renames and syncs the folder that holds the new name.
  ///
  /// A device, a pipe or a socket at `new` is left alone: `/dev/full` is no name for a file.
  ///
  /// - Throws: `replaced` where a folder above `new` is not the one that was locked any more.
  static func rename(_ old: String, to new: String) throws(DurableFileError) {
    try FolderLock.check(new)
    var status = stat()
    if lstat(withoutTrailingSlashes(new), &status) == 0,
      ![S_IFREG, S_IFDIR, S_IFLNK].contains(status.st_mode & S_IFMT)
    {
      throw .cannotCreate(path: new, errno: EEXIST)
    }
    guard Platform.rename(old, withoutTrailingSlashes(new)) == 0 else {
      throw .creating(new, operation: "rename", errno: errno)
    }
    do {
      try sync(folder(of: new))
    } catch {
      try FolderLock.check(new)
      throw error
    }
  }

  /// Syncs a file or a folder.
  static func sync(_ path: String) throws(DurableFileError) {
    let descriptor = uninterrupted { open(path, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw .failed(operation: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    guard uninterrupted({ synchronize(descriptor) }) == 0 else {
      // A file system that cannot sync a folder.
      if [EINVAL, ENOSYS, EOPNOTSUPP].contains(errno), isFolder(path) { return }
      throw .failed(operation: "fsync", path: path, errno: errno)
    }
  }
}
