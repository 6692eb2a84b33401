import Checksums

/// Writes one code shard: rows in order, then labels, then `finish()`.
///
/// The file has a temporary name until `finish()` returns; without it nothing is left. A writer belongs to one thread.
/// It holds the codes in memory, two bytes each (four above 65,536 codebook entries).
package final class CodeShardWriter {
  package let header: CodeShardHeader
  private let shard: UnfinishedShard
  private var codes: ShardColumn
  private var conditions: ShardColumn
  private var conditionChecksums: [UInt32] = []

  /// - Throws: `cannotCreate`, `writeFailed`.
  package init(_ path: String, header: CodeShardHeader) throws(ShardError) {
    precondition(
      header.gridHeight > 0 && header.gridWidth > 0 && header.codebookSize > 0,
      "a grid of \(header.gridHeight)×\(header.gridWidth), \(header.codebookSize) codes")
    self.header = header
    codes = CodeStorage.empty(codebookSize: header.codebookSize)
    conditions = CodeStorage.empty(codebookSize: header.condition?.codebookSize ?? 1)
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
    if header.downsampling > 0 {
      try file.setAttribute(ShardFormat.Attribute.downsampling, to: header.downsampling)
    }
    if let condition = header.condition {
      try file.setAttribute(ShardFormat.Attribute.conditionInput, to: condition.input)
      try file.setAttribute(ShardFormat.Attribute.conditionHeight, to: condition.height)
      try file.setAttribute(ShardFormat.Attribute.conditionWidth, to: condition.width)
      try file.setAttribute(
        ShardFormat.Attribute.conditionCodebookSize, to: condition.codebookSize)
      try file.setAttribute(ShardFormat.Attribute.conditionFingerprint, to: condition.fingerprint)
      try file.setAttribute(ShardFormat.Attribute.conditionPath, to: condition.vqganPath)
    }
  }

  /// Rows so far.
  package var count: Int { shard.count }

  /// Adds a row.
  ///
  /// - Parameters:
  ///   - row: codes in `0..<codebookSize`, `[h·w]` in raster order.
  ///   - condition: its condition's codes, for a shard with conditions.
  package func append(_ row: [Int32], condition: [Int32]? = nil, id: Int64, name: String) {
    Self.require(row, count: header.rowLength, codebookSize: header.codebookSize)
    shard.append(id: id, name: name, checksum: CodeStorage.append(row, to: &codes))
    precondition((condition != nil) == (header.condition != nil), "conditions of all rows or none")
    guard let condition, let described = header.condition else { return }
    Self.require(condition, count: described.count, codebookSize: described.codebookSize)
    conditionChecksums.append(CodeStorage.append(condition, to: &conditions))
  }

  private static func require(_ row: [Int32], count: Int, codebookSize: Int) {
    precondition(row.count == count, "\(row.count) codes for a row of \(count)")
    for code in row {
      precondition(code >= 0 && code < codebookSize, "code \(code) of \(codebookSize)")
    }
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
    if let condition = header.condition {
      try shard.file.write(
        conditions, named: ShardFormat.condition, shape: [count, condition.count])
      try shard.file.write(.uint32(conditionChecksums), named: ShardFormat.conditionCRC32C)
    }
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
