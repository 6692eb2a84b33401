/// Image shards as one sequence of images of one size.
package typealias ImageShardSet = ShardSet<ImageShardReader>

extension ShardSet where Reader == ImageShardReader {
  /// - Throws: `disagreement` naming both files where sizes differ, `noRows`, and whatever opening throws.
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

  /// The map of classes of one image, `[H, W]`.
  ///
  /// - Throws: `missingItem` in shards without.
  package func segmentation(_ index: Int) throws(ShardError) -> [UInt8] {
    let (reader, row) = try locate(index)
    guard let map = try reader.segmentation(row) else {
      throw .missingItem(path: reader.path, item: "/\(ShardFormat.segmentation)")
    }
    return map
  }

  /// The map of depths of one image, `[H, W]`, see `ImageShardReader.depth`.
  ///
  /// - Throws: `missingItem` in shards without.
  package func depth(_ index: Int) throws(ShardError) -> [UInt16] {
    let (reader, row) = try locate(index)
    guard let map = try reader.depth(row) else {
      throw .missingItem(path: reader.path, item: "/\(ShardFormat.depth)")
    }
    return map
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
