// A file on its way to its final name.

import Checksums
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
  /// Of what was written.
  private var count = 0
  private var checksum: UInt32 = 0

  /// Begins a file.
  ///
  /// - Throws: `replaced`; `cannotCreate`, also where there is something at `path` that a file must
  ///   not replace: a folder, a device, a pipe.
  package init(for path: String) throws(DurableFileError) {
    finalPath = path
    temporaryPath = DurableFile.temporaryPath(for: path)
    do {
      try FolderLock.check(path)
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
    if !published { DurableFile.removeUnfinished(temporaryPath) }
  }

  package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(DurableFileError) {
    try file.write(bytes)
    count += bytes.count
    checksum = crc32c(bytes, continuing: checksum)
  }

  package mutating func write(_ bytes: [UInt8]) throws(DurableFileError) {
    try bytes.withUnsafeBufferPointer { bytes throws(DurableFileError) in
      try write(UnsafeRawBufferPointer(bytes))
    }
  }

  /// Syncs, closes, reads back and renames; nothing can be written afterwards.
  ///
  /// - Throws: `failed` with `EIO` also where the file does not hold what was written; `replaced`.
  package mutating func publish() throws(DurableFileError) {
    do {
      try file.sync()
      try file.close()
      try readBack()
      try DurableFile.rename(temporaryPath, to: finalPath)
    } catch {
      try FolderLock.check(finalPath)  // rather than that something in it is missing
      throw error
    }
    published = true
  }

  private func readBack() throws(DurableFileError) {
    let file = try OpenFile(reading: temporaryPath)
    var (found, sum) = (0, UInt32(0))
    while true {
      let bytes = try file.bytes(found..<found + 1 << 20)
      if bytes.isEmpty { break }
      found += bytes.count
      sum = bytes.withUnsafeBytes { crc32c($0, continuing: sum) }
    }
    guard found == count, sum == checksum else {
      throw .failed(operation: "reading back", path: finalPath, errno: EIO)
    }
  }
}
