import Checksums

/// Reads images from one shard in any order and from many threads at once.
package final class ImageShardReader: ShardReader {
  package let contents: ShardContents
  package let header: ImageShardHeader
  private let images: HDF5InputDataset
  private let segmentations: (maps: HDF5InputDataset, checksums: [UInt32])?

  /// Opens a shard and checks its header, not its rows.
  package init(_ path: String) throws(ShardError) {
    contents = try ShardContents(path)
    try contents.require(.images)
    let file = contents.file
    images = try file.dataset(ShardFormat.images)
    let shape = images.shape
    guard images.type == .column(.uint8), shape.count == 4, shape[0] == contents.count,
      (1...65_535).contains(shape[1]), (1...65_535).contains(shape[2]), shape[3] == 3
    else {
      throw .malformed(
        path: path, item: "/images", found: "\(images.type) \(shape)",
        expected: "uint8 [\(contents.count), H, W, 3]")
    }
    segmentations = try Self.segmentations(of: contents, shape: shape)
    header = ImageShardHeader(
      height: shape[1], width: shape[2],
      source: try file.string(ShardFormat.Attribute.source),
      split: try file.string(ShardFormat.Attribute.split),
      preprocessing: try file.string(ShardFormat.Attribute.preprocessing),
      toolVersion: contents.toolVersion, hasSegmentation: segmentations != nil)
  }

  private static func segmentations(
    of contents: ShardContents, shape: [Int]
  ) throws(ShardError) -> (maps: HDF5InputDataset, checksums: [UInt32])? {
    let file = contents.file
    guard try file.hasDataset(ShardFormat.segmentation) else { return nil }
    let maps = try file.dataset(ShardFormat.segmentation)
    guard maps.type == .column(.uint8), maps.shape == Array(shape.dropLast()) else {
      throw .malformed(
        path: file.path, item: "/\(ShardFormat.segmentation)", found: "\(maps.type) \(maps.shape)",
        expected: "uint8 \(Array(shape.dropLast()))")
    }
    let checksums = try file.dataset(ShardFormat.segmentationCRC32C)
    guard checksums.shape == [contents.count],
      case .uint32(let values) = try checksums.values(of: .uint32)
    else {
      throw .malformed(
        path: file.path, item: "/\(ShardFormat.segmentationCRC32C)",
        found: "\(checksums.type) \(checksums.shape)", expected: "uint32 [\(contents.count)]")
    }
    return (maps, values)
  }

  /// Bytes of one image, H·W·3.
  package var rowBytes: Int { images.rowBytes }

  /// Reads one image and compares its checksum.
  ///
  /// - Parameter pixels: `[H, W, 3]`, `rowBytes` bytes.
  /// - Throws: `unreadable`, `malformed` or `checksumMismatch`.
  package func read(
    _ row: Int, into pixels: UnsafeMutableRawBufferPointer
  ) throws(ShardError) {
    try images.readRow(row, into: pixels)
    try contents.check(crc32c(UnsafeRawBufferPointer(pixels)), row: row)
  }

  /// One image, `[H, W, 3]`.
  package func pixels(_ row: Int) throws(ShardError) -> [UInt8] {
    var pixels = [UInt8](repeating: 0, count: rowBytes)
    try pixels.withUnsafeMutableBytes { bytes in
      Result { () throws(ShardError) in try read(row, into: bytes) }
    }.get()
    return pixels
  }

  /// The map of classes of one image, `[H, W]`; nil in shards without.
  ///
  /// - Throws: `unreadable`, `malformed` or `checksumMismatch`.
  package func segmentation(_ row: Int) throws(ShardError) -> [UInt8]? {
    guard let (maps, checksums) = segmentations else { return nil }
    var values = [UInt8](repeating: 0, count: maps.rowBytes)
    try values.withUnsafeMutableBytes { bytes in
      Result { () throws(ShardError) in try maps.readRow(row, into: bytes) }
    }.get()
    let found = values.withUnsafeBytes { crc32c($0) }
    guard found == checksums[row] else {
      throw .checksumMismatch(path: path, row: row, found: found, expected: checksums[row])
    }
    return values
  }

  package func check(_ row: Int) throws(ShardError) {
    _ = try pixels(row)
    _ = try segmentation(row)
  }
}
