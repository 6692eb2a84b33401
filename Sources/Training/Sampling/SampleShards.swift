// Thousands of samples into code shards, resumable.
import Checksums
import Models
import Shards
import TensorCore

/// Draws samples into a folder of code shards and continues at the first that is missing.
package struct SampleShards {
  private let sampler: PictureSampler
  private let options: SamplingOptions
  private let batchSize: Int
  private let toolVersion: String
  private let plan: ShardPlan

  /// - Parameters:
  ///   - count: samples in all.
  ///   - shardSize: samples of a shard.
  ///   - what: the options that decide about the samples, by name: a folder that was begun with others is refused.
  package init(
    _ sampler: PictureSampler, options: SamplingOptions, count: Int, shardSize: Int,
    batchSize: Int, toolVersion: String, deciding what: [String: String]
  ) {
    self.sampler = sampler
    self.options = options
    self.batchSize = batchSize
    self.toolVersion = toolVersion
    let decisive = [
      "gpt": sampler.gpt.fingerprint, "vqgan_fingerprint": sampler.vqgan.fingerprint,
      "grid": "\(sampler.grid)", "temperature": "\(options.temperature)",
      "top_k": options.topK.map { "\($0)" } ?? "all", "top_p": "\(options.topP ?? 1)",
      "greedy": "\(options.isGreedy)", "guidance": "\(options.guidance)",
    ]
    plan = ShardPlan(
      shards: PlannedShard.cut(series: "samples", samples: 0..<count, size: shardSize), inputs: [],
      options: decisive.merging(what) { $1 })
  }

  /// SHA-256 of what decides about samples besides their random numbers.
  package static func digest(_ starts: [SampleStart]) -> String {
    var hash = SHA256()
    for start in starts {
      let text = "\(start.codes ?? []) \(start.condition.map { "\($0)" } ?? "");"
      Array(text.utf8).withUnsafeBytes { hash.update($0) }
    }
    return hexadecimal(hash.finalize())
  }

  /// Draws what is missing.
  ///
  /// - Parameters:
  ///   - path: the folder, made when missing and locked.
  ///   - request: of a sample's number.
  ///   - isGiven: the cells that keep the request's codes.
  ///   - found: told the samples of an earlier run.
  ///   - progress: called after every code of a batch; what it throws ends the run, and finished shards stay.
  /// - Returns: all shards, with their samples.
  /// - Throws: `ShardError`, and what `progress` throws.
  package func run(
    in path: String, isGiven: [Bool]?, _ request: (Int) -> SampleRequest,
    found: (_ samples: Int) -> Void, progress: (_ codes: Int) throws -> Void
  ) throws -> [(path: String, samples: Int)] {
    let folder = try ShardFolder(path, plan: plan)
    let missing = folder.unfinished
    let all = folder.plan.shards
    found(all.reduce(0) { $0 + $1.samples.count } - missing.reduce(0) { $0 + $1.samples.count })
    for shard in missing {
      var header = sampler.header(toolVersion: toolVersion)
      let condition = sampler.gpt.condition
      if condition?.kind == .codes, let grid = condition?.grid {
        header.condition = ConditionCodesHeader(
          input: condition?.input ?? "", height: grid.height, width: grid.width,
          codebookSize: grid.codebookSize, fingerprint: grid.fingerprint, vqganPath: grid.vqgan)
      }
      if sampler.grid != sampler.gpt.trainedGrid { header.condition = nil }
      let writer = try CodeShardWriter(folder.path(of: shard), header: header)
      var labels: [Int32] = []
      for start in stride(
        from: shard.samples.lowerBound, to: shard.samples.upperBound, by: batchSize)
      {
        let requests = (start..<min(start + batchSize, shard.samples.upperBound)).map(request)
        let drawn = try sampler.codes(
          requests, isGiven: isGiven, options: options, progress: progress)
        for (request, codes) in zip(requests, drawn) {
          var conditionCodes: [Int32]?
          if case .grid(let tokens, _) = request.condition { conditionCodes = tokens }
          if case .tokens(let tokens) = request.condition { labels += tokens }
          writer.append(
            codes, condition: header.condition == nil ? nil : conditionCodes,
            id: Int64(request.number), name: request.name)
        }
      }
      if let column = condition?.column, labels.count == shard.samples.count {
        writer.setLabels(column, .int32(labels))
      }
      try folder.record(shard, try writer.finish(), skipped: [])
    }
    return all.map { (folder.path(of: $0), $0.samples.count) }
  }
}

extension SecondStage {
  /// SHA-256 over names, shapes and values of all weights.
  package var fingerprint: String {
    var hash = SHA256()
    for (name, tensor) in model.namedTensors {
      FirstStage.add(name, tensor.shape, to: &hash)
      tensor.withElements { hash.update(UnsafeRawBufferPointer($0)) }
    }
    return hexadecimal(hash.finalize())
  }
}
