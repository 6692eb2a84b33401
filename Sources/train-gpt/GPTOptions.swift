// The options of train-gpt alone, and the configuration that they make.
import ArgumentParser
import CommandSupport
import ModelCommands
import Models
import Shards
import TensorCore
import Training

private typealias Defaults = GPTSettings.Defaults

/// What `train-gpt` is told about the model.
struct GPTOptions: ParsableArguments {
  @Option(help: "Transformer blocks (default: \(Defaults.layers)).") var layers: Int?

  @Option(help: "Attention heads; divides the width (default: \(Defaults.heads)).")
  var heads: Int?

  @Option(help: "Channels of the transformer (default: \(Defaults.width)).")
  var width: Int?

  @Option(
    help: """
      Fraction of activations dropped in training, of embeddings and of each block \
      (default: \(Defaults.dropout)).
      """)
  var dropout: Float?

  @Option(
    help: """
      Fraction of the input codes that is kept; the rest is replaced by random ones \
      (default: \(Defaults.keepProbability)).
      """)
  var pkeep: Float?

  @Option(
    help: ArgumentHelp(
      "What stands before the codes: label:COLUMN, codes, coordinates, boxes, points or none.",
      valueName: "kind"))
  var condition: ConditionOption?

  @Option(
    help: "Probability of dropping the condition in training, for --guidance (classifier-free).")
  var conditionDropout: Float?

  @Option(
    help: "Maximum objects per image, for boxes and points (default: \(Defaults.objects)).")
  var objects: Int?

  @Option(
    help: """
      Positions at the start that see each other, such as those of the condition \
      (default: \(Defaults.unmasked)).
      """)
  var unmasked: Int?

  @Flag(help: "2-D rotary position embeddings instead of learned positions.")
  var rotary = false

  @Option(
    help: """
      Order of the codes: \(TokenOrder.allCases.map(\.rawValue).joined(separator: ", ")) \
      (default: \(TokenOrder.raster.rawValue)).
      """)
  var order: TokenOrder?

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
      ("--layers", layers), ("--heads", heads), ("--width", width),
      ("--validate-every", validateEvery),
    ]
    for (name, value) in counts {
      if let value, value < 1 { throw ValidationError("\(name) must be positive, got \(value).") }
    }
    if let objects, !(1...10_000).contains(objects) {
      throw ValidationError("--objects must be 1 to 10000, got \(objects).")
    }
    if precision == .int8 {
      throw ValidationError("--precision int8 is for sampling; train with float32 or bf16.")
    }
    if let conditionDropout, !(conditionDropout > 0 && conditionDropout < 1) {
      throw ValidationError(
        "--condition-dropout must be between 0 and 1, got \(conditionDropout).")
    }
    if let dropout, !(0..<1).contains(dropout) {
      throw ValidationError("--dropout must be in 0..<1, got \(dropout).")
    }
    if let pkeep, !(pkeep > 0 && pkeep <= 1) {
      throw ValidationError("--pkeep must be above 0 and at most 1, got \(pkeep).")
    }
  }

  /// What a new run on these codes starts from.
  ///
  /// - Parameter initFrom: where the model is taken from, if not made anew.
  func start(
    on shards: CodeShardSet, initFrom: String?, in environment: Environment
  ) throws -> GPTRunConfig {
    if objects != nil, condition?.hasObjects != true {
      throw ValidationError("--objects needs --condition boxes or points.")
    }
    if conditionDropout != nil, condition?.isNone != false {
      throw ValidationError("--condition-dropout needs --condition.")
    }
    let codes = shards.grid
    var found = try condition?.condition(of: shards, objects: objects ?? Defaults.objects)
    if conditionDropout != nil, let known = found { found?.nullToken = known.vocabulary }
    var model = try GPTConfig(
      vocabSize: max(codes.codebookSize, found?.tokens ?? 1),
      blockSize: (found?.length ?? 1) + codes.count - 1, layers: Defaults.layers,
      heads: Defaults.heads, width: Defaults.width, unmasked: Defaults.unmasked,
      embeddingDropout: Defaults.dropout, residualDropout: Defaults.dropout,
      subVocabulary: codes.codebookSize > 16_384
        ? codes.subVocabulary ?? GPTConfig.subVocabulary(ofCodes: codes.codebookSize) : nil)
    if let initFrom {
      let weights = try GPTWeights.open(initFrom, heads: heads)
      try weights.codes?.require(codes, of: shards.paths[0], for: initFrom)
      model = weights.config
      model.attentionDropout = 0  // no attention scores of a GPT are dropped
    }
    return GPTRunConfig(
      GPTSettings(model: model, codes: codes, condition: found),
      loop: LoopSettings(
        steps: 4000, batchSize: 16,
        learningRate: LearningRate(peak: 5e-4, schedule: .cosine, warmup: 100)),
      in: environment)
  }

  /// Puts the options that were given into a configuration.
  func change(_ config: inout GPTRunConfig) throws {
    if let objects {
      guard case .objects(var condition) = config.condition?.kind else {
        throw ValidationError("--objects needs --condition boxes or points.")
      }
      condition.objects = objects
      config.condition?.kind = .objects(condition)
    }
    if let conditionDropout { config.conditionDropout = conditionDropout }
    if let order { config.order = order == .raster ? nil : order }
    if let unmasked { config.model.unmasked = unmasked }
    if rotary {
      config.model.rotary = RotaryPositions(
        height: config.codes.height, width: config.codes.width,
        start: config.condition?.length ?? 1, order: config.order)
    }
    if let layers { config.model.layers = layers }
    if let heads { config.model.heads = heads }
    if let width { config.model.width = width }
    if let dropout {
      config.model.embeddingDropout = dropout
      config.model.residualDropout = dropout
    }
    if let pkeep { config.keepProbability = pkeep }
    if let precision { config.precision = precision }
    if let validateEvery { config.validateEvery = validateEvery }
  }
}
