// Batches of images from shards, read ahead on a thread that mostly sleeps.
import Foundation
import Models
import Shards
import Synchronization
import TensorCore

/// How training varies its images.
package struct Augmentation: Codable, Equatable, Sendable {
  /// Side of a random square crop, pixels; 0 takes the whole image.
  package var crop: Int
  /// Mirrors every second image.
  package var flips: Bool

  package init(crop: Int = 0, flips: Bool = false) {
    self.crop = crop
    self.flips = flips
  }
}

/// One batch and the place in the data behind it.
package struct ImageBatch: Sendable {
  /// Rows from the top, `[N, H, W, bytesPerPixel]`.
  package let pixels: [UInt8]
  package let count, height, width: Int
  /// Where the batch after this one begins.
  package let next: DataPosition
  package var kind = VQGANInputKind.images

  /// What a VQGAN reads of it.
  package func input(on device: Device) -> VQGANInput {
    switch kind {
    case .images: .values(images(on: device))
    case .segmentation:
      .labels(IndexTensor(pixels.map { Int32($0) }, shape: [count, height, width]))
    case .depth:
      .values(
        Tensor(
          depths: DepthBytes.values(pixels), count: count, height: height, width: width,
          on: device))
    }
  }

  /// `[N, 3, H, W]` in [-1, 1].
  package func images(on device: Device) -> Tensor {
    Tensor(pixels: pixels, count: count, height: height, width: width, on: device)
  }
}

/// An endless sequence of batches; which rows, crops and mirrorings they hold is a function of seed and position alone.
package final class ImageBatches: Sendable {
  private let queue: BoundedQueue<Result<ImageBatch, any Error>>

  /// Starts reading ahead from `position`.
  ///
  /// - Parameter labels: how many labels there are in maps; more are an error.
  package init(
    _ shards: ImageShardSet, batchSize: Int, from position: DataPosition, seed: UInt64,
    shuffled: Bool, augmentation: Augmentation, kind: VQGANInputKind = .images,
    labels: Int = 256
  ) {
    let queue = BoundedQueue<Result<ImageBatch, any Error>>(capacity: 3)
    self.queue = queue
    let thread = Thread {
      var position = position
      var order = EpochOrder(count: shards.count, seed: seed, shuffled: shuffled)
      var goesOn = true
      while goesOn {
        let start = position
        let rows = order.next(batchSize, from: &position)
        let batch = Result {
          try Self.read(
            shards, rows, at: start, next: position, seed: seed, augmentation, kind, labels)
        }
        goesOn = queue.push(batch)
        if case .failure = batch { goesOn = false }
      }
    }
    thread.name = "image batches"
    thread.start()
  }

  deinit { queue.close() }

  /// The next batch.
  ///
  /// - Throws: what reading the shards threw.
  package func next() throws -> ImageBatch { try queue.pop().get() }

  private static func read(
    _ shards: ImageShardSet, _ rows: [Int], at start: DataPosition, next: DataPosition,
    seed: UInt64, _ augmentation: Augmentation, _ kind: VQGANInputKind, _ labels: Int
  ) throws -> ImageBatch {
    let size = kind.bytesPerPixel
    var pixels: [UInt8]
    if kind != .images {
      pixels = try rows.flatMap { try shards.bytes($0, of: kind, labels: labels) }
    } else {
      pixels = [UInt8](repeating: 0, count: rows.count * shards.rowBytes)
      try shards.read(rows, into: &pixels)
    }
    let (height, width) = (shards.height, shards.width)
    guard augmentation.crop > 0 || augmentation.flips else {
      return ImageBatch(
        pixels: pixels, count: rows.count, height: height, width: width, next: next, kind: kind)
    }
    let side = augmentation.crop
    let (outHeight, outWidth) = side > 0 ? (side, side) : (height, width)
    var result: [UInt8] = []
    result.reserveCapacity(rows.count * outHeight * outWidth * size)
    // One stream for each epoch and place in it.
    let source = RandomSource(seed: seed).stream("augmentation").stream(start.epoch)
    for item in rows.indices {
      var random = source.stream(start.row + item)
      let top = Int(random.uniform() * Float(height - outHeight + 1))
      let left = Int(random.uniform() * Float(width - outWidth + 1))
      let mirrors = augmentation.flips && random.uniform() < 0.5
      for y in top..<top + outHeight {
        let row = (item * height + y) * width
        for x in 0..<outWidth {
          let column = mirrors ? left + outWidth - 1 - x : left + x
          let pixel = (row + column) * size
          for channel in 0..<size { result.append(pixels[pixel + channel]) }
        }
      }
    }
    return ImageBatch(
      pixels: result, count: rows.count, height: outHeight, width: outWidth, next: next,
      kind: kind)
  }
}
