import Checksums

/// Reads grids of codes from one shard in any order and from many threads at once.
package final class CodeShardReader: ShardReader {
  package let contents: ShardContents
  package let header: CodeShardHeader
  private let codes: HDF5InputDataset
  private let conditions: (codes: HDF5InputDataset, checksums: [UInt32])?

  /// Opens a shard and checks its header, not its rows.
  package init(_ path: String) throws(ShardError) {
    contents = try ShardContents(path)
    try contents.require(.codes)
    let file = contents.file
    header = CodeShardHeader(
      gridHeight: try Self.size(ShardFormat.Attribute.gridHeight, atMost: 65_535, in: file),
      gridWidth: try Self.size(ShardFormat.Attribute.gridWidth, atMost: 65_535, in: file),
      codebookSize: try Self.size(ShardFormat.Attribute.codebookSize, atMost: 1 << 31, in: file),
      fingerprint: try file.string(ShardFormat.Attribute.fingerprint),
      vqganPath: file.hasAttribute(ShardFormat.Attribute.vqganPath)
        ? try file.string(ShardFormat.Attribute.vqganPath) : "",
      sourceShards: try file.strings(ShardFormat.Attribute.sourceShards),
      source: try file.string(ShardFormat.Attribute.source),
      split: try file.string(ShardFormat.Attribute.split),
      toolVersion: contents.toolVersion,
      downsampling: file.hasAttribute(ShardFormat.Attribute.downsampling)
        ? try Self.size(ShardFormat.Attribute.downsampling, atMost: 65_535, in: file) : 0,
      condition: try Self.condition(of: file))
    conditions = try Self.conditions(of: contents, header.condition)
    codes = try file.dataset(ShardFormat.codes)
    let type = CodeStorage.type(codebookSize: header.codebookSize)
    guard codes.type == .column(type), codes.shape == [contents.count, header.rowLength] else {
      throw .malformed(
        path: path, item: "/codes", found: "\(codes.type) \(codes.shape)",
        expected: "\(type.rawValue) [\(contents.count), \(header.rowLength)]")
    }
  }

  private static func condition(of file: HDF5InputFile) throws(ShardError) -> ConditionCodesHeader?
  {
    guard try file.hasDataset(ShardFormat.condition) else { return nil }
    return ConditionCodesHeader(
      input: try file.string(ShardFormat.Attribute.conditionInput),
      height: try size(ShardFormat.Attribute.conditionHeight, atMost: 65_535, in: file),
      width: try size(ShardFormat.Attribute.conditionWidth, atMost: 65_535, in: file),
      codebookSize: try size(
        ShardFormat.Attribute.conditionCodebookSize, atMost: 1 << 31, in: file),
      fingerprint: try file.string(ShardFormat.Attribute.conditionFingerprint),
      vqganPath: try file.string(ShardFormat.Attribute.conditionPath))
  }

  private static func conditions(
    of contents: ShardContents, _ header: ConditionCodesHeader?
  ) throws(ShardError) -> (codes: HDF5InputDataset, checksums: [UInt32])? {
    guard let header else { return nil }
    let (file, path) = (contents.file, contents.file.path)
    let codes = try file.dataset(ShardFormat.condition)
    let type = CodeStorage.type(codebookSize: header.codebookSize)
    guard codes.type == .column(type), codes.shape == [contents.count, header.count] else {
      throw .malformed(
        path: path, item: "/\(ShardFormat.condition)", found: "\(codes.type) \(codes.shape)",
        expected: "\(type.rawValue) [\(contents.count), \(header.count)]")
    }
    let checksums = try file.dataset(ShardFormat.conditionCRC32C)
    guard checksums.shape == [contents.count],
      case .uint32(let values) = try checksums.values(of: .uint32)
    else {
      throw .malformed(
        path: path, item: "/\(ShardFormat.conditionCRC32C)",
        found: "\(checksums.type) \(checksums.shape)", expected: "uint32 [\(contents.count)]")
    }
    return (codes, values)
  }

  /// One grid of codes in `0..<codebookSize`, `[h·w]` in raster order.
  ///
  /// - Throws: `unreadable`, `malformed`, `checksumMismatch` or `codeOutOfRange`.
  package func codes(_ row: Int) throws(ShardError) -> [Int32] {
    try codes(
      row, in: codes, count: header.rowLength, codebookSize: header.codebookSize,
      checksum: contents.checksums[row])
  }

  /// The codes of one row's condition, in raster order; nil in shards without.
  ///
  /// - Throws: as `codes`.
  package func conditionCodes(_ row: Int) throws(ShardError) -> [Int32]? {
    guard let condition = header.condition, let conditions else { return nil }
    return try codes(
      row, in: conditions.codes, count: condition.count, codebookSize: condition.codebookSize,
      checksum: conditions.checksums[row])
  }

  package func check(_ row: Int) throws(ShardError) {
    _ = try codes(row)
    _ = try conditionCodes(row)
  }

  private func codes(
    _ row: Int, in dataset: HDF5InputDataset, count: Int, codebookSize: Int, checksum: UInt32
  ) throws(ShardError) -> [Int32] {
    let values: [Int]
    let found: UInt32
    if dataset.type == .column(.uint16) {
      let codes: [UInt16]
      (codes, found) = try Self.row(row, of: dataset, count: count)
      values = codes.map { Int($0) }
    } else {
      let codes: [UInt32]
      (codes, found) = try Self.row(row, of: dataset, count: count)
      values = codes.map { Int($0) }
    }
    guard found == checksum else {
      throw .checksumMismatch(path: contents.path, row: row, found: found, expected: checksum)
    }
    for (column, code) in values.enumerated() where code >= codebookSize {
      throw .codeOutOfRange(
        path: contents.path, row: row, column: column, code: code, codebook: codebookSize)
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

  private static func size(
    _ name: String, atMost limit: Int, in file: HDF5InputFile
  ) throws(ShardError) -> Int {
    let size = try file.integer(name)
    guard (1...limit).contains(size) else {
      throw .malformed(
        path: file.path, item: "attribute `\(name)`", found: "\(size)", expected: "1 to \(limit)")
    }
    return size
  }
}
