// The options that all training commands share.
import ArgumentParser
import CommandSupport
import Foundation
import Training

/// What a training command is told about its run, whatever it trains.
package struct TrainingOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Run folder.", valueName: "folder")) package var out: String

  @Flag(
    help:
      "Continue the run in the folder with its own options; others given must agree with them.")
  package var resume = false

  @Option(help: "Training steps; may be raised with --resume.") package var steps: Int?

  @Option(help: "Items of one batch.") package var batchSize: Int?

  @Option(help: "Batches whose gradients are averaged for one step.") package var accumulate: Int?

  @Option(help: "Peak learning rate.") package var learningRate: Float?

  @Option(help: "Learning rate over the run: constant or cosine.")
  package var schedule: LearningRate.Schedule?

  @Option(help: "Steps of linear rise of the learning rate.") package var warmup: Int?

  @Option(
    help: ArgumentHelp(
      "Longest gradient of a step; longer ones are shortened (default: none).", valueName: "norm"))
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

  @Flag(inversion: .prefixedNo, help: "Shuffle the data anew for every epoch (default: yes).")
  package var shuffle: Bool?

  @Option(
    help: ArgumentHelp(
      "Seed of every random choice; the same seed gives the same bytes (default: 0).",
      valueName: "number"))
  package var seed: UInt64?

  @Option(help: "Steps between checkpoints (default: 500).") package var checkpointEvery: Int?

  @Option(help: "Checkpoints to keep (default: 3).") package var keepCheckpoints: Int?

  @Option(help: "Steps between rows of metrics.csv (default: 10).") package var logEvery: Int?

  package init() {}

  package func validate() throws {
    let counts: [(String, Int?, ClosedRange<Int>)] = [
      ("--steps", steps, 1...1_000_000_000), ("--batch-size", batchSize, 1...65_536),
      ("--accumulate", accumulate, 1...65_536), ("--warmup", warmup, 0...999_999_999),
      ("--checkpoint-every", checkpointEvery, 1...1_000_000_000),
      ("--keep-checkpoints", keepCheckpoints, 1...1_000_000),
      ("--log-every", logEvery, 1...1_000_000_000),
    ]
    for (name, value, range) in counts {
      if let value, !range.contains(value) {
        throw ValidationError("\(name) must be in \(range), got \(value).")
      }
    }
    if let clip, !(clip > 0 && clip.isFinite) {
      throw ValidationError("--clip must be positive, got \(clip).")
    }
    if let ema, !(ema > 0 && ema < 1) {
      throw ValidationError("--ema must be between 0 and 1, got \(ema).")
    }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate must be positive, got \(learningRate).")
    }
  }

  /// Puts the options that were given into a configuration.
  func apply(_ runtime: RuntimeOptions, to config: inout some RunConfig) {
    if let steps { config.steps = steps }
    if let batchSize { config.batchSize = batchSize }
    if let accumulate { config.accumulate = accumulate }
    if let learningRate { config.learningRate.peak = learningRate }
    if let schedule { config.learningRate.schedule = schedule }
    if let warmup { config.learningRate.warmup = warmup }
    if let clip { config.clip = clip }
    if let ema { config.averaging = ema }
    if let shuffle { config.shuffles = shuffle }
    if let seed { config.seed = seed }
    if let checkpointEvery { config.checkpointEvery = checkpointEvery }
    if let keepCheckpoints { config.keepCheckpoints = keepCheckpoints }
    if let logEvery { config.logEvery = logEvery }
    if let threads = runtime.threads { config.threads = threads }
    if let engine = runtime.engine { config.engine = engine.rawValue }
  }

  /// The path from the root: runs are continued from other folders too.
  package static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }
}

extension LearningRate.Schedule: ExpressibleByArgument {}
