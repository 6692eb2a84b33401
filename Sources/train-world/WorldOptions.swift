// The options of train-world alone, and the configuration that they make.
import ArgumentParser
import CommandSupport
import ModelCommands
import Models
import Shards
import TensorCore
import Training

private typealias Defaults = WorldSettings.Defaults
/// What the help tells.
private let small = WorldPreset.small.model(
  of: CodeGrid(height: 1, width: 1, codebookSize: 1, fingerprint: ""), actions: 1)

/// What `train-world` is told about the model.
struct WorldOptions: ParsableArguments {
  @Option(
    help: """
      Model and recipe to start from: small, whose defaults are told here, or iris as published \
      (default: \(WorldPreset.small.rawValue)).
      """)
  var preset: WorldPreset?

  @Option(help: "Transformer blocks (default: \(small.layers)).") var layers: Int?

  @Option(help: "Attention heads; divides the width (default: \(small.heads)).")
  var heads: Int?

  @Option(help: "Channels of the transformer (default: \(small.width)).")
  var width: Int?

  @Option(
    help:
      "Steps that the model sees, the one at hand among them (default: \(small.context)).")
  var context: Int?

  @Option(
    help: """
      Rows of each table of what follows the codes around a place and an action; 0 for none \
      (default: \(small.surroundings)).
      """)
  var surroundings: Int?

  @Option(
    help: """
      What a token sees of a model with learned positions: causal, or block-causal, all of its own \
      step (default: causal).
      """)
  var mask: WorldConfig.Mask?

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
      Fraction of activations dropped in training, of embeddings, of each block, and of iris of \
      the attention's weights (default: 0; of iris \(WorldPreset.dropout)).
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
    if let surroundings, !(0...(1 << 24)).contains(surroundings) {
      throw ValidationError("--surroundings must be in 0...16777216, got \(surroundings).")
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
    var model: WorldConfig
    if let initFrom {
      let file = try WorldStageFile.open(initFrom)
      try file.description.codes.require(codes, of: shards.paths[0], for: initFrom)
      model = file.description.model
    } else {
      model = (preset ?? .small).model(
        of: codes, actions: max(Defaults.actions, try WorldData.actionCount(of: shards)))
    }
    if let context { model.context = context }
    let (settings, loop) = (preset ?? .of(model)).run(of: model, on: codes)
    return WorldRunConfig(settings, loop: loop, in: environment)
  }

  /// Puts the options that were given into a configuration.
  func change(_ config: inout WorldRunConfig) {
    if let preset { config.preset = preset }
    if let layers { config.model.layers = layers }
    if let heads { config.model.heads = heads }
    if let width { config.model.width = width }
    if let context { config.model.context = context }
    if let surroundings { config.model.surroundings = surroundings }
    if let mask { config.model.mask = mask }
    if let segment { config.segment = segment }
    if let sampling { config.sampling = sampling }
    if let dropout {
      config.model.embeddingDropout = dropout
      config.model.residualDropout = dropout
      if config.preset == .iris { config.model.attentionDropout = dropout }
    }
    if let noise { config.noise = noise }
    if let rewardWeight { config.rewardWeight = rewardWeight }
    if let endWeight { config.endWeight = endWeight }
    if let precision { config.precision = precision }
    if let validateEvery { config.validateEvery = validateEvery }
  }
}

extension WorldSettings.Sampling: ExpressibleByArgument {}
extension WorldPreset: ExpressibleByArgument {}
extension WorldConfig.Mask: ExpressibleByArgument {}
