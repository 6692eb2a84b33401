// Image shards to code shards.
import DurableFiles
import Models
import Shards
import TensorCore

/// Writes the code shards of a plan, continuing at the first that is missing.
///
/// The bytes of a code shard are a function of its image shard, the VQGAN, the batch size, the engine and its threads.
package struct DatasetEncoder {
  private let plan: EncodingPlan
  private let stage: FirstStage
  private let condition: FirstStage?
  private let device: Device
  private let batchSize: Int
  private let toolVersion: String

  /// A run that has not begun.
  ///
  /// - Parameters:
  ///   - stage: the VQGAN that the plan was made for, on `device`.
  ///   - condition: the VQGAN of the condition codes, if the plan has them.
  ///   - batchSize: images encoded at once.
  package init(
    _ plan: EncodingPlan, stage: FirstStage, condition: FirstStage? = nil, on device: Device,
    batchSize: Int, toolVersion: String
  ) {
    precondition(batchSize > 0, "batches of \(batchSize)")
    self.plan = plan
    self.stage = stage
    self.condition = condition
    self.device = device
    self.batchSize = batchSize
    self.toolVersion = toolVersion
  }

  /// Writes what is missing.
  ///
  /// - Parameters:
  ///   - path: the folder; is made when it is missing, and locked while the run lasts.
  ///   - progress: told what happens, in the calling thread; what it throws ends the run, and finished shards stay.
  /// - Throws: `EncodingError`, `ShardError`, and what `progress` throws.
  package func run(
    in path: String, progress: (EncodingEvent) throws -> Void
  ) throws -> EncodingOutcome {
    if try ShardManifest.read(in: path) == nil {
      for shard in plan.shards.shards where DurableFile.exists("\(path)/\(shard.name)") {
        throw EncodingError.foreignShard(path: "\(path)/\(shard.name)")
      }
    }
    let folder = try ShardFolder(path, plan: plan.shards)
    var outcome = EncodingOutcome(histogram: CodeHistogram(codebookSize: stage.config.codes))
    for path in folder.finishedPaths {
      let shard = try CodeShardReader(path)
      for row in 0..<shard.count { outcome.histogram.add(try shard.codes(row)) }
      outcome.earlier += shard.count
      try progress(.found(rows: shard.count))
    }
    for shard in folder.unfinished {
      let finished = try encode(
        shard, to: folder.path(of: shard), counting: &outcome.histogram, progress)
      try folder.record(shard, finished, skipped: [])
    }
    outcome.shards = folder.plan.shards.map { (folder.path(of: $0), $0.samples.count) }
    return outcome
  }

  private func encode(
    _ shard: PlannedShard, to path: String, counting histogram: inout CodeHistogram,
    _ progress: (EncodingEvent) throws -> Void
  ) throws -> FinishedShard {
    guard let source = plan.sources[shard.name] else {
      preconditionFailure("\(shard.name) has no image shard")
    }
    let reader = try ImageShardReader(source)
    let (ids, names) = (try reader.contents.ids, try reader.contents.names)
    let writer = try CodeShardWriter(path, header: header(of: reader))
    let rowLength = writer.header.grid.count
    let batchSize = batchSize
    let batches = (reader.count + batchSize - 1) / batchSize
    // Two threads read ahead; they sleep most of the time.
    let condition = condition
    try inOrder(count: batches, threads: 2) { batch in
      let rows = Self.rows(of: batch, batchSize, reader.count)
      return (
        pixels: try Self.pixels(of: rows, in: reader),
        maps: try Self.maps(of: rows, in: reader, for: condition)
      )
    } consume: { batch, read in
      let rows = Self.rows(of: batch, batchSize, reader.count)
      let images = Tensor(
        pixels: read.pixels, count: rows.count, height: plan.height, width: plan.width, on: device)
      let codes = stage.model.encode(images).elements
      let conditions = condition.map { condition in
        let maps = read.maps.map {
          ImageBatch(
            pixels: $0, count: rows.count, height: plan.height, width: plan.width,
            next: DataPosition(), kind: VQGANInputKind(condition.config)
          ).input(on: device)
        }
        return condition.model.encode(maps ?? .values(images)).elements
      }
      let conditionLength = writer.header.condition?.grid.count ?? 0
      for (slot, row) in rows.enumerated() {
        writer.append(
          Array(codes[slot * rowLength..<(slot + 1) * rowLength]),
          condition: conditions.map {
            Array($0[slot * conditionLength..<(slot + 1) * conditionLength])
          }, id: ids[row], name: names[row])
      }
      histogram.add(codes)
      try progress(.encoded(rows: rows.count))
    }
    for label in reader.contents.labelNames {
      writer.setLabels(label, try reader.contents.labels(label))
    }
    writer.setLists(
      captions: try reader.contents.captions, objects: try reader.contents.objects,
      categories: try reader.contents.categories)
    return try writer.finish()
  }

  private func header(of reader: ImageShardReader) -> CodeShardHeader {
    CodeShardHeader(
      grid: stage.codes(ofHeight: plan.height, width: plan.width),
      sourceShards: [EncodingPlan.fileName(of: reader.path)], source: reader.header.source,
      split: reader.header.split, toolVersion: toolVersion,
      downsampling: stage.config.downsampling,
      condition: condition.map {
        ConditionCodes(
          input: VQGANInputKind($0.config).rawValue,
          grid: $0.codes(ofHeight: plan.height, width: plan.width))
      })
  }

  /// The maps of labels or depth that a conditioning VQGAN reads, one after the other; nil where it reads images.
  ///
  /// - Throws: `EncodingError.label`.
  private static func maps(
    of rows: Range<Int>, in reader: ImageShardReader, for condition: FirstStage?
  ) throws -> [UInt8]? {
    guard let config = condition?.config else { return nil }
    switch VQGANInputKind(config) {
    case .images: return nil
    case .depth: return try rows.flatMap { DepthBytes.of(try reader.depth($0) ?? []) }
    case .segmentation:
      let labels = try rows.flatMap { try reader.segmentation($0) ?? [] }
      if let wrong = labels.first(where: { Int($0) >= config.inChannels }) {
        throw EncodingError.label(path: reader.path, found: Int(wrong), labels: config.inChannels)
      }
      return labels
    }
  }

  private static func rows(of batch: Int, _ batchSize: Int, _ count: Int) -> Range<Int> {
    batch * batchSize..<min((batch + 1) * batchSize, count)
  }

  /// Images one after the other, `[rows.count, H, W, 3]`.
  private static func pixels(
    of rows: Range<Int>, in reader: ImageShardReader
  ) throws(ShardError) -> [UInt8] {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(rows.count * reader.rowBytes)
    for row in rows { pixels += try reader.pixels(row) }
    return pixels
  }
}

/// What happens while images are encoded.
package enum EncodingEvent: Equatable, Sendable {
  /// An earlier run has left a finished shard.
  case found(rows: Int)
  case encoded(rows: Int)
}

/// What an encoding run has left.
package struct EncodingOutcome {
  /// Every code shard, in the order of the image shards.
  package internal(set) var shards: [(path: String, rows: Int)] = []
  /// The codes of all shards.
  package internal(set) var histogram: CodeHistogram
  /// Rows that an earlier run has encoded.
  package internal(set) var earlier = 0
}
