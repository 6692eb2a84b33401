// The training run of a GPT: its data, batches and metrics.
import Checksums
import Foundation
import Models
import Shards
import TensorCore

/// The codes of a data set, in the model's order, and what stands before them.
package struct GPTData: TransformerData {
  package let codes: CodeTable
  /// The condition's tokens; nil for the start token.
  package let conditions: CodeTable?

  package init(codes: CodeTable, conditions: CodeTable? = nil) {
    (self.codes, self.conditions) = (codes, conditions)
  }

  package var identity: String {
    var hash = SHA256()
    codes.add(to: &hash)
    conditions?.add(to: &hash)
    return hexadecimal(hash.finalize())
  }

  package var count: Int { codes.count }
  package var itemLength: Int { codes.rowLength }
  package var unigramEntropy: Double { codes.unigramEntropy }

  /// What stands before the given rows, `[rows.count, length]`.
  func conditionTokens(_ rows: [Int]) -> IndexTensor {
    conditions?.codes(rows) ?? TokenSequences.unconditional(rows.count)
  }
}

/// A GPT training run in its folder.
package typealias GPTRun = TransformerRun<GPTTask>

/// What the training of a GPT has of its own.
package enum GPTTask: TransformerTask {
  package static let validationItems = 1024

  package static func validateEvery(_ config: GPTRunConfig) -> Int { config.validateEvery }

  package static func description(_ config: GPTRunConfig) -> GPTDescription { config.description }

  package static func trainer(
    _ config: GPTRunConfig, using random: inout RandomSource, on device: Device
  ) throws -> GPTTrainer {
    try GPTTrainer(
      GPT(config.model, using: &random, on: device), weightDecay: config.weightDecay)
  }

  package static func load(
    _ trainer: inout GPTTrainer, from path: String, _ config: GPTRunConfig
  ) throws {
    let weights = try GPTWeights.open(
      path, heads: config.model.heads, weights: config.initWeights ?? .ema)
    try ModelFiles.load(&trainer.model, from: weights.tensors)
    try trainer.model.requireFiniteResults(of: path)
    if config.initOptimizer == true { try OptimizerStates.ofGPT(path).load(&trainer) }
  }

  package static func batch(
    _ rows: [Int], of data: GPTData, _ config: GPTRunConfig, using random: inout RandomSource
  ) -> TokenSequences {
    var conditions = data.conditionTokens(rows)
    if let rate = config.conditionDropout, let null = config.condition?.nullToken {
      let length = conditions.shape[1]
      for item in rows.indices where random.uniform() < rate {
        for position in item * length..<(item + 1) * length {
          conditions.elements[position] = Int32(null)
        }
      }
    }
    return TokenSequences(
      codes: data.codes.codes(rows), conditions: conditions, keeping: config.keepProbability,
      vocabSize: config.model.vocabSize, using: &random)
  }

  package static func metrics(_ losses: [Double]) -> [Metric] {
    [Metric("train/bits_per_token", losses.first.map { $0 / log(2) })]
  }

  package static let validationColumns = validationMetrics(0, 0).map(\.name)

  private static func validationMetrics(_ loss: Double, _ entropy: Double) -> [Metric] {
    [
      Metric("val/loss", loss), Metric("val/bits_per_token", loss / log(2)),
      Metric("val/unigram_entropy", entropy),
    ]
  }

  /// The metrics over evenly spread rows.
  package static func validate(
    _ trainer: GPTTrainer, on data: GPTData, _ config: GPTRunConfig, unless shouldStop: () -> Bool
  ) -> [Metric]? {
    trainer.validate(
      data, rows: evenRows(validationItems, of: data.codes.count), batchSize: config.batchSize,
      unless: shouldStop
    ).map { validationMetrics($0, data.codes.unigramEntropy) }
  }
}
