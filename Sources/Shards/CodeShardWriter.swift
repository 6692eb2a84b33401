import Checksums

/// Writes one code shard: rows in order, then labels, then `finish()`.
///
/// The file has a temporary name until `finish()` returns; without it nothing is left. A writer
/// belongs to one thread. It holds the codes in memory, two bytes each (four above 65,536 codebook
/// entries).
package final class CodeShardWriter {
  package let header: CodeShardHeader
  private let shard: UnfinishedShard
  private var codes: ShardColumn
  private var conditions: ShardColumn
  private var conditionChecksums: [UInt32] = []

  /// - Throws: `cannotCreate`, `writeFailed`.
  package init(_ path: String, header: CodeShardHeader) throws(ShardError) {
    let grid = header.grid
    precondition(
      grid.height > 0 && grid.width > 0 && grid.codebookSize > 0,
      "a grid of \(grid.height)×\(grid.width), \(grid.codebookSize) codes")
    self.header = header
    codes = CodeStorage.empty(codebookSize: grid.codebookSize)
    conditions = CodeStorage.empty(codebookSize: header.condition?.grid.codebookSize ?? 1)
    shard = try UnfinishedShard(path, kind: .codes, toolVersion: header.toolVersion)
    let file = shard.file
    try file.setAttribute(ShardFormat.Attribute.source, to: header.source)
    try file.setAttribute(ShardFormat.Attribute.split, to: header.split)
    try Self.describe(grid, as: .grid, in: file)
    try file.setAttribute(ShardFormat.Attribute.sourceShards, to: header.sourceShards)
    if header.downsampling > 0 {
      try file.setAttribute(ShardFormat.Attribute.downsampling, to: header.downsampling)
    }
    if let condition = header.condition {
      try file.setAttribute(ShardFormat.Attribute.conditionInput, to: condition.input)
      try Self.describe(condition.grid, as: .condition, in: file)
    }
  }

  private static func describe(
    _ grid: CodeGrid, as names: ShardFormat.GridAttributes, in file: HDF5OutputFile
  ) throws(ShardError) {
    try file.setAttribute(names.height, to: grid.height)
    try file.setAttribute(names.width, to: grid.width)
    try file.setAttribute(names.codebookSize, to: grid.codebookSize)
    try file.setAttribute(names.fingerprint, to: grid.fingerprint)
    if let codes = grid.codesFingerprint {
      try file.setAttribute(names.codesFingerprint, to: codes)
    }
    if grid.depth != 1 { try file.setAttribute(names.depth, to: grid.depth) }
    if let size = grid.subVocabulary { try file.setAttribute(names.subVocabulary, to: size) }
    // That of conditions is always there.
    if !grid.vqgan.isEmpty || names.vqgan == ShardFormat.GridAttributes.condition.vqgan {
      try file.setAttribute(names.vqgan, to: grid.vqgan)
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
    Self.require(row, on: header.grid)
    shard.append(id: id, name: name, checksum: CodeStorage.append(row, to: &codes))
    precondition((condition != nil) == (header.condition != nil), "conditions of all rows or none")
    guard let condition, let described = header.condition else { return }
    Self.require(condition, on: described.grid)
    conditionChecksums.append(CodeStorage.append(condition, to: &conditions))
  }

  private static func require(_ row: [Int32], on grid: CodeGrid) {
    precondition(row.count == grid.count, "\(row.count) codes for a row of \(grid.count)")
    for code in row {
      precondition(code >= 0 && code < grid.codebookSize, "code \(code) of \(grid.codebookSize)")
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
    try shard.file.write(codes, named: ShardFormat.codes, shape: [count, header.grid.count])
    if let condition = header.condition {
      try shard.file.write(
        conditions, named: ShardFormat.condition, shape: [count, condition.grid.count])
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
