import Checksums

/// Writes one code shard: rows in order, then labels, then `finish()`.
///
/// The file has a temporary name until `finish()` returns; without it nothing is left. A writer belongs to one thread.
/// It holds the codes in memory, two bytes each (four above 65,536 codebook entries).
package final class CodeShardWriter {
  package let header: CodeShardHeader
  private let shard: UnfinishedShard
  private var codes: ShardColumn

  /// - Throws: `cannotCreate`, `writeFailed`.
  package init(_ path: String, header: CodeShardHeader) throws(ShardError) {
    precondition(
      header.gridHeight > 0 && header.gridWidth > 0 && header.codebookSize > 0,
      "a grid of \(header.gridHeight)×\(header.gridWidth), \(header.codebookSize) codes")
    self.header = header
    codes = CodeStorage.empty(codebookSize: header.codebookSize)
    shard = try UnfinishedShard(path, kind: .codes, toolVersion: header.toolVersion)
    let file = shard.file
    try file.setAttribute(ShardFormat.Attribute.source, to: header.source)
    try file.setAttribute(ShardFormat.Attribute.split, to: header.split)
    try file.setAttribute(ShardFormat.Attribute.gridHeight, to: header.gridHeight)
    try file.setAttribute(ShardFormat.Attribute.gridWidth, to: header.gridWidth)
    try file.setAttribute(ShardFormat.Attribute.codebookSize, to: header.codebookSize)
    try file.setAttribute(ShardFormat.Attribute.fingerprint, to: header.fingerprint)
    if !header.vqganPath.isEmpty {
      try file.setAttribute(ShardFormat.Attribute.vqganPath, to: header.vqganPath)
    }
    try file.setAttribute(ShardFormat.Attribute.sourceShards, to: header.sourceShards)
  }

  /// Rows so far.
  package var count: Int { shard.count }

  /// Adds a row.
  ///
  /// - Parameter row: codes in `0..<codebookSize`, `[h·w]` in raster order.
  package func append(_ row: [Int32], id: Int64, name: String) {
    precondition(
      row.count == header.rowLength, "\(row.count) codes for a row of \(header.rowLength)")
    for code in row {
      precondition(
        code >= 0 && code < header.codebookSize, "code \(code) of \(header.codebookSize)")
    }
    shard.append(id: id, name: name, checksum: CodeStorage.append(row, to: &codes))
  }

  /// Gives every row a label; `column` has as many values as there are rows at the end.
  package func setLabels(_ name: String, _ column: ShardColumn) {
    shard.setLabels(name, column)
  }

  /// Gives every row its captions and objects, and the shard its categories; nil for none.
  package func setLists(
    captions: [[String]]?, objects: [[ShardObject]]?, categories: [ShardCategory]?
  ) {
    shard.captions = captions
    shard.objects = objects
    shard.categories = categories
  }

  /// Completes the shard, checks it by reading every row back, and publishes it.
  @discardableResult
  package func finish() throws(ShardError) -> FinishedShard {
    try shard.file.write(codes, named: ShardFormat.codes, shape: [count, header.rowLength])
    return try shard.publish(open: CodeShardReader.init)
  }
}

/// Codes in files: uint16 for codebooks of up to 65,536 entries, else uint32, little-endian.
enum CodeStorage {
  static func type(codebookSize: Int) -> ShardColumnType {
    codebookSize <= 1 << 16 ? .uint16 : .uint32
  }

  static func empty(codebookSize: Int) -> ShardColumn {
    type(codebookSize: codebookSize) == .uint16 ? .uint16([]) : .uint32([])
  }

  /// Adds codes in range and returns the checksum of their bytes in the file.
  static func append(_ row: [Int32], to codes: inout ShardColumn) -> UInt32 {
    switch codes {
    case .uint16(var values):
      codes = .uint16([])  // so that `values` is the only owner and grows in place
      let small = row.map { UInt16(truncatingIfNeeded: $0) }
      values += small
      codes = .uint16(values)
      return small.withUnsafeBytes { crc32c($0) }
    case .uint32(var values):
      codes = .uint32([])
      let large = row.map { UInt32(truncatingIfNeeded: $0) }
      values += large
      codes = .uint32(values)
      return large.withUnsafeBytes { crc32c($0) }
    default:
      preconditionFailure("codes are uint16 or uint32, not \(codes.type)")
    }
  }
}
