// Maps beside the images of a shard: one a row, of the images' height and width, each with its checksum.
import Checksums

/// Maps that are written.
struct MapOutput: ~Copyable {
  private let checksumName: String
  private var rows: HDF5OutputRows
  private var checksums: [UInt32] = []

  /// - Parameter type: of one pixel's value.
  init(
    named name: String, checksums checksumName: String, of type: ShardColumnType,
    in file: HDF5OutputFile, _ header: ImageShardHeader, compression: ShardCompression
  ) throws(ShardError) {
    self.checksumName = checksumName
    rows = try file.chunkedRows(
      named: name, of: type, rowShape: [header.height, header.width], level: compression.level)
  }

  mutating func append(_ map: EncodedValues) throws(ShardError) {
    try rows.append(map.deflated ?? map.plain, isFiltered: map.deflated != nil)
    checksums.append(map.checksum)
  }

  /// Hands everything to the system; let go of the maps next, before the file is closed.
  func finish(in file: HDF5OutputFile) throws(ShardError) {
    try rows.flush()
    try file.write(.uint32(checksums), named: checksumName)
  }
}

/// Maps that are read.
struct MapInput: Sendable {
  private let maps: HDF5InputDataset
  private let checksums: [UInt32]

  private init(maps: HDF5InputDataset, checksums: [UInt32]) {
    self.maps = maps
    self.checksums = checksums
  }

  /// The maps of a shard whose images have this shape; nil in shards without.
  ///
  /// - Throws: `malformed` where they do not belong to the images.
  static func open(
    _ name: String, checksums checksumName: String, of type: ShardColumnType,
    in contents: ShardContents, images shape: [Int]
  ) throws(ShardError) -> MapInput? {
    let file = contents.file
    guard try file.hasDataset(name) else { return nil }
    let maps = try file.dataset(name)
    guard maps.type == .column(type), maps.shape == Array(shape.dropLast()) else {
      throw .malformed(
        path: file.path, item: "/\(name)", found: "\(maps.type) \(maps.shape)",
        expected: "\(type.rawValue) \(Array(shape.dropLast()))")
    }
    let checksums = try file.dataset(checksumName)
    guard checksums.shape == [contents.count],
      case .uint32(let values) = try checksums.values(of: .uint32)
    else {
      throw .malformed(
        path: file.path, item: "/\(checksumName)",
        found: "\(checksums.type) \(checksums.shape)", expected: "uint32 [\(contents.count)]")
    }
    return MapInput(maps: maps, checksums: values)
  }

  /// The map of one row.
  ///
  /// - Throws: `unreadable`, `malformed` or `checksumMismatch`.
  func read<Value: FixedWidthInteger>(
    _ row: Int, as zero: Value, path: String
  ) throws(ShardError) -> [Value] {
    var values = [Value](repeating: zero, count: maps.rowBytes / MemoryLayout<Value>.size)
    try values.withUnsafeMutableBytes { bytes in
      Result { () throws(ShardError) in try maps.readRow(row, into: bytes) }
    }.get()
    let found = values.map(\.littleEndian).withUnsafeBytes { crc32c($0) }
    guard found == checksums[row] else {
      throw .checksumMismatch(path: path, row: row, found: found, expected: checksums[row])
    }
    return values
  }
}
