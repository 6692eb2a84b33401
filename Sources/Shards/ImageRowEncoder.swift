import Checksums
import Synchronization

/// Checksums and compresses rows of images, many threads at once.
package final class ImageRowEncoder: Sendable {
  package let rowBytes: Int
  let compression: ShardCompression
  private let deflater: ChunkDeflater?
  private let isCompressing: Atomic<Bool>

  init(rowBytes: Int, compression: ShardCompression) {
    self.rowBytes = rowBytes
    self.compression = compression
    deflater = compression.level.map { ChunkDeflater(level: $0) }
    isCompressing = Atomic(compression != .none)
  }

  /// The row as `ImageShardWriter.append` takes it.
  ///
  /// - Parameter pixels: `[H, W, 3]` of the shard's size.
  package func encode(_ pixels: [UInt8], id: Int64, name: String) -> EncodedImageRow {
    precondition(pixels.count == rowBytes, "\(pixels.count) bytes for a row of \(rowBytes)")
    let isCompressing = isCompressing.load(ordering: .relaxed)
    return EncodedImageRow(
      id: id, name: name, pixels: pixels,
      deflated: isCompressing ? deflater?.deflated(pixels) : nil,
      checksum: pixels.withUnsafeBytes { crc32c($0) })
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
  let pixels: [UInt8]
  let deflated: [UInt8]?  // nil where compression is off or does not help
  let checksum: UInt32
}
