// Thousands of samples into code shards, resumable.
import Models
import Shards
import TensorCore

/// Samples samples into a folder of code shards and continues at the first that is missing.
package struct SampleShards {
  private let sampler: ImageSampler
  private let options: SamplingOptions
  private let batchSize: Int
  private let toolVersion: String
  private let plan: ShardPlan

  /// - Parameters:
  ///   - count: samples in all.
  ///   - shardSize: samples of a shard.
  ///   - what: the options that decide about the samples, by name: a folder that was begun with
  ///     others is refused.
  package init(
    _ sampler: ImageSampler, options: SamplingOptions, count: Int, shardSize: Int,
    batchSize: Int, toolVersion: String, deciding what: [String: String]
  ) {
    self.sampler = sampler
    self.options = options
    self.batchSize = batchSize
    self.toolVersion = toolVersion
    let decisive = [
      "gpt": sampler.gpt.model.fingerprint,
      "grid": "\(sampler.grid)", "temperature": "\(options.temperature)",
      "top_k": options.topK.map { "\($0)" } ?? "all", "top_p": "\(options.topP ?? 1)",
      "greedy": "\(options.isGreedy)", "guidance": "\(options.guidance)",
    ].merging(what) { $1 }
    let vqgan = sampler.vqgan.fingerprints
    plan = ShardPlan(
      shards: PlannedShard.cut(series: "samples", samples: 0..<count, size: shardSize), inputs: [],
      options: decisive.merging(["codes_fingerprint": vqgan.codes]) { $1 },
      former: decisive.merging(["vqgan_fingerprint": vqgan.vqgan]) { $1 })
  }

  /// Samples what is missing.
  ///
  /// - Parameters:
  ///   - path: the folder, made when missing and locked.
  ///   - sample: that of a position in the run.
  ///   - checking: told of the shards of an earlier run; what it throws ends this one.
  ///   - found: told the samples of an earlier run.
  ///   - progress: called after every step; what it throws ends the run, and finished shards stay.
  /// - Returns: all shards, with their samples.
  /// - Throws: `ShardError`, and what `sample` and `progress` throw.
  package func run(
    in path: String, _ sample: (_ position: Int) throws -> Sample,
    checking: (ShardCheck) throws -> Void = { _ in }, found: (_ samples: Int) -> Void,
    progress: (_ codes: Int) throws -> Void
  ) throws -> [(path: String, samples: Int)] {
    let folder = try ShardFolder(path, plan: plan, checking: checking)
    let missing = folder.unfinished
    let all = folder.plan.shards
    found(all.reduce(0) { $0 + $1.samples.count } - missing.reduce(0) { $0 + $1.samples.count })
    // Condition codes belong to grids of the trained size.
    var conditions: ConditionCodes?
    if case .codes(let codes) = sampler.gpt.condition?.kind,
      sampler.grid == sampler.gpt.trainedGrid
    {
      conditions = codes
    }
    for shard in missing {
      try folder.begin(shard)
      var writer = try SampleShardWriter(
        folder.path(of: shard), of: sampler, conditions: conditions, toolVersion: toolVersion)
      try sampler.draw(
        shard.samples, sample, options, batchSize: batchSize, progress: progress
      ) { writer.append($0, $1) }
      try folder.record(shard, try writer.finish(), skipped: [])
    }
    return all.map { (folder.path(of: $0), $0.samples.count) }
  }
}
