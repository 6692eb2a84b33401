// Maps beside the images of a shard: one per row, of the images' height and width, each with its
// checksum.
import Checksums
import RowMaps

/// Maps that are written.
final class MapOutput {
  private let map: RowMap
  private var rows: HDF5OutputRows
  private var checksums: [UInt32] = []

  init(
    _ map: RowMap, in file: HDF5OutputFile, _ header: ImageShardHeader,
    compression: ShardCompression
  ) throws(ShardError) {
    self.map = map
    rows = try file.chunkedRows(
      named: map.dataset, of: map.type,
      rowShape: map.rowShape(height: header.height, width: header.width),
      level: compression.level)
  }

  func append(_ map: EncodedValues) throws(ShardError) {
    try rows.append(map.deflated ?? map.plain, isFiltered: map.deflated != nil)
    checksums.append(map.checksum)
  }

  /// Hands everything to the system; let go of the maps next, before the file is closed.
  func finish(in file: HDF5OutputFile) throws(ShardError) {
    try rows.flush()
    try file.write(.uint32(checksums), named: map.checksums)
  }
}

/// Maps that are read.
struct MapInput: Sendable {
  let map: RowMap
  private let rows: HDF5InputDataset
  private let checksums: [UInt32]?

  private init(_ map: RowMap, rows: HDF5InputDataset, checksums: [UInt32]?) {
    self.map = map
    self.rows = rows
    self.checksums = checksums
  }

  /// The maps of a shard whose images have this shape; nil in shards without.
  ///
  /// - Throws: `malformed` where they do not belong to the images.
  static func open(
    _ map: RowMap, in contents: ShardContents, images shape: [Int]
  ) throws(ShardError) -> MapInput? {
    let file = contents.file
    guard try file.hasDataset(map.dataset) else { return nil }
    let rows = try file.dataset(map.dataset)
    let expected = [shape[0]] + map.rowShape(height: shape[1], width: shape[2])
    guard rows.type == .column(map.type), rows.shape == expected else {
      throw .malformed(
        path: file.path, item: "/\(map.dataset)", found: "\(rows.type) \(rows.shape)",
        expected: "\(map.type.rawValue) \(expected)")
    }
    return MapInput(
      map, rows: rows, checksums: try file.checksums(map.checksums, rows: contents.count))
  }

  /// The map of one row.
  ///
  /// - Throws: `unreadable`, `malformed` or `checksumMismatch`.
  func read(_ row: Int, of contents: ShardContents) throws(ShardError) -> RowValues {
    let values: RowValues =
      map.isWide ? .words(try read(row, as: UInt16.self)) : .bytes(try read(row, as: UInt8.self))
    let found = values.littleEndian.withUnsafeBytes { crc32c($0) }
    try contents.check(found, row: row, in: checksums)
    return values
  }

  private func read<Value: FixedWidthInteger>(
    _ row: Int, as type: Value.Type
  ) throws(ShardError) -> [Value] {
    var values = [Value](repeating: 0, count: rows.rowBytes / MemoryLayout<Value>.size)
    try values.withUnsafeMutableBytes { bytes in
      Result { () throws(ShardError) in try rows.readRow(row, into: bytes) }
    }.get()
    return values
  }
}
