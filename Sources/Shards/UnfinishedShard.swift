import Checksums
import DurableFiles

/// A shard on its way to its final name: what image and code shards have in common.
///
/// The file has a temporary name in the same folder and is removed when it is not published.
final class UnfinishedShard {
  let path: String
  let file: HDF5OutputFile
  private let temporaryPath: String
  private var isPublished = false

  private var ids: [Int64] = []
  private var names: [String] = []
  private var checksums: [UInt32] = []
  private var labels: [(name: String, column: ShardColumn)] = []
  /// The captions and the objects of every row, and the categories; nil where the shard has none.
  var captions: [[String]]?
  var objects: [[ShardObject]]?
  var categories: [ShardCategory]?

  /// Rows so far.
  var count: Int { ids.count }

  init(_ path: String, kind: ShardKind, toolVersion: String) throws(ShardError) {
    self.path = path
    temporaryPath = DurableFile.temporaryPath(for: path)
    try Self.checkFolder(of: path)
    do throws(ShardError) {
      file = try HDF5OutputFile(temporaryPath, for: path)
    } catch {
      DurableFile.removeUnfinished(temporaryPath)  // it may be there, with nothing in it
      throw error
    }
    try file.setAttribute(ShardFormat.Attribute.format, to: kind.rawValue)
    try file.setAttribute(ShardFormat.Attribute.formatVersion, to: ShardFormat.version)
    try file.setAttribute(ShardFormat.Attribute.toolVersion, to: toolVersion)
  }

  deinit {
    if !isPublished { DurableFile.removeUnfinished(temporaryPath) }
  }

  func append(id: Int64, name: String, checksum: UInt32) {
    ids.append(id)
    names.append(name)
    checksums.append(checksum)
  }

  func setLabels(_ name: String, _ column: ShardColumn) {
    precondition(!ShardFormat.reserved.contains(name), "/\(name) is not a label")
    precondition(!labels.contains { $0.name == name }, "the label \(name) is already set")
    labels.append((name, column))
  }

  /// Writes what every row has, closes, reads everything back, and gives the file its name.
  ///
  /// - Parameter open: opens the closed file as its readers will.
  func publish<Reader: ShardReader>(
    open: (_ temporaryPath: String) throws(ShardError) -> Reader
  ) throws(ShardError) -> FinishedShard {
    try file.write(.int64(ids), named: ShardFormat.id)
    try file.write(.string(names), named: ShardFormat.name)
    try file.write(.uint32(checksums), named: ShardFormat.crc32c)
    for (name, column) in labels {
      precondition(column.count == count, "\(name) has \(column.count) values for \(count) rows")
      try file.write(column, named: name)
    }
    try writeLists()
    try file.setAttribute(ShardFormat.Attribute.complete, to: true)
    try file.close()
    let (bytes, sha256) = try readBack(open)
    do throws(DurableFileError) {
      try DurableFile.publish(temporaryPath, as: path)
    } catch {
      throw .file(error)
    }
    isPublished = true
    return FinishedShard(
      path: path, rows: count, bytes: bytes, crc32c: Self.checksum(of: checksums), sha256: sha256)
  }

  /// Seals the closed file and reads all of it.
  ///
  /// - Returns: its length and its SHA-256.
  /// - Throws: `writeFailed` whatever it is that cannot be read: it was written a moment ago, and is
  ///   no input that is damaged.
  private func readBack<Reader: ShardReader>(
    _ open: (_ temporaryPath: String) throws(ShardError) -> Reader
  ) throws(ShardError) -> (bytes: Int, sha256: String) {
    do throws(ShardError) {
      try ShardSeal.append(to: temporaryPath, for: path)
      let reader = try open(temporaryPath)
      guard reader.contents.checksums == checksums else {
        throw .writeFailed(
          path: path, item: "the shard", reason: "other rows came back than were written")
      }
      for row in 0..<count { try reader.check(row) }
      let file = try RawFile(temporaryPath)
      return (file.count, try file.sha256())
    } catch {
      try Self.checkFolder(of: path)  // rather than that the file in it is missing
      if case .writeFailed = error { throw error }
      throw .writeFailed(path: path, item: "the shard", reason: "it does not come back: \(error)")
    }
  }

  /// - Throws: `file(.replaced)` where the folder is not the one that was locked any more.
  private static func checkFolder(of path: String) throws(ShardError) {
    do throws(DurableFileError) {
      try FolderLock.check(path)
    } catch {
      throw .file(error)
    }
  }

  private func writeLists() throws(ShardError) {
    if let captions {
      precondition(captions.count == count, "captions of \(captions.count) rows for \(count)")
      try ShardCaptions.write(captions, to: file)
    }
    if let objects {
      precondition(objects.count == count, "objects of \(objects.count) rows for \(count)")
      try ShardObjects.write(objects, to: file)
    }
    if let categories { try ShardCategories.write(categories, to: file) }
  }

  /// One number for all rows: the CRC-32C of their checksums, little-endian.
  static func checksum(of checksums: [UInt32]) -> UInt32 {
    checksums.map(\.littleEndian).withUnsafeBytes { Checksums.crc32c($0) }
  }
}

/// A shard under its final name.
package struct FinishedShard: Equatable, Sendable {
  package let path: String
  package let rows: Int
  package let bytes: Int
  /// CRC-32C of the rows' checksums.
  package let crc32c: UInt32
  /// SHA-256 of the file, in hexadecimal digits.
  package let sha256: String
}
