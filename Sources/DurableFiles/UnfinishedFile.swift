// A file on its way to its final name.

import Glibc

/// A file that is written beside its final name piece by piece, then published or forgotten.
///
/// When it goes out of scope unpublished, nothing of it is left.
package struct UnfinishedFile: ~Copyable {
  /// The name that the file gets when it is published.
  package let finalPath: String
  package let temporaryPath: String
  private var file: OpenFile
  private var published = false

  package init(for path: String) throws(DurableFileError) {
    finalPath = path
    temporaryPath = DurableFile.temporaryPath(for: path)
    do {
      file = try OpenFile(creating: temporaryPath)
    } catch .cannotCreate(_, let code) {
      throw .cannotCreate(path: path, errno: code)
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
