// The settings of the loop that every training run has.
import Checkpoints

/// What a run trains on, for how long, and what it keeps; keys of `config.json`.
package struct LoopSettings: Codable, Equatable, Sendable {
  package var shards: [String] = []
  package var validation: [String] = []
  package var initFrom: String?  // run, checkpoint or file of the first weights
  package var initWeights: WeightChoice?  // which of its weights; nil for its averages
  package var initOptimizer: Bool?  // whether the optimizers go on from there too
  package var seed: UInt64 = 0
  package var shuffles = true
  package var steps: Int
  package var batchSize: Int
  package var accumulate = 1  // batches whose gradients are averaged for one step
  package var learningRate: LearningRate
  package var clip: Float?  // max gradient norm of each optimizer; nil for no limit
  package var ema: Float?  // decay of the moving average of the weights; nil for none
  package var checkpointEvery = 500  // steps
  package var keepCheckpoints = 3
  package var keepBest: Bool?  // whether the checkpoint of the lowest validation loss stays too
  package var onNonfinite: NonfinitePolicy?  // nil for stop
  package var logEvery = 10  // steps

  package init(steps: Int, batchSize: Int, learningRate: LearningRate) {
    self.steps = steps
    self.batchSize = batchSize
    self.learningRate = learningRate
  }

  /// The settings that no option changes; how long a run takes depends on what it trains.
  package static let defaults = LoopSettings(
    steps: 1, batchSize: 1, learningRate: LearningRate(peak: 1))

  enum CodingKeys: String, CodingKey {
    case shards, validation, seed, shuffles, steps, accumulate, clip, ema
    case initFrom = "init_from"
    case initWeights = "init_weights"
    case initOptimizer = "init_optimizer"
    case batchSize = "batch_size"
    case learningRate = "learning_rate"
    case checkpointEvery = "checkpoint_every"
    case keepCheckpoints = "keep_checkpoints"
    case logEvery = "log_every"
    case keepBest = "keep_best"
    case onNonfinite = "on_nonfinite"
  }

  static let changeableKeys: Set = [
    "steps", "learning_rate.steps", "checkpoint_every", "keep_checkpoints", "keep_best",
    "on_nonfinite", "log_every",
  ]
}

/// What a run does when a loss or a gradient is not finite.
package enum NonfinitePolicy: String, Codable, CaseIterable, Sendable {
  /// Saves the state before the step and ends.
  case stop
  /// Leaves the weights as they are, warns, and goes on with the next step.
  case skip
}

/// A value that a key of a configuration cannot have.
package struct UnfitValue: CustomStringConvertible {
  package let key: String
  package let value: String
  /// What it must be, such as "positive" or "in 1...1024".
  package let demand: String

  package var description: String { "\(key) is \(value); it must be \(demand)" }
}

extension LoopSettings {
  /// The first value that is impossible.
  package var problem: UnfitValue? {
    let counts = [
      ("steps", steps, 1...1_000_000_000), ("batch_size", batchSize, 1...65_536),
      ("accumulate", accumulate, 1...65_536),
      ("checkpoint_every", checkpointEvery, 1...1_000_000_000),
      ("keep_checkpoints", keepCheckpoints, 1...1_000_000),
      ("log_every", logEvery, 1...1_000_000_000),
      ("learning_rate.warmup", learningRate.warmup, 0...999_999_999),
      ("learning_rate.steps", learningRate.steps ?? 1, 1...1_000_000_000),
    ]
    for (key, value, range) in counts where !range.contains(value) {
      return UnfitValue(key: key, value: "\(value)", demand: "in \(range)")
    }
    for (key, value) in [("learning_rate.peak", learningRate.peak), ("clip", clip ?? 1)]
    where !(value > 0 && value.isFinite) {
      return UnfitValue(key: key, value: "\(value)", demand: "positive")
    }
    if let ema, !(ema > 0 && ema < 1) {
      return UnfitValue(key: "ema", value: "\(ema)", demand: "between 0 and 1")
    }
    return nil
  }
}
