import Checksums
import DurableFiles
import RowMaps

/// An open shard: its header checked, and what both kinds of shard have in common.
package final class ShardContents: Sendable {
  package let path: String
  package let kind: ShardKind
  package let toolVersion: String
  /// Rows.
  package let count: Int
  /// The split that its rows belong to, such as "train".
  package let split: String
  /// The CRC-32C of every row's pixels or codes; nil in a shard of another program without them.
  package let checksums: [UInt32]?
  /// The labels, sorted: datasets of one value per row beside the five that every shard needs.
  package let labelNames: [String]

  let file: HDF5InputFile

  /// Opens a shard of either kind.
  ///
  /// - Throws: `missing`, `notAShard`, `incomplete`, `unsupportedVersion`, `missingItem`,
  ///   `malformed`, `externalLink`, `unknownFilter` or `unreadable`.
  package init(_ path: String) throws(ShardError) {
    let file = try HDF5InputFile(path)
    guard try file.hasAttribute(ShardFormat.Attribute.format) else {
      throw .notAShard(path: path, reason: "it has no attribute `format`")
    }
    let format = try file.string(ShardFormat.Attribute.format)
    guard let kind = ShardKind(rawValue: format) else {
      throw .notAShard(path: path, reason: "its format is \"\(format)\"")
    }
    let version = try file.integer(ShardFormat.Attribute.formatVersion)
    guard (1...ShardFormat.version).contains(version) else {
      throw .unsupportedVersion(path: path, found: version, newest: ShardFormat.version)
    }
    guard file.isSealed || version < ShardFormat.sealedVersion else { throw .noSeal(path: path) }
    guard try file.hasAttribute(ShardFormat.Attribute.complete),
      try file.integer(ShardFormat.Attribute.complete) == 1
    else { throw .incomplete(path: path) }

    self.path = path
    self.file = file
    self.kind = kind
    toolVersion = try file.text(ShardFormat.Attribute.toolVersion)
    split = try file.text(ShardFormat.Attribute.split, otherwise: "train")
    guard ShardFormat.splits.contains(split) else {
      throw .malformed(
        path: path, item: "attribute `split`", found: "\"\(split)\"",
        expected: ShardFormat.splits.joined(separator: ", "))
    }
    count = try file.dataset(kind == .images ? RowMap.images.dataset : ShardFormat.codes).count
    checksums = try file.checksums(ShardFormat.crc32c, rows: count)
    var labelNames: [String] = []
    for name in try file.datasetNames() where !ShardFormat.reserved.contains(name) {
      let dataset = try file.dataset(name)
      guard dataset.count == count else {
        throw .malformed(
          path: path, item: "/\(name)", found: "of \(dataset.count) rows", expected: "of \(count)")
      }
      if dataset.shape.count == 1, case .column = dataset.type { labelNames.append(name) }
    }
    self.labelNames = labelNames
    try requireIfPresent(ShardFormat.id, is: .int64)
    try requireIfPresent(ShardFormat.name, is: .string)
    if version < ShardFormat.sealedVersion { try requireOwnNumbers() }
  }

  /// The stable numbers of the rows: their positions where the shard has none.
  package var ids: [Int64] {
    get throws(ShardError) {
      guard try file.hasDataset(ShardFormat.id) else { return (0..<count).map { Int64($0) } }
      guard case .int64(let values) = try column(ShardFormat.id) else { return [] }
      return values
    }
  }

  /// The names of the rows, for example the file that an image was made from: their numbers where
  /// the shard has none.
  package var names: [String] {
    get throws(ShardError) {
      guard try file.hasDataset(ShardFormat.name) else { return try ids.map { "\($0)" } }
      guard case .string(let values) = try column(ShardFormat.name) else { return [] }
      return values
    }
  }

  /// The values of a label, read anew at every call.
  package func labels(_ name: String) throws(ShardError) -> ShardColumn {
    try column(name)
  }

  /// The captions of every row; nil where the shard has none.
  package var captions: [[String]]? {
    get throws(ShardError) {
      guard try file.hasGroup(ShardFormat.Group.captions) else { return nil }
      return try ShardCaptions.read(of: file, rows: count)
    }
  }

  /// The objects of every row; nil where the shard has none.
  package var objects: [[ShardObject]]? {
    get throws(ShardError) {
      guard try file.hasGroup(ShardFormat.Group.objects) else { return nil }
      return try ShardObjects.read(of: file, rows: count)
    }
  }

  /// What the numbers of objects and label maps mean; nil where the shard does not tell.
  package var categories: [ShardCategory]? {
    get throws(ShardError) {
      guard try file.hasGroup(ShardFormat.Group.categories) else { return nil }
      return try ShardCategories.read(of: file)
    }
  }

  private func column(_ name: String) throws(ShardError) -> ShardColumn {
    let column = try file.dataset(name).column()
    guard column.count == count else {
      throw .malformed(
        path: path, item: "/\(name)", found: "of \(column.count) rows", expected: "of \(count)")
    }
    return column
  }

  private func requireIfPresent(
    _ name: String, is type: ShardColumnType
  ) throws(ShardError) {
    guard try file.hasDataset(name) else { return }
    let dataset = try file.dataset(name)
    guard dataset.type == .column(type), dataset.shape == [count] else {
      throw .malformed(
        path: path, item: "/\(name)", found: "\(dataset.type) \(dataset.shape)",
        expected: "\(type.rawValue) [\(count)]")
    }
  }

  /// Length of the file in bytes.
  package var fileBytes: Int { file.bytes.count }

  /// By what the open file is known again, as it is now.
  package var stamp: FileStamp {
    get throws(ShardError) { try file.bytes.stamp }
  }

  /// Refuses a file that is not, or not any more, what it was before.
  ///
  /// - Throws: `changed`.
  package func requireUnchanged(since before: FileStamp) throws(ShardError) {
    guard try stamp == before else { throw .changed(path: path) }
  }

  /// Refuses a shard of another kind.
  func require(_ expected: ShardKind) throws(ShardError) {
    guard kind == expected else {
      throw .wrongKind(path: path, found: kind.rawValue, expected: expected.rawValue)
    }
  }

  /// Compares the checksum of a row that was read with the shard's.
  func check(_ found: UInt32, row: Int) throws(ShardError) {
    try check(found, row: row, in: checksums)
  }

  /// Compares a checksum with one of those that the shard has for it, if it has any.
  func check(_ found: UInt32, row: Int, in checksums: [UInt32]?) throws(ShardError) {
    guard let expected = checksums?[row], found != expected else { return }
    throw .checksumMismatch(path: path, row: row, found: found, expected: expected)
  }

  /// What tells this shard from others of its name and size: the checksum of its rows' checksums,
  /// of its maps' and condition codes' too, or SHA-256 of the file.
  package var identity: String {
    get throws(ShardError) {
      guard let checksums else { return try file.bytes.sha256() }
      let beside = RowMap.allCases.filter { $0 != .images }.map(\.checksums)
      var all = "\(checksums.withUnsafeBytes { crc32c($0) })"
      for name in beside + [ShardFormat.conditionCRC32C] {
        guard let more = try file.checksums(name, rows: count) else { continue }
        all += "-\(more.withUnsafeBytes { crc32c($0) })"
      }
      return all
    }
  }

  /// Refuses two rows of one number: a column of zeros passes the checksum that columns had in
  /// version 1.
  func requireOwnNumbers() throws(ShardError) {
    var rows: [Int64: Int] = [:]
    for (row, id) in try ids.enumerated() {
      if let other = rows.updateValue(row, forKey: id) {
        throw .malformed(
          path: path, item: "/id[\(row)]", found: "\(id), as /id[\(other)]",
          expected: "a number of its own for every row")
      }
    }
  }
}

extension HDF5InputFile {
  /// A text attribute that a shard may lack.
  func text(_ name: String, otherwise absent: String = "") throws(ShardError) -> String {
    try hasAttribute(name) ? string(name) : absent
  }

  /// A column of checksums; nil where the shard has none.
  func checksums(_ name: String, rows: Int) throws(ShardError) -> [UInt32]? {
    guard try hasDataset(name) else { return nil }
    let dataset = try dataset(name)
    guard dataset.shape == [rows], case .uint32(let values) = try dataset.values(of: .uint32) else {
      throw .malformed(
        path: path, item: "/\(name)", found: "\(dataset.type) \(dataset.shape)",
        expected: "uint32 [\(rows)]")
    }
    return values
  }
}

/// What readers of both kinds of shard can do.
package protocol ShardReader: Sendable {
  init(_ path: String) throws(ShardError)
  var contents: ShardContents { get }
  /// Reads a row and throws when it is damaged.
  func check(_ row: Int) throws(ShardError)
}

extension ShardReader {
  package var path: String { contents.path }
  /// Rows.
  package var count: Int { contents.count }
}
