import Checksums
import Synchronization

/// Checksums and compresses rows of images, many threads at once.
package final class ImageRowEncoder: Sendable {
  package let rowBytes: Int
  /// Bytes of a row's label map; nil where the shard has none.
  package let segmentationBytes: Int?
  /// Values of a row's depth map; nil where the shard has none.
  package let depthCount: Int?
  let compression: ShardCompression
  private let deflater: ChunkDeflater?
  private let isCompressing: Atomic<Bool>

  init(_ header: ImageShardHeader, compression: ShardCompression) {
    let area = header.height * header.width
    rowBytes = area * 3
    segmentationBytes = header.hasSegmentation ? area : nil
    depthCount = header.hasDepth ? area : nil
    self.compression = compression
    deflater = compression.level.map { ChunkDeflater(level: $0) }
    isCompressing = Atomic(compression != .none)
  }

  /// The row as `ImageShardWriter.append` takes it.
  ///
  /// - Parameters:
  ///   - pixels: `[H, W, 3]` of the shard's size.
  ///   - segmentation: the map of classes `[H, W]`, in shards that have them.
  ///   - depth: the map of depths `[H, W]`, in shards that have them.
  package func encode(
    _ pixels: [UInt8], segmentation: [UInt8]? = nil, depth: [UInt16]? = nil, id: Int64,
    name: String
  ) -> EncodedImageRow {
    precondition(pixels.count == rowBytes, "\(pixels.count) bytes for a row of \(rowBytes)")
    precondition(
      segmentation?.count == segmentationBytes,
      "a map of \(segmentation?.count ?? 0) bytes, expected \(segmentationBytes ?? 0)")
    precondition(
      depth?.count == depthCount,
      "a map of \(depth?.count ?? 0) depths, expected \(depthCount ?? 0)")
    let isCompressing = isCompressing.load(ordering: .relaxed)
    return EncodedImageRow(
      id: id, name: name, pixels: encode(pixels, isCompressing: isCompressing),
      // Maps of few classes always shrink, so that there is nothing to decide.
      segmentation: segmentation.map { encode($0, isCompressing: true) },
      depth: depth.map { depth in
        encode(
          depth.map(\.littleEndian).withUnsafeBytes { Array($0) }, isCompressing: true)
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
  let segmentation: EncodedValues?
  let depth: EncodedValues?
}

/// The values of one chunk, plain and compressed.
struct EncodedValues: Sendable {
  let plain: [UInt8]
  let deflated: [UInt8]?  // nil where compression is off or does not help
  let checksum: UInt32
}
