// Image shards to code shards.
import DurableFiles
import Foundation
import Models
import RowMaps
import Shards
import TensorCore

/// Writes the code shards of a plan, continuing at the first that is missing.
///
/// The bytes of a code shard are a function of its image shard, the VQGAN, the batch size and the
/// kind of processor.
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
  ///   - checking: told of the shards of an earlier run, as `progress` is.
  ///   - locked: called once it is.
  ///   - progress: told what happens, in the calling thread; what it throws ends the run, and
  ///     finished shards stay.
  /// - Throws: `EncodingError`, `ShardError`, and what `progress` throws.
  package func run(
    in path: String, checking: (ShardCheck) throws -> Void = { _ in }, locked: () -> Void = {},
    progress: (EncodingEvent) throws -> Void
  ) throws -> EncodingOutcome {
    let folder = try ShardFolder(
      path, plan: plan.shards, sources: plan.sources.values.map(\.path), checking: checking)
    locked()
    var outcome = EncodingOutcome(
      histogram: CodeHistogram(
        codebookSize: stage.config.codes, depth: stage.config.depth))
    for path in folder.finishedPaths {
      let shard = try CodeShardReader(path)
      for row in 0..<shard.count { outcome.histogram.add(try shard.codes(row)) }
      outcome.earlier += shard.count
      try progress(.found(rows: shard.count))
    }
    for shard in folder.unfinished {
      try folder.begin(shard)
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
    let reader = try ImageShardReader(source.path)
    try reader.contents.requireUnchanged(since: source.stamp)
    let (ids, names) = (try reader.contents.ids, try reader.contents.names)
    let writer = try CodeShardWriter(path, header: header(of: reader))
    let rowLength = writer.header.grid.count
    let batchSize = batchSize
    let batches = (reader.count + batchSize - 1) / batchSize
    // Two threads read ahead; they sleep most of the time.
    let (stage, condition) = (stage, condition)
    try inOrder(count: batches, threads: 2) { batch in
      let rows = Self.rows(of: batch, batchSize, reader.count)
      return (
        images: try Self.values(of: rows, in: reader, for: stage.config),
        maps: try condition.flatMap { condition in
          let (own, other) = (stage.config, condition.config)
          return own.input == other.input && own.palette == other.palette
            ? nil : try Self.values(of: rows, in: reader, for: other)
        }
      )
    } consume: { batch, read in
      let rows = Self.rows(of: batch, batchSize, reader.count)
      let images = input(read.images, of: stage.config.input, count: rows.count)
      let codes = try stage.encode(images).elements
      let conditions = try condition.map { condition in
        let maps = read.maps.map { input($0, of: condition.config.input, count: rows.count) }
        return try condition.encode(maps ?? images).elements
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
    try reader.contents.requireUnchanged(since: source.stamp)
    return try writer.finish()
  }

  private func header(of reader: ImageShardReader) -> CodeShardHeader {
    CodeShardHeader(
      grid: stage.codes(ofHeight: plan.height, width: plan.width),
      sourceShards: [URL(fileURLWithPath: reader.path).lastPathComponent],
      source: reader.header.source,
      split: reader.header.split, toolVersion: toolVersion,
      downsampling: stage.config.downsampling,
      condition: condition.map {
        ConditionCodes(
          input: $0.config.input.rawValue,
          grid: $0.codes(ofHeight: plan.height, width: plan.width))
      })
  }

  private static func rows(of batch: Int, _ batchSize: Int, _ count: Int) -> Range<Int> {
    batch * batchSize..<min((batch + 1) * batchSize, count)
  }

  /// Images or maps one after the other, `[rows.count, H, W, channels]`; with a palette the images'
  /// colours, whether or not the shard has palette maps.
  ///
  /// - Throws: `ShardError`, `EncodingError.label`, `EncodingError.color`.
  private static func values(
    of rows: Range<Int>, in reader: ImageShardReader, for config: VQGANConfig
  ) throws -> RowValues {
    let (header, map) = (reader.header, config.input)
    let whole = RowWindow(top: 0, left: 0, height: header.height, width: header.width)
    let values = try rows.map { row in
      config.palette == nil
        ? try reader.row(row, map, labels: config.inChannels)
        : try config.rows(of: try reader.pixels(row), named: "\(reader.path), row \(row)")
    }
    return RowValues(values.map { ($0, whole) }, of: map, width: header.width)
  }

  private func input(_ values: RowValues, of map: RowMap, count: Int) -> VQGANInput {
    VQGANInput(
      values, of: map, count: count, height: plan.height, width: plan.width, on: device)
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
