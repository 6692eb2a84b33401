// The options of train-gpt, and the configuration that they make.
import ArgumentParser
import CommandSupport
import Foundation
import Models
import Shards
import TensorCore
import Training

/// What `train-gpt` is told about the run.
struct GPTOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Run folder.", valueName: "folder")) var out: String

  @Option(help: "Transformer blocks.") var layers = 6

  @Option(help: "Attention heads; divides the width.") var heads = 8

  @Option(help: "Channels of the transformer.") var width = 256

  @Option(help: "Share of activations dropped in training, of embeddings and of each block.")
  var dropout: Float = 0.1

  @Option(help: "Share of the input codes that is kept; the rest is replaced by random ones.")
  var pkeep: Float = 1

  @Option(help: "Training steps; the only option that --resume may change.") var steps: Int?

  @Option(help: "Code grids of one batch.") var batchSize = 16

  @Option(help: "Batches whose gradients are averaged for one step.") var accumulate = 1

  @Option(help: "Peak learning rate.") var learningRate: Float = 5e-4

  @Option(help: "Learning rate over the run: constant or cosine.")
  var schedule = LearningRate.Schedule.cosine

  @Option(help: "Steps of linear rise of the learning rate.") var warmup = 100

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Code shards to validate on.", valueName: "shard"))
  var validation: [String] = []

  @Option(help: "Steps between validations.") var validateEvery = 200

  @Option(help: "Steps between checkpoints.") var checkpointEvery = 500

  @Option(help: "Checkpoints to keep.") var keepCheckpoints = 3

  @Option(help: "Steps between rows of metrics.csv.") var logEvery = 10

  @Flag(help: "Continue the run in the folder; options may be left out.") var resume = false

  @Flag(inversion: .prefixedNo, help: "Shuffle the grids anew for every epoch.") var shuffle = true

  private static let defaultSteps = 4000

  func validate() throws {
    let counts = [
      ("--layers", layers), ("--heads", heads), ("--width", width), ("--steps", steps ?? 1),
      ("--batch-size", batchSize), ("--accumulate", accumulate),
      ("--validate-every", validateEvery), ("--checkpoint-every", checkpointEvery),
      ("--keep-checkpoints", keepCheckpoints), ("--log-every", logEvery),
    ]
    for (name, value) in counts where !(1...1_000_000_000).contains(value) {
      throw ValidationError("\(name) must be positive, got \(value).")
    }
    guard warmup >= 0 else {
      throw ValidationError("--warmup must not be negative, got \(warmup).")
    }
    guard width % heads == 0 else {
      throw ValidationError("--heads \(heads) does not divide --width \(width).")
    }
    guard (0..<1).contains(dropout) else {
      throw ValidationError("--dropout must be in 0..<1, got \(dropout).")
    }
    guard pkeep > 0, pkeep <= 1 else {
      throw ValidationError("--pkeep must be above 0 and at most 1, got \(pkeep).")
    }
    guard learningRate > 0, learningRate.isFinite else {
      throw ValidationError("--learning-rate must be positive, got \(learningRate).")
    }
  }

  /// The configuration of a new run; shards of the validation split are held out, unless there are no others.
  func config(shards: [String], _ runtime: RuntimeOptions, seed: UInt64) throws -> GPTRunConfig {
    let bySplit = try Dictionary(grouping: shards) {
      try CodeShardReader($0).header.split == "validation"
    }
    let training = bySplit[false] ?? shards
    let heldOut = bySplit[false] == nil ? [] : bySplit[true] ?? []
    let codes = CodeGrid(try CodeShardSet(training).header)
    return GPTRunConfig(
      toolVersion: SuiteVersion.current,
      model: try GPTConfig(
        vocabSize: codes.codebookSize, blockSize: codes.count, layers: layers, heads: heads,
        width: width, embeddingDropout: dropout, residualDropout: dropout),
      codes: codes, keepProbability: pkeep,
      learningRate: LearningRate(peak: learningRate, schedule: schedule, warmup: warmup),
      steps: steps ?? Self.defaultSteps, batchSize: batchSize, accumulate: accumulate,
      shuffles: shuffle, seed: seed, threads: runtime.threads,
      engine: runtime.engine?.rawValue ?? Device.default.name, shards: training.map(Self.absolute),
      validation: (heldOut + (try InputPaths.expand(validation, suffix: ".h5"))).map(Self.absolute),
      validateEvery: validateEvery, checkpointEvery: checkpointEvery,
      keepCheckpoints: keepCheckpoints, logEvery: logEvery)
  }

  /// The stored configuration; only the number of steps may change.
  func resumedConfig(of folder: RunFolder, _ runtime: RuntimeOptions) throws -> GPTRunConfig {
    guard folder.exists else { throw RunError.noCheckpoint(path: folder.path) }
    var result = try folder.config(GPTRunConfig.self)
    if let steps { result.steps = steps }
    guard runtime.threads == result.threads else {
      throw RunError.configDiffers(
        path: folder.path, option: "--threads", found: String(result.threads),
        expected: String(runtime.threads))
    }
    return result
  }

  private static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }
}

extension LearningRate.Schedule: ExpressibleByArgument {}
