// Which code shard is made of which image shard.
import Checksums
import DurableFiles
import Foundation
import Models
import Shards

/// One code shard for each image shard, of the same file name, made by one VQGAN.
package struct EncodingPlan: Sendable {
  /// The image shards by the name of their code shard.
  package let sources: [String: PlannedSource]
  /// The code shards in the order of the image shards.
  package let shards: ShardPlan
  /// Images of all shards.
  package let count: Int
  /// Of every image, pixels.
  package let height, width: Int

  /// Opens every shard and checks that the VQGAN takes its images.
  ///
  /// - Throws: `EncodingError`, `ShardError`.
  /// - Parameter condition: the VQGAN that makes condition codes of the same images or their maps.
  package init(_ paths: [String], for stage: FirstStage, condition: FirstStage? = nil) throws {
    try stage.requireColourImages()
    let images = try ImageShardSet(paths)
    for factor in [stage, condition].compactMap({ $0?.config.downsampling })
    where images.height % factor != 0 || images.width % factor != 0 {
      throw EncodingError.size(
        path: paths[0], width: images.width, height: images.height, factor: factor)
    }
    if let condition, condition.config.palette == nil {
      try images.require(condition.config.input)
    }
    var options = ["codes_fingerprint": stage.fingerprints.codes]
    var former = ["vqgan_fingerprint": stage.fingerprint]
    if let condition {
      options["condition_codes_fingerprint"] = condition.fingerprints.codes
      former["condition_fingerprint"] = condition.fingerprint
    }
    (shards, sources) = try ShardPlan.oneForEach(of: images, options: options, former: former)
    count = images.count
    (height, width) = (images.height, images.width)
  }
}

/// A shard that is read, as it was when the plan was made.
package struct PlannedSource: Equatable, Sendable {
  package let path: String
  package let stamp: FileStamp
}

extension ShardPlan {
  /// One shard for each of the given ones, of the same file name and rows; with those by these
  /// names.
  ///
  /// - Throws: `EncodingError.sameName`, `ShardError`.
  static func oneForEach<Reader>(
    of shards: ShardSet<Reader>, options: [String: String], former: [String: String]
  ) throws -> (plan: ShardPlan, sources: [String: PlannedSource]) {
    var sources: [String: PlannedSource] = [:]
    var planned: [PlannedShard] = []
    var inputs: [PlannedInput] = []
    var start = 0
    for (path, stamp) in zip(shards.paths, shards.stamps) {
      let name = URL(fileURLWithPath: path).lastPathComponent
      if let other = sources[name] { throw EncodingError.sameName(path: path, other: other.path) }
      sources[name] = PlannedSource(path: path, stamp: stamp)
      let contents = try ShardContents(path)
      try contents.requireUnchanged(since: stamp)
      planned.append(PlannedShard(name: name, samples: start..<start + contents.count))
      inputs.append(
        PlannedInput(
          name: "\(name) \(try contents.identity)", bytes: contents.fileBytes))
      start += contents.count
    }
    return (
      ShardPlan(shards: planned, inputs: inputs, options: options, former: former), sources
    )
  }
}

extension FirstStage {
  /// Refuses a VQGAN that does not turn colour images into such.
  package func requireColourImages() throws(EncodingError) {
    if config.palette != nil { return }
    for channels in [config.inChannels, config.outChannels] where channels != 3 {
      throw .channels(path: path, found: channels)
    }
    if config.input != .images { throw .input(path: path, found: config.input) }
  }

  /// Images of one size that fit into one batch, so that the widest activation stays below 128 MiB;
  /// at most 32.
  package func batchSize(height: Int, width: Int) -> Int {
    min(max(1 << 25 / (config.ch * height * width), 1), 32)
  }
}
