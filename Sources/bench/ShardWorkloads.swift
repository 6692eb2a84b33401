// Writing and reading of image shards.
import DurableFiles
import Foundation
import Shards
import TensorCore

extension Workload {
  private static let rows = 64
  private static let side = 256
  private static var megabytes: Double { Double(rows * side * side * 3) / 1e6 }

  static let shards: [Workload] = [
    Workload(
      name: "shard_write",
      summary: "writing a shard of 64 images of 256×256, compressed, synced and checked",
      unit: .perSecond("MB", megabytes)
    ) { _ in
      let folder = try ScratchFolder()
      let images = Self.images()
      return { try write(images, to: "\(folder.path)/bench-00000.h5") }
    },
    Workload(
      name: "shard_read", summary: "reading the 64 images of a compressed shard in random order",
      unit: .perSecond("MB", megabytes)
    ) { _ in
      let folder = try ScratchFolder()
      let path = "\(folder.path)/bench-00000.h5"
      try write(images(), to: path)
      let set = try ImageShardSet([path])
      var random = RandomSource(seed: 1)
      let order = random.permutation(rows)
      var pixels = [UInt8](repeating: 0, count: rows * set.rowBytes)
      return {
        try set.read(order, into: &pixels)
        withExtendedLifetime(folder) {}
      }
    },
  ]

  private static func write(_ images: [[UInt8]], to path: String) throws {
    let writer = try ImageShardWriter(
      path,
      header: ImageShardHeader(
        height: side, width: side, source: "bench", split: "train", preprocessing: "{}",
        toolVersion: "bench"), compression: .level(4))
    for (row, pixels) in images.enumerated() {
      try writer.append(pixels, id: Int64(row), name: "\(row)")
    }
    try writer.finish()
  }

  /// Images with flat areas, edges and a little noise, so that compression has something to do.
  private static func images() -> [[UInt8]] {
    var random = RandomSource(seed: 2)
    return (0..<rows).map { row in
      (0..<side * side * 3).map { index in
        let block = (index / 3 / 32 + index / (side * 3 * 32) * 7 + row) & 15
        return UInt8(block * 16) | (index % 7 == 0 ? UInt8(random.next() & 3) : 0)
      }
    }
  }
}

/// A folder that goes with its owner.
private final class ScratchFolder: Sendable {
  let path = NSTemporaryDirectory() + "bench-\(UUID().uuidString)"

  init() throws { try DurableFile.createFolder(path) }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
