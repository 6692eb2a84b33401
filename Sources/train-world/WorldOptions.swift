// The options of train-world alone, and the configuration that they make.
import ArgumentParser
import CommandSupport
import ModelCommands
import Models
import Shards
import TensorCore
import Training

private typealias Defaults = WorldSettings.Defaults

/// What `train-world` is told about the model.
struct WorldOptions: ParsableArguments {
  @Option(help: "Transformer blocks (default: \(Defaults.layers)).") var layers: Int?

  @Option(help: "Attention heads; divides the width (default: \(Defaults.heads)).")
  var heads: Int?

  @Option(help: "Channels of the transformer (default: \(Defaults.width)).")
  var width: Int?

  @Option(
    help: "Steps that the model sees, the one at hand among them (default: \(Defaults.context)).")
  var context: Int?

  @Option(help: "Steps of a training sequence (default: twice the context).")
  var segment: Int?

  @Option(
    help: """
      Sequences of a batch: steps, one from every row in each epoch, or episodes, every piece of a \
      recording as likely as every other (default: \(Defaults.sampling.rawValue)).
      """)
  var sampling: WorldSettings.Sampling?

  @Option(
    help: """
      Fraction of activations dropped in training, of embeddings and of each block \
      (default: \(Defaults.dropout)).
      """)
  var dropout: Float?

  @Option(
    help: """
      Fraction of the input codes that is replaced by random ones in training \
      (default: \(Defaults.noise)).
      """)
  var noise: Float?

  @Option(
    help: """
      Weight of the loss of rewards, beside 1 for that of the codes \
      (default: \(Int(Defaults.rewardWeight))).
      """)
  var rewardWeight: Float?

  @Option(help: "Weight of the loss of ends (default: \(Int(Defaults.endWeight))).")
  var endWeight: Float?

  @Option(
    help: """
      Matrix products of linear layers in float32 or bf16 \
      (default: \(Defaults.precision.rawValue)).
      """)
  var precision: Precision?

  @Option(help: "Steps between validations (default: \(Defaults.validateEvery)).")
  var validateEvery: Int?

  func validate() throws {
    let counts = [
      ("--layers", layers), ("--heads", heads), ("--width", width), ("--context", context),
      ("--validate-every", validateEvery),
    ]
    for (name, value) in counts {
      if let value, value < 1 { throw ValidationError("\(name) must be positive, got \(value).") }
    }
    if let segment, segment < 2 {
      throw ValidationError("--segment must be 2 or more, got \(segment).")
    }
    if precision == .int8 {
      throw ValidationError("--precision int8 is for sampling; train with float32 or bf16.")
    }
    for (name, fraction) in [("--dropout", dropout), ("--noise", noise)] {
      if let fraction, !(0..<1).contains(fraction) {
        throw ValidationError("\(name) must be in 0..<1, got \(fraction).")
      }
    }
    for (name, weight) in [("--reward-weight", rewardWeight), ("--end-weight", endWeight)] {
      if let weight, !(weight >= 0 && weight.isFinite) {
        throw ValidationError("\(name) must not be negative, got \(weight).")
      }
    }
  }

  /// What a new run on these codes starts from.
  ///
  /// - Parameter initFrom: where the model is taken from, if not made anew.
  func start(
    on shards: CodeShardSet, initFrom: String?, in environment: Environment
  ) throws -> WorldRunConfig {
    let codes = shards.grid
    let model: WorldConfig
    if let initFrom {
      let file = try WorldStageFile.open(initFrom)
      try file.description.codes.require(codes, of: shards.paths[0], for: initFrom)
      model = file.description.model
    } else {
      model = WorldConfig(
        gridHeight: codes.height, gridWidth: codes.width, codebookSize: codes.codebookSize,
        actions: max(Defaults.actions, try WorldData.actionCount(of: shards)),
        context: Defaults.context, layers: Defaults.layers, heads: Defaults.heads,
        width: Defaults.width, embeddingDropout: Defaults.dropout,
        residualDropout: Defaults.dropout)
    }
    let context = context ?? model.context
    return WorldRunConfig(
      WorldSettings(model: model, codes: codes, segment: segment ?? 2 * context),
      loop: LoopSettings(
        steps: 4000, batchSize: 8,
        learningRate: LearningRate(peak: 5e-4, schedule: .cosine, warmup: 100)),
      in: environment)
  }

  /// Puts the options that were given into a configuration.
  func change(_ config: inout WorldRunConfig) {
    if let layers { config.model.layers = layers }
    if let heads { config.model.heads = heads }
    if let width { config.model.width = width }
    if let context { config.model.context = context }
    if let segment { config.segment = segment }
    if let sampling { config.sampling = sampling }
    if let dropout {
      config.model.embeddingDropout = dropout
      config.model.residualDropout = dropout
    }
    if let noise { config.noise = noise }
    if let rewardWeight { config.rewardWeight = rewardWeight }
    if let endWeight { config.endWeight = endWeight }
    if let precision { config.precision = precision }
    if let validateEvery { config.validateEvery = validateEvery }
  }
}

extension WorldSettings.Sampling: ExpressibleByArgument {}
