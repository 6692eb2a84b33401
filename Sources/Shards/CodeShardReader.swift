import Checksums

/// Reads grids of codes from one shard in any order and from many threads at once.
package final class CodeShardReader: ShardReader {
  package let contents: ShardContents
  package let header: CodeShardHeader
  private let codes: HDF5InputDataset
  private let conditions: (codes: HDF5InputDataset, checksums: [UInt32]?)?

  /// Opens a shard and checks its header, not its rows.
  package init(_ path: String) throws(ShardError) {
    contents = try ShardContents(path)
    try contents.require(.codes)
    let file = contents.file
    header = CodeShardHeader(
      grid: try CodeGrid(.grid, of: file),
      sourceShards: try file.hasAttribute(ShardFormat.Attribute.sourceShards)
        ? try file.strings(ShardFormat.Attribute.sourceShards) : [],
      source: try file.text(ShardFormat.Attribute.source), split: contents.split,
      toolVersion: contents.toolVersion,
      downsampling: try file.hasAttribute(ShardFormat.Attribute.downsampling)
        ? try file.size(ShardFormat.Attribute.downsampling, atMost: 65_535) : 0,
      condition: try Self.condition(of: file))
    codes = try Self.dataset(ShardFormat.codes, of: contents, header.grid)
    conditions = try Self.conditions(of: contents, header.condition)
  }

  /// A dataset with a row of codes on `grid` for every row of the shard.
  private static func dataset(
    _ name: String, of contents: ShardContents, _ grid: CodeGrid
  ) throws(ShardError) -> HDF5InputDataset {
    let codes = try contents.file.dataset(name)
    let type = CodeStorage.type(codebookSize: grid.codebookSize)
    guard codes.type == .column(type), codes.shape == [contents.count, grid.count] else {
      throw .malformed(
        path: contents.path, item: "/\(name)", found: "\(codes.type) \(codes.shape)",
        expected: "\(type.rawValue) [\(contents.count), \(grid.count)]")
    }
    return codes
  }

  private static func condition(of file: HDF5InputFile) throws(ShardError) -> ConditionCodes? {
    guard try file.hasDataset(ShardFormat.condition) else { return nil }
    return ConditionCodes(
      input: try file.string(ShardFormat.Attribute.conditionInput),
      grid: try CodeGrid(.condition, of: file))
  }

  private static func conditions(
    of contents: ShardContents, _ condition: ConditionCodes?
  ) throws(ShardError) -> (codes: HDF5InputDataset, checksums: [UInt32]?)? {
    guard let condition else { return nil }
    return (
      try dataset(ShardFormat.condition, of: contents, condition.grid),
      try contents.file.checksums(ShardFormat.conditionCRC32C, rows: contents.count)
    )
  }

  /// One grid of codes in `0..<codebookSize`, `[h·w]` in raster order.
  ///
  /// - Throws: `unreadable`, `malformed`, `checksumMismatch` or `codeOutOfRange`.
  package func codes(_ row: Int) throws(ShardError) -> [Int32] {
    try codes(row, in: codes, header.grid, checksums: contents.checksums)
  }

  /// The codes of one row's condition, in raster order; nil in shards without.
  ///
  /// - Throws: as `codes`.
  package func conditionCodes(_ row: Int) throws(ShardError) -> [Int32]? {
    guard let condition = header.condition, let conditions else { return nil }
    return try codes(
      row, in: conditions.codes, condition.grid, checksums: conditions.checksums)
  }

  package func check(_ row: Int) throws(ShardError) {
    _ = try codes(row)
    _ = try conditionCodes(row)
  }

  private func codes(
    _ row: Int, in dataset: HDF5InputDataset, _ grid: CodeGrid, checksums: [UInt32]?
  ) throws(ShardError) -> [Int32] {
    let values: [Int]
    let found: UInt32
    if dataset.type == .column(.uint16) {
      let codes: [UInt16]
      (codes, found) = try Self.row(row, of: dataset, count: grid.count)
      values = codes.map { Int($0) }
    } else {
      let codes: [UInt32]
      (codes, found) = try Self.row(row, of: dataset, count: grid.count)
      values = codes.map { Int($0) }
    }
    try contents.check(found, row: row, in: checksums)
    for (column, code) in values.enumerated() where code >= grid.codebookSize {
      throw .codeOutOfRange(
        path: contents.path, row: row, column: column, code: code, codebook: grid.codebookSize)
    }
    return values.map { Int32($0) }
  }

  private static func row<Code: FixedWidthInteger & UnsignedInteger>(
    _ row: Int, of dataset: HDF5InputDataset, count: Int
  ) throws(ShardError) -> (codes: [Code], checksum: UInt32) {
    var values = [Code](repeating: 0, count: count)
    let checksum = try values.withUnsafeMutableBytes { bytes in
      Result { () throws(ShardError) -> UInt32 in
        try dataset.readRow(row, into: bytes)
        return crc32c(UnsafeRawBufferPointer(bytes))
      }
    }.get()
    return (values, checksum)
  }
}

extension HDF5InputFile {
  fileprivate func size(_ name: String, atMost limit: Int) throws(ShardError) -> Int {
    let size = try integer(name)
    guard (1...limit).contains(size) else {
      throw .malformed(
        path: path, item: "attribute `\(name)`", found: "\(size)", expected: "1 to \(limit)")
    }
    return size
  }
}

extension CodeGrid {
  fileprivate init(
    _ names: ShardFormat.GridAttributes, of file: HDF5InputFile
  ) throws(ShardError) {
    self.init(
      height: try file.size(names.height, atMost: 65_535),
      width: try file.size(names.width, atMost: 65_535),
      codebookSize: try file.size(names.codebookSize, atMost: 1 << 31),
      fingerprint: try file.string(names.fingerprint),
      codesFingerprint: try file.hasAttribute(names.codesFingerprint)
        ? try file.string(names.codesFingerprint) : nil,
      vqgan: try file.hasAttribute(names.vqgan) ? try file.string(names.vqgan) : "",
      depth: try file.hasAttribute(names.depth) ? try file.size(names.depth, atMost: 8) : 1,
      subVocabulary: try file.hasAttribute(names.subVocabulary)
        ? try file.size(names.subVocabulary, atMost: 1 << 24) : nil)
    guard width % depth == 0 else {
      throw .malformed(
        path: file.path, item: "attribute `\(names.depth)`", found: "\(depth)",
        expected: "a divisor of the \(width) codes of a row")
    }
  }
}
