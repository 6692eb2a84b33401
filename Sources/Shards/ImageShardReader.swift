import Checksums

/// Reads images from one shard in any order and from many threads at once.
package final class ImageShardReader: ShardReader {
  package let contents: ShardContents
  package let header: ImageShardHeader
  private let images: HDF5InputDataset
  private let segmentations, depths: MapInput?

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
    segmentations = try MapInput.open(
      ShardFormat.segmentation, checksums: ShardFormat.segmentationCRC32C, of: .uint8,
      in: contents, images: shape)
    depths = try MapInput.open(
      ShardFormat.depth, checksums: ShardFormat.depthCRC32C, of: .uint16, in: contents,
      images: shape)
    header = ImageShardHeader(
      height: shape[1], width: shape[2],
      source: try file.string(ShardFormat.Attribute.source),
      split: try file.string(ShardFormat.Attribute.split),
      preprocessing: try file.string(ShardFormat.Attribute.preprocessing),
      toolVersion: contents.toolVersion, hasSegmentation: segmentations != nil,
      hasDepth: depths != nil)
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
    try segmentations?.read(row, as: UInt8(0), path: path)
  }

  /// The map of depths of one image, `[H, W]`: 0 the least of the whole picture, 65535 the greatest; nil in shards without.
  ///
  /// - Throws: `unreadable`, `malformed` or `checksumMismatch`.
  package func depth(_ row: Int) throws(ShardError) -> [UInt16]? {
    try depths?.read(row, as: UInt16(0), path: path)
  }

  package func check(_ row: Int) throws(ShardError) {
    _ = try pixels(row)
    _ = try segmentation(row)
    _ = try depth(row)
  }
}
