import Checksums
import RowMaps
import Synchronization

/// Checksums and compresses rows of images, many threads at once.
package final class ImageRowEncoder: Sendable {
  package let rowBytes: Int
  /// Pixels of a row.
  private let area: Int
  /// The maps that every row has.
  private let maps: [RowMap]
  let compression: ShardCompression
  private let deflater: ChunkDeflater?
  private let isCompressing: Atomic<Bool>

  init(_ header: ImageShardHeader, compression: ShardCompression) {
    area = header.height * header.width
    maps = header.maps
    rowBytes = area * 3
    self.compression = compression
    deflater = compression.level.map { ChunkDeflater(level: $0) }
    isCompressing = Atomic(compression != .none)
  }

  /// The row as `ImageShardWriter.append` takes it.
  ///
  /// - Parameters:
  ///   - pixels: `[H, W, 3]` of the shard's size.
  ///   - maps: those that the shard has, each `[H, W, channels]`.
  package func encode(
    _ pixels: [UInt8], maps: [RowMap: RowValues] = [:], id: Int64, name: String
  ) -> EncodedImageRow {
    precondition(pixels.count == rowBytes, "\(pixels.count) bytes for a row of \(rowBytes)")
    precondition(maps.count == self.maps.count, "\(maps.count) maps for \(self.maps)")
    let isCompressing = isCompressing.load(ordering: .relaxed)
    return EncodedImageRow(
      id: id, name: name, pixels: encode(pixels, isCompressing: isCompressing),
      // Maps of few classes always shrink, so that there is nothing to decide.
      maps: self.maps.map { map in
        guard let values = maps[map], values.count == area * map.channels,
          values.isWide == map.isWide
        else {
          preconditionFailure("\(map): \(maps[map]?.count ?? 0) values for \(area) pixels")
        }
        return encode(values.littleEndian, isCompressing: true)
      })
  }

  private func encode(_ values: [UInt8], isCompressing: Bool) -> EncodedValues {
    EncodedValues(
      plain: values, deflated: isCompressing ? deflater?.deflated(values) : nil,
      checksum: values.withUnsafeBytes { crc32c($0) })
  }

  /// Spares the work once it is decided that the shard is not compressed.
  func stopCompressing() {
    isCompressing.store(false, ordering: .relaxed)
  }
}

/// A row of an image shard, ready to be written.
package struct EncodedImageRow: Sendable {
  let id: Int64
  let name: String
  let pixels: EncodedValues
  let maps: [EncodedValues]  // in the order of the shard's header
}

/// The values of one chunk, plain and compressed.
struct EncodedValues: Sendable {
  let plain: [UInt8]
  let deflated: [UInt8]?  // nil where compression is off or does not help
  let checksum: UInt32
}
