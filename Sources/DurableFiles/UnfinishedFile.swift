// A file on its way to its final name.

import Platform

/// A file that is written beside its final name piece by piece, then published or forgotten.
///
/// When it goes out of scope unpublished, nothing of it is left.
package struct UnfinishedFile: ~Copyable {
  /// The name that the file gets when it is published.
  package let finalPath: String
  package let temporaryPath: String
  private var file: OpenFile
  private var published = false

  /// Begins a file.
  ///
  /// - Throws: `cannotCreate`, also where there is something at `path` that a file must not replace: a folder, a device, a pipe.
  package init(for path: String) throws(DurableFileError) {
    finalPath = path
    temporaryPath = DurableFile.temporaryPath(for: path)
    do {
      try Self.checkReplaceable(path)
      file = try OpenFile(creating: temporaryPath)
    } catch .cannotCreate(_, let code) {
      throw .cannotCreate(path: path, errno: code)
    }
  }

  private static func checkReplaceable(_ path: String) throws(DurableFileError) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      throw .cannotCreate(path: path, errno: DurableFile.isFolder(path) ? EISDIR : EEXIST)
    }
  }

  deinit {
    if !published { unlink(temporaryPath) }
  }

  package func write(_ bytes: UnsafeRawBufferPointer) throws(DurableFileError) {
    try file.write(bytes)
  }

  package func write(_ bytes: [UInt8]) throws(DurableFileError) {
    try file.write(bytes)
  }

  /// Syncs, closes and renames; nothing can be written afterwards.
  package mutating func publish() throws(DurableFileError) {
    try file.sync()
    try file.close()
    try DurableFile.rename(temporaryPath, to: finalPath)
    published = true
  }
}
