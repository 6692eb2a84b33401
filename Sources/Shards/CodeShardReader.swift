import Checksums

/// Reads grids of codes from one shard in any order and from many threads at once.
package final class CodeShardReader: ShardReader {
  package let contents: ShardContents
  package let header: CodeShardHeader
  private let codes: HDF5InputDataset

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
      toolVersion: contents.toolVersion)
    codes = try file.dataset(ShardFormat.codes)
    let type = CodeStorage.type(codebookSize: header.codebookSize)
    guard codes.type == .column(type), codes.shape == [contents.count, header.rowLength] else {
      throw .malformed(
        path: path, item: "/codes", found: "\(codes.type) \(codes.shape)",
        expected: "\(type.rawValue) [\(contents.count), \(header.rowLength)]")
    }
  }

  /// One grid of codes in `0..<codebookSize`, `[h·w]` in raster order.
  ///
  /// - Throws: `unreadable`, `malformed`, `checksumMismatch` or `codeOutOfRange`.
  package func codes(_ row: Int) throws(ShardError) -> [Int32] {
    let values: [Int]
    if codes.type == .column(.uint16) {
      values = try self.row(row, of: UInt16.self).map { Int($0) }
    } else {
      values = try self.row(row, of: UInt32.self).map { Int($0) }
    }
    for (column, code) in values.enumerated() where code >= header.codebookSize {
      throw .codeOutOfRange(
        path: contents.path, row: row, column: column, code: code, codebook: header.codebookSize)
    }
    return values.map { Int32($0) }
  }

  package func check(_ row: Int) throws(ShardError) {
    _ = try codes(row)
  }

  private func row<Code: FixedWidthInteger & UnsignedInteger>(
    _ row: Int, of type: Code.Type
  ) throws(ShardError) -> [Code] {
    var values = [Code](repeating: 0, count: header.rowLength)
    let checksum = try values.withUnsafeMutableBytes { bytes in
      Result { () throws(ShardError) -> UInt32 in
        try codes.readRow(row, into: bytes)
        return crc32c(UnsafeRawBufferPointer(bytes))
      }
    }.get()
    try contents.check(checksum, row: row)
    return values
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
