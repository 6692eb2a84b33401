import Checksums
import RowMaps

/// Reads images from one shard in any order and from many threads at once.
package final class ImageShardReader: ShardReader {
  package let contents: ShardContents
  package let header: ImageShardHeader
  private let images: HDF5InputDataset
  private let maps: [MapInput]

  /// Opens a shard and checks its header, not its rows.
  package init(_ path: String) throws(ShardError) {
    contents = try ShardContents(path)
    try contents.require(.images)
    let file = contents.file
    images = try file.dataset(RowMap.images.dataset)
    let shape = images.shape
    guard images.type == .column(.uint8), shape.count == 4, shape[0] == contents.count,
      (1...65_535).contains(shape[1]), (1...65_535).contains(shape[2]), shape[3] == 3
    else {
      throw .malformed(
        path: path, item: "/images", found: "\(images.type) \(shape)",
        expected: "uint8 [\(contents.count), H, W, 3]")
    }
    var maps: [MapInput] = []
    for map in RowMap.beside {
      if let input = try MapInput.open(map, in: contents, images: shape) { maps.append(input) }
    }
    self.maps = maps
    let hasPalette = maps.contains { $0.map == .palette }
    header = ImageShardHeader(
      height: shape[1], width: shape[2],
      source: try file.text(ShardFormat.Attribute.source), split: contents.split,
      preprocessing: try file.text(ShardFormat.Attribute.preprocessing),
      toolVersion: contents.toolVersion, maps: maps.map(\.map),
      palette: hasPalette ? try Palette(of: file) : nil)
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

  /// The image of a row or the map beside it, `[H, W, channels]`.
  ///
  /// - Throws: `noMaps` in shards without; `unreadable`, `malformed` or `checksumMismatch`.
  package func row(_ row: Int, _ map: RowMap) throws(ShardError) -> RowValues {
    if map == .images { return .bytes(try pixels(row)) }
    try require(map)
    guard let input = maps.first(where: { $0.map == map }) else {
      preconditionFailure("\(path): the header has maps that are not open")
    }
    return try input.read(row, of: contents)
  }

  /// Refuses a shard without such maps.
  ///
  /// - Throws: `noMaps`.
  package func require(_ map: RowMap) throws(ShardError) {
    guard map == .images || header.maps.contains(map) else {
      throw .noMaps(path: path, map: map)
    }
  }

  /// Reads a row with its maps; a palette map must show the image exactly.
  package func check(_ row: Int) throws(ShardError) {
    let pixels = try pixels(row)
    for map in maps {
      let values = try map.read(row, of: contents)
      if let palette = header.palette, map.map == .palette, case .bytes(let numbers) = values,
        palette.pixels(of: numbers) != pixels
      {
        throw .malformed(
          path: path, item: "/palette[\(row)]", found: "in other colours than /images[\(row)]",
          expected: "the same image")
      }
    }
  }
}
