// The folder that a command fills.

import DurableFiles

/// A folder that this process alone works in, checked before any work is done.
package struct OutputFolder: Sendable {
  package let path: String
  private let lock: FolderLock

  /// Makes the folder, locks it and removes what dead processes left unfinished in it.
  ///
  /// - Throws: `cannotCreate` (exit code 73) or `busy` (75).
  package init(_ path: String) throws(DurableFileError) {
    self.path = path
    lock = try FolderLock(folder: path)
    DurableFile.removeAbandoned(in: path)
  }

  /// The path of `name` in the folder.
  package func callAsFunction(_ name: String) -> String {
    path.hasSuffix("/") ? path + name : "\(path)/\(name)"
  }
}
