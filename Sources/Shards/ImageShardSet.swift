import RowMaps

/// Image shards as one sequence of images of one size.
package typealias ImageShardSet = ShardSet<ImageShardReader>

extension ShardSet where Reader == ImageShardReader {
  /// - Throws: `disagreement` naming both files where sizes differ, `noRows`, and whatever opening
  ///   throws.
  package convenience init(_ paths: [String]) throws(ShardError) {
    try self.init(paths) { reader, first throws(ShardError) in
      let found = reader.header
      let expected = first.header
      guard found.height == expected.height, found.width == expected.width else {
        throw .disagreement(
          path: reader.path, other: first.path, property: "the size of an image",
          found: "\(found.width)×\(found.height)", expected: "\(expected.width)×\(expected.height)")
      }
    }
  }

  package var height: Int { first.header.height }
  package var width: Int { first.header.width }
  /// Bytes of one image, H·W·3.
  package var rowBytes: Int { first.rowBytes }
  /// What the first shard says about itself.
  package var header: ImageShardHeader { first.header }

  /// One image, `[H, W, 3]`.
  package func pixels(_ index: Int) throws(ShardError) -> [UInt8] {
    let (reader, row) = try locate(index)
    return try reader.pixels(row)
  }

  /// The image of a row or the map beside it, `[H, W, channels]`.
  ///
  /// - Throws: `noMaps` in shards without.
  package func row(_ index: Int, _ map: RowMap) throws(ShardError) -> RowValues {
    let (reader, row) = try locate(index)
    return try reader.row(row, map)
  }

  /// Refuses shards without such maps.
  ///
  /// - Throws: `noMaps` naming the first one.
  package func require(_ map: RowMap) throws(ShardError) {
    guard map != .images else { return }
    for shard in paths.indices { try opened(shard).require(map) }
  }

  /// The palette that all shards have.
  ///
  /// - Throws: `noMaps` naming the first shard without; `disagreement` where palettes differ.
  package func palette() throws(ShardError) -> Palette {
    guard let palette = header.palette else { throw .noMaps(path: paths[0], map: .palette) }
    for path in paths.dropFirst() {
      guard let other = try Reader(path).header.palette else {
        throw .noMaps(path: path, map: .palette)
      }
      guard other == palette else {
        throw .disagreement(
          path: path, other: paths[0], property: "the palette", found: "\(other)",
          expected: "\(palette)")
      }
    }
    return palette
  }

  /// Several images, one after the other.
  ///
  /// - Parameter pixels: `[indices.count, H, W, 3]`.
  package func read(_ indices: [Int], into pixels: inout [UInt8]) throws(ShardError) {
    precondition(
      pixels.count == indices.count * rowBytes, "\(pixels.count) bytes for \(indices.count) images")
    try pixels.withUnsafeMutableBytes { bytes in
      Result { () throws(ShardError) in
        for (slot, index) in indices.enumerated() {
          let (reader, row) = try locate(index)
          let target = bytes[slot * rowBytes..<(slot + 1) * rowBytes]
          try reader.read(row, into: UnsafeMutableRawBufferPointer(rebasing: target))
        }
      }
    }.get()
  }
}
