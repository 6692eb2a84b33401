// Batches of images from shards, read ahead on a thread that mostly sleeps.
import Metrics
import Models
import Platform
import RowMaps
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

/// One batch and the position in the data behind it.
package struct ImageBatch: Sendable {
  /// Rows from the top, `[N, H, W, channels]`.
  package let values: RowValues
  /// What they are.
  package let map: RowMap
  package let count, height, width: Int
  /// Where the batch after this one begins.
  package let next: DataPosition
  /// Which pixels are not those of their scene's background, 1 or 0, `[N, H, W]`; nil where nobody
  /// asks.
  package var changed: [UInt8]?

  /// What a VQGAN reads of it.
  package func input(on device: Device) -> VQGANInput {
    VQGANInput(values, of: map, count: count, height: height, width: width, on: device)
  }

  /// Some of its rows.
  func rows(_ rows: Range<Int>) -> ImageBatch {
    let size = values.count / count
    return ImageBatch(
      values: values[rows.lowerBound * size..<rows.upperBound * size], map: map,
      count: rows.count, height: height, width: width, next: next)
  }
}

/// An endless sequence of batches; which rows, crops and mirrorings they hold is a function of seed
/// and position alone.
package final class ImageBatches: Sendable {
  private let queue: BoundedQueue<Result<ImageBatch, any Error>>
  /// Reads ahead; nil where the system has no thread left.
  private let thread: WorkerThread?
  /// For the caller to read itself, without a thread.
  private let reader: Mutex<BatchReader>

  /// Starts reading ahead from `position`.
  ///
  /// - Parameters:
  ///   - labels: how many labels there are in maps; more are an error.
  ///   - scenes: of the images, to tell what has changed in them.
  package init(
    _ shards: ImageShardSet, batchSize: Int, from position: DataPosition, seed: UInt64,
    shuffled: Bool, augmentation: Augmentation, reading map: RowMap = .images, labels: Int = 256,
    scenes: FrameScenes? = nil
  ) {
    let queue = BoundedQueue<Result<ImageBatch, any Error>>(capacity: 3)
    let reader = BatchReader(
      shards: shards, batchSize: batchSize, seed: seed, augmentation: augmentation, map: map,
      labels: labels, scenes: scenes, position: position,
      order: EpochOrder(count: shards.count, seed: seed, shuffled: shuffled))
    self.queue = queue
    self.reader = Mutex(reader)
    thread = WorkerThread {
      var reader = reader
      var goesOn = true
      while goesOn {
        let batch = Result { try reader.next() }
        goesOn = queue.push(batch)
        if case .failure = batch { goesOn = false }
      }
    }
  }

  deinit {
    queue.close()
    thread?.join()
  }

  /// The next batch.
  ///
  /// - Throws: what reading the shards threw.
  package func next() throws -> ImageBatch {
    if thread == nil { return try reader.withLock { try $0.next() } }
    return try queue.pop().get()
  }
}

/// Reads one batch after the other.
private struct BatchReader: Sendable {
  let shards: ImageShardSet
  let batchSize: Int
  let seed: UInt64
  let augmentation: Augmentation
  let map: RowMap
  let labels: Int
  let scenes: FrameScenes?
  var position: DataPosition
  var order: EpochOrder

  mutating func next() throws -> ImageBatch {
    let start = position
    let rows = order.next(batchSize, from: &position)
    let side = augmentation.crop
    let height = side > 0 ? side : shards.height
    let width = side > 0 ? side : shards.width
    // One stream for each epoch and position in it.
    let source = RandomSource(seed: seed).stream("augmentation").stream(start.epoch)
    let values = try rows.enumerated().map { item, row in
      var window = RowWindow(top: 0, left: 0, height: height, width: width)
      if side > 0 || augmentation.flips {
        var random = source.stream(start.row + item)
        window.top = Int(random.uniform() * Float(shards.height - height + 1))
        window.left = Int(random.uniform() * Float(shards.width - width + 1))
        window.isMirrored = augmentation.flips && random.uniform() < 0.5
      }
      return (values: try shards.row(row, map, labels: labels), window: window)
    }
    var batch = ImageBatch(
      values: RowValues(values, of: map, width: shards.width), map: map, count: rows.count,
      height: height, width: width, next: position)
    if let scenes {
      batch.changed = values.flatMap { row -> [UInt8] in
        guard case .bytes(let pixels) = row.values else { return [] }
        let changes = (values: RowValues.bytes(scenes.changes(in: pixels)), window: row.window)
        // one value a pixel, as maps of labels have
        guard case .bytes(let cut) = RowValues([changes], of: .segmentation, width: shards.width)
        else { return [] }
        return cut
      }
    }
    return batch
  }
}
