// The folder that a command fills, and the single file that it adds.

import DurableFiles
import Platform

/// A folder that this process alone works in, checked before any work is done.
package struct OutputFolder: Sendable {
  package let path: String
  private let lock: FolderLock
  private let isResult: @Sendable (_ name: String) -> Bool

  /// Makes the folder, locks it and removes what dead processes left unfinished in it.
  ///
  /// - Throws: `cannotCreate` (exit code 73) or `busy` (75).
  package init(_ path: String) throws(DurableFileError) {
    try self.init(path, results: { _ in false })
  }

  private init(
    _ path: String, results isResult: @escaping @Sendable (_ name: String) -> Bool
  ) throws(DurableFileError) {
    (self.path, self.isResult) = (path, isResult)
    lock = try FolderLock(folder: path)
    DurableFile.removeAbandoned(in: path)
  }

  /// The same for a folder without results of an earlier run: old and new ones would mix.
  ///
  /// - Parameter isResult: whether a file of this name is a result of the command.
  /// - Throws: `CommandError` (73), `DurableFileError`.
  package init(
    _ path: String, refusing isResult: @escaping @Sendable (_ name: String) -> Bool
  ) throws {
    try self.init(path, results: isResult)
    if let name = try DurableFile.list(path).first(where: isResult) {
      throw CommandError(
        .cannotCreate,
        "\(path): holds \(name), of an earlier run or of another program, and it is not "
          + "overwritten; choose another --out")
    }
  }

  /// Whether a result of the command is in it by now.
  package var hasResults: Bool { DurableFile.names(in: path).contains(where: isResult) }

  /// The path of `name` in the folder.
  package func callAsFunction(_ name: String) -> String {
    path.hasSuffix("/") ? path + name : "\(path)/\(name)"
  }
}

/// A file, or folder, that must not be there yet.
package enum OutputFile {
  /// Also watches the folder that it is to be in, to the end of the process.
  ///
  /// - Throws: `CommandError` for what exists, `DurableFileError` for a missing folder; both lead
  ///   to exit code 73.
  package static func requireNew(_ path: String) throws {
    guard !DurableFile.exists(path) else {
      throw CommandError(
        .cannotCreate, "\(path): exists already; remove it or choose another name")
    }
    try watchFolder(of: path)
  }

  /// Sees to it that nothing gets a name in another folder than the one that is there now.
  ///
  /// - Throws: `cannotCreate` where there is none, and where nothing may be made in it: better now
  ///   than when the work is done.
  package static func watchFolder(of path: String) throws(DurableFileError) {
    let folder = DurableFile.folder(of: path)
    guard DurableFile.isFolder(folder) else { throw .cannotCreate(path: path, errno: ENOENT) }
    if faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0,
      [EACCES, EPERM, EROFS].contains(errno)
    {
      throw .cannotCreate(path: path, errno: errno)
    }
    try FolderLock.watch(folder)
  }
}
