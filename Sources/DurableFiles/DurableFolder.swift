// Folders: making, publishing, and sweeping up after processes that died.

import Platform

extension DurableFile {
  /// Creates a folder and its missing parents; one that exists is fine.
  package static func createFolder(_ path: String) throws(DurableFileError) {
    try FolderLock.check(path)
    if isFolder(path) { return }
    let path = withoutTrailingSlashes(path)
    let parent = folder(of: path)
    if parent != path, !isFolder(parent) { try createFolder(parent) }
    if mkdir(path, 0o777) == 0 {
      do throws(DurableFileError) {
        return try FolderLock.holdMade(path)
      } catch {
        rmdir(path)  // one that is there and not held on to looks like somebody else's
        throw error
      }
    }
    guard errno == EEXIST && isFolder(path) else {
      throw .creating(path, operation: "mkdir", errno: errno)
    }
  }

  /// Publishes a finished folder: syncs what is in it, renames it, syncs its parent.
  ///
  /// `temporary` is removed when this throws. A folder at `path` is replaced only if it is empty.
  package static func publishFolder(
    _ temporary: String, as path: String
  ) throws(DurableFileError) {
    do {
      try syncTree(temporary)
      try rename(temporary, to: path)
    } catch {
      removeUnfinished(temporary)
      try FolderLock.check(path)  // rather than that something in it is missing
      throw error
    }
  }

  /// Publishes a finished folder in the position of what may be at `path`.
  ///
  /// Between two renames there is nothing at `path`; a process that dies there leaves both folders
  /// under temporary names.
  package static func publishFolder(
    _ temporary: String, replacing path: String
  ) throws(DurableFileError) {
    guard exists(path) else { return try publishFolder(temporary, as: path) }
    let old = temporaryPath(for: path)
    do {
      try syncTree(temporary)
      try rename(path, to: old)
    } catch {
      removeUnfinished(temporary)
      try FolderLock.check(path)
      throw error
    }
    do {
      try publishFolder(temporary, as: path)
    } catch {
      try? rename(old, to: path)
      throw error
    }
    remove(old)
  }

  /// Removes a folder that stands under its final name.
  ///
  /// It is renamed first: what a process that dies leaves of it has a temporary name. Where that
  /// fails it stays, whole.
  package static func removePublished(_ path: String) {
    let temporary = temporaryPath(for: path)
    guard (try? FolderLock.check(path)) != nil, Platform.rename(path, temporary) == 0
    else { return }
    try? sync(folder(of: path))
    remove(temporary)
  }

  /// Gives what lies at `path` another name, unless it is a file of these bytes.
  ///
  /// - Returns: the new name; nil where nothing was moved.
  package static func putAside(
    _ path: String, unless bytes: [UInt8]
  ) throws(DurableFileError) -> String? {
    guard exists(path), (try? read(path, atMost: bytes.count)) != bytes else { return nil }
    var number = 1
    while exists("\(path).old-\(number)") { number += 1 }
    try rename(path, to: "\(path).old-\(number)")
    return "\(path).old-\(number)"
  }

  /// Makes a symbolic link, in one step also when it replaces another.
  ///
  /// Where the file system has no links, there is none afterwards.
  ///
  /// - Parameter target: relative to the link's folder.
  package static func link(to target: String, at path: String) throws(DurableFileError) {
    try FolderLock.check(path)
    let temporary = temporaryPath(for: path)
    guard symlink(target, temporary) == 0 else {
      guard [EPERM, ENOSYS, EOPNOTSUPP].contains(errno) else {
        throw .creating(path, operation: "symlink", errno: errno)
      }
      return remove(path)
    }
    do {
      try rename(temporary, to: path)
    } catch {
      removeUnfinished(temporary)
      throw error
    }
  }

  /// Removes what this process has not finished, also in a folder that was moved meanwhile, if that
  /// is locked or watched.
  package static func removeUnfinished(_ temporary: String) {
    remove(temporary)
    FolderLock.removeMoved(temporary)
  }

  /// Removes the `*.tmp-<pid>-*` that dead processes have left in `folder`.
  ///
  /// Call it with the folder's lock held. What cannot be removed stays: it disturbs nobody.
  package static func removeAbandoned(in folder: String) {
    for name in names(in: folder) {
      guard let pid = writer(ofTemporary: name) else { continue }
      if !isRunning(pid) { remove("\(folder)/\(name)") }
    }
  }

  /// Removes a file or a whole folder; links in it are removed, not followed.
  package static func remove(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      unlink(path)
      return
    }
    for name in names(in: path) { remove("\(path)/\(name)") }
    rmdir(path)
  }

  /// Whether `path` is a folder, or a link to one.
  package static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return !holdsNUL(path) && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether there is anything at `path`.
  package static func exists(_ path: String) -> Bool {
    var status = stat()
    return !holdsNUL(path) && lstat(path, &status) == 0
  }

  /// Whether `path` is a regular file, or a link to one.
  package static func isFile(_ path: String) -> Bool {
    var status = stat()
    return !holdsNUL(path) && stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
  }

  /// Whether C would take the beginning of `path` for all of it: such a path is that of no file.
  static func holdsNUL(_ path: String) -> Bool { path.utf8.contains(0) }

  /// The names in a folder, sorted by their bytes; none if it cannot be read.
  package static func names(in folder: String) -> [String] {
    (try? list(folder)) ?? []
  }

  /// The names in a folder, sorted by their bytes; no file is looked at.
  ///
  /// - Throws: `failed` where the folder cannot be read.
  package static func list(_ folder: String) throws(DurableFileError) -> [String] {
    var opened = opendir(folder)
    while opened == nil, errno == EINTR { opened = opendir(folder) }
    guard let stream = opened else {
      throw .failed(operation: "open", path: folder, errno: errno)
    }
    defer { closedir(stream) }
    let names = names { readdir(stream) }
    guard errno == 0 else { throw .failed(operation: "read", path: folder, errno: errno) }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// The names of entries until there is none; `errno` is 0 unless that is a failure.
  private static func names(_ next: () -> UnsafeMutablePointer<dirent>?) -> [String] {
    var names: [String] = []
    errno = 0
    while let entry = next() {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    return names
  }

  /// Removes a file or a whole folder by its name in an open folder, wherever that is by now.
  static func remove(_ name: String, in directory: Int32) {
    let inner = uninterrupted {
      openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    }
    guard inner >= 0 else {
      unlinkat(directory, name, 0)
      return
    }
    guard let stream = fdopendir(inner) else {
      close(inner)
      return
    }
    for name in names({ readdir(stream) }) { remove(name, in: inner) }
    closedir(stream)
    unlinkat(directory, name, AT_REMOVEDIR)
  }

  /// The process that wrote `<name>.tmp-<pid>-<random>`; nil for other names.
  private static func writer(ofTemporary name: String) -> pid_t? {
    let parts = name.split(separator: ".tmp-", omittingEmptySubsequences: false)
    guard parts.count >= 2, let tail = parts.last?.split(separator: "-"), tail.count == 2,
      tail[1].count == 8, UInt32(tail[1], radix: 16) != nil, let pid = pid_t(tail[0]), pid > 0
    else { return nil }
    return pid
  }

  private static func syncTree(_ path: String) throws(DurableFileError) {
    for name in try list(path) {
      let child = "\(path)/\(name)"
      var status = stat()
      guard lstat(child, &status) == 0 else {
        throw .failed(operation: "stat", path: child, errno: errno)
      }
      switch status.st_mode & S_IFMT {
      case S_IFDIR: try syncTree(child)
      case S_IFREG: try sync(child)
      default: break  // a link is part of its folder
      }
    }
    try sync(path)
  }
}
