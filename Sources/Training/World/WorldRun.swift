// The training run of a world model: its batches and metrics.
import Foundation
import Models
import NN
import Shards
import TensorCore

package typealias WorldTrainer = TransformerTrainer<WorldModel>

/// The training run of a world model in its folder.
package typealias WorldRun = TransformerRun<WorldTask>

/// What the training of a world model has of its own.
package enum WorldTask: TransformerTask {
  package static let validationItems = 256

  package static func validateEvery(_ config: WorldRunConfig) -> Int { config.validateEvery }

  package static func description(_ config: WorldRunConfig) -> WorldDescription {
    config.description
  }

  package static func trainer(
    _ config: WorldRunConfig, using random: inout RandomSource, on device: Device
  ) throws -> WorldTrainer {
    var trainer = WorldTrainer(
      of: WorldModel(config.model, using: &random, on: device), weightDecay: config.weightDecay)
    trainer.optimizer = Adam(beta1: 0.9, beta2: config.adamBeta2)
    return trainer
  }

  package static func load(
    _ trainer: inout WorldTrainer, from path: String, _ config: WorldRunConfig
  ) throws {
    let file = try WorldStageFile.open(path, weights: config.initWeights ?? .ema)
    try ModelFiles.load(&trainer.model, from: file.tensors)
    try trainer.model.requireFiniteResults(of: path)
    if config.initOptimizer == true { try OptimizerStates.ofRun(path).load(&trainer) }
  }

  package static func batch(
    _ items: [Int], of data: WorldData, _ config: WorldRunConfig, using random: inout RandomSource
  ) -> WorldSteps {
    let sequences = items.map { item in
      switch config.sampling {
      case .steps: data.sequence(item)
      case .episodes: data.sequence(using: &random)
      }
    }
    var steps = WorldSteps(
      sequences, of: config.model, noise: config.noise, predictsFirst: config.predictsFirst,
      using: &random)
    (steps.rewardWeight, steps.endWeight) = (config.rewardWeight, config.endWeight)
    return steps
  }

  package static func metrics(_ losses: [Double]) -> [Metric] {
    func part(_ index: Int) -> Double? { index < losses.count ? losses[index] : nil }
    return [
      Metric("train/bits_per_token", part(1).map { $0 / log(2) }),
      Metric("train/reward_loss", part(2)), Metric("train/end_loss", part(3)),
    ]
  }

  package static let validationColumns = validationMetrics(WorldScores(), codes: 1).map(\.name)

  /// The loss of the codes is the one by which the best is chosen.
  private static func validationMetrics(_ scores: WorldScores, codes: Int) -> [Metric] {
    [
      Metric("val/loss", scores.nats), Metric("val/bits_per_token", scores.nats / log(2)),
      Metric("val/bits_per_frame", scores.bitsPerFrame(codes: codes)),
      Metric("val/accuracy", scores.accuracy),
      Metric("val/accuracy_changed", scores.changedAccuracy),
      Metric("val/accuracy_copy", scores.copyAccuracy),
      Metric("val/reward_loss", scores.rewardLoss), Metric("val/end_loss", scores.endLoss),
    ]
  }

  /// The metrics over evenly spread sequences, without noise and of images but the first.
  package static func validate(
    _ trainer: WorldTrainer, on data: WorldData, _ config: WorldRunConfig,
    unless shouldStop: () -> Bool
  ) -> [Metric]? {
    let scores = data.scores(
      of: trainer.validated, sequences: validationItems, batchSize: config.batchSize,
      unless: shouldStop)
    return scores.map { validationMetrics($0, codes: config.model.codes) }
  }
}

extension WorldData {
  /// What a model says of evenly spread sequences; `nil` if asked to stop.
  package func scores(
    of model: WorldModel, sequences: Int, batchSize: Int, unless shouldStop: () -> Bool
  ) -> WorldScores? {
    let numbers = evenRows(sequences, of: count)
    var scores = WorldScores()
    for start in Swift.stride(from: 0, to: numbers.count, by: batchSize) {
      if shouldStop() { return nil }
      let batch = numbers[start..<min(start + batchSize, numbers.count)].map { sequence($0) }
      scores.add(WorldSteps(batch, of: model.config), under: model)
    }
    return scores
  }
}
