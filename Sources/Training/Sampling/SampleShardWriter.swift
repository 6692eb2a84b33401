// Samples in a code shard.
import Shards

/// Writes samples into one code shard, with their labels where they have one.
package struct SampleShardWriter {
  private let writer: CodeShardWriter
  private let condition: GPTCondition?
  private var labels: [Int32] = []

  /// - Parameter conditions: what the samples' condition codes are, to be kept beside the codes;
  ///   nil for none.
  /// - Throws: `ShardError`.
  package init(
    _ path: String, of sampler: ImageSampler, conditions: ConditionCodes? = nil,
    toolVersion: String
  ) throws(ShardError) {
    condition = sampler.gpt.condition
    var grid = sampler.gpt.codes
    (grid.height, grid.width) = (sampler.grid.height, sampler.grid.width)
    grid.codesFingerprint = sampler.vqgan.fingerprints.codes
    writer = try CodeShardWriter(
      path,
      header: CodeShardHeader(
        grid: grid, sourceShards: [], source: "sample-gpt", split: "samples",
        toolVersion: toolVersion, downsampling: sampler.vqgan.config.downsampling,
        condition: conditions))
  }

  /// - Parameter name: of the row; the sample's if left out.
  package mutating func append(_ sample: Sample, _ codes: [Int32], name: String? = nil) {
    var conditionCodes: [Int32]?
    if writer.header.condition != nil, case .grid(let codes, _) = sample.condition {
      conditionCodes = codes
    }
    if case .tokens(let tokens) = sample.condition { labels += tokens }
    writer.append(
      codes, condition: conditionCodes, id: Int64(sample.number), name: name ?? sample.name)
  }

  /// - Throws: `ShardError`.
  @discardableResult
  package func finish() throws(ShardError) -> FinishedShard {
    if case .label(let label) = condition?.kind { writer.setLabels(label.column, .int32(labels)) }
    return try writer.finish()
  }
}
