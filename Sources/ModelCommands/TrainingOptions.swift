// The options that all training commands share.
import ArgumentParser
import Checkpoints
import CommandSupport
import Foundation
import Training

private let defaults = LoopSettings.defaults

/// What a training command is told about its run, whatever it trains.
package struct TrainingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Run folder.", valueName: "folder")) package var out: String

  @Flag(
    help:
      "Continue the run in the folder with its own options; others given must agree with them.")
  package var resume = false

  @Flag(
    help: """
      Write no run; measure some steps and print what all would take: time, memory, size on disk.
      """)
  package var estimate = false

  @Option(help: "Training steps; may be raised with --resume.") package var steps: Int?

  @Option(help: "Items of one batch.") package var batchSize: Int?

  @Option(
    help: "Batches whose gradients are averaged for one step (default: \(defaults.accumulate)).")
  package var accumulate: Int?

  @Option(help: "Peak learning rate.") package var learningRate: Float?

  @Option(help: "Learning rate over the run: constant or cosine.")
  package var schedule: LearningRate.Schedule?

  @Option(help: "Steps of linear rise of the learning rate.") package var warmup: Int?

  @Option(help: "Step at which the schedule ends (default: that of --steps).")
  package var scheduleSteps: Int?

  @Option(
    help: ArgumentHelp(
      "Clip the gradient norm of a step to this (default: none).", valueName: "norm"))
  package var clip: Float?

  @Option(
    help: ArgumentHelp(
      "Keep a moving average of the weights with this decay, such as 0.999, for use.",
      valueName: "decay"))
  package var ema: Float?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Shards to validate on.", valueName: "shard"))
  package var validation: [String] = []

  @Option(
    help: ArgumentHelp(
      "Run, checkpoint or file of weights to take the model and its first weights from.",
      valueName: "path"))
  package var initFrom: String?

  @Option(help: "Which weights to take there where it has an EMA of them (default: ema).")
  package var initWeights: WeightChoice?

  @Flag(help: "Take the states of the optimizers from there too.") package var initOptimizer = false

  @Flag(
    inversion: .prefixedNo,
    help: "Shuffle the data anew for every epoch (default: \(defaults.shuffles ? "yes" : "no")).")
  package var shuffle: Bool?

  @Option(
    help: ArgumentHelp(
      "Seed of every random choice; the same seed gives the same bytes (default: \(defaults.seed)).",
      valueName: "number"))
  package var seed: UInt64?

  @Option(help: "Steps between checkpoints (default: \(defaults.checkpointEvery)).")
  package var checkpointEvery: Int?

  @Option(help: "Checkpoints to keep (default: \(defaults.keepCheckpoints)).")
  package var keepCheckpoints: Int?

  @Flag(
    inversion: .prefixedNo,
    help: "Keep the checkpoint of the lowest validation loss too (default: no).")
  package var keepBest: Bool?

  @Option(
    help: """
      When a loss or a gradient is not finite: stop, or skip the step (default: \
      \(NonfinitePolicy.stop.rawValue)).
      """)
  package var onNonfinite: NonfinitePolicy?

  @Option(help: "Steps between rows of metrics.csv (default: \(defaults.logEvery)).")
  package var logEvery: Int?

  package init() {}

  package func validate() throws {
    var loop = defaults
    apply(to: &loop)
    if let problem = loop.problem {
      let names = ["learning_rate.peak": "learning_rate", "learning_rate.steps": "schedule_steps"]
      let name = names[problem.key] ?? problem.key
      let option = name.split(separator: ".").last?.replacing("_", with: "-") ?? ""
      throw ValidationError("--\(option) must be \(problem.demand), got \(problem.value).")
    }
    if estimate, resume {
      throw ValidationError("--estimate and --resume: an estimate is of a new run.")
    }
    if initOptimizer, initFrom == nil {
      throw ValidationError("--init-optimizer needs --init-from.")
    }
    if initWeights != nil, initFrom == nil {
      throw ValidationError("--init-weights needs --init-from.")
    }
  }

  /// Puts the options that were given into the settings of a run.
  func apply(to loop: inout LoopSettings) {
    if let steps { loop.steps = steps }
    if let batchSize { loop.batchSize = batchSize }
    if let accumulate { loop.accumulate = accumulate }
    if let learningRate { loop.learningRate.peak = learningRate }
    if let schedule { loop.learningRate.schedule = schedule }
    if let warmup { loop.learningRate.warmup = warmup }
    if let scheduleSteps { loop.learningRate.steps = scheduleSteps }
    if let clip { loop.clip = clip }
    if let ema { loop.ema = ema }
    if let initFrom { loop.initFrom = Self.absolute(initFrom) }
    if let initWeights { loop.initWeights = initWeights }
    if initOptimizer { loop.initOptimizer = true }
    if let shuffle { loop.shuffles = shuffle }
    if let seed { loop.seed = seed }
    if let checkpointEvery { loop.checkpointEvery = checkpointEvery }
    if let keepCheckpoints { loop.keepCheckpoints = keepCheckpoints }
    if let keepBest { loop.keepBest = keepBest ? true : nil }
    if let onNonfinite { loop.onNonfinite = onNonfinite == .stop ? nil : onNonfinite }
    if let logEvery { loop.logEvery = logEvery }
  }

  /// The path from the root: runs are continued from other folders too.
  package static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }
}

extension WeightChoice: ExpressibleByArgument {}
extension LearningRate.Schedule: ExpressibleByArgument {}
extension NonfinitePolicy: ExpressibleByArgument {}
