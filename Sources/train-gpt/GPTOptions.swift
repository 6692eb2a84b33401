// The options of train-gpt alone, and the configuration that they make.
import ArgumentParser
import CommandSupport
import Models
import Shards
import TensorCore
import Training

/// What `train-gpt` is told about the model.
struct GPTOptions: ParsableArguments {
  @Option(help: "Transformer blocks (default: 6).") var layers: Int?

  @Option(help: "Attention heads; divides the width (default: 8).") var heads: Int?

  @Option(help: "Channels of the transformer (default: 256).") var width: Int?

  @Option(
    help:
      "Share of activations dropped in training, of embeddings and of each block (default: 0.1).")
  var dropout: Float?

  @Option(
    help:
      "Share of the input codes that is kept; the rest is replaced by random ones (default: 1).")
  var pkeep: Float?

  @Option(
    help: ArgumentHelp(
      "What stands before the codes: label:COLUMN, codes, coordinates, boxes, points or none.",
      valueName: "kind"))
  var condition: ConditionOption?

  @Option(help: "Share of the pictures that lose their condition in training, for --guidance.")
  var conditionDropout: Float?

  @Option(help: "Objects of a picture at most, for boxes and points (default: 30).")
  var objects: Int?

  @Option(
    help: "Positions at the start that see each other, such as those of the condition (default: 0)."
  )
  var unmasked: Int?

  @Flag(help: "Positions by rotation in rows and columns, instead of learned ones.")
  var rotary = false

  @Option(
    help:
      "Order of the codes: \(TokenOrder.allCases.map(\.rawValue).joined(separator: ", ")) (default: raster)."
  )
  var order: TokenOrder?

  @Option(
    help: ArgumentHelp(
      "Run, checkpoint or file of weights to take the model and its first weights from.",
      valueName: "path"))
  var initFrom: String?

  @Flag(help: "Take the state of the optimizer from there too.") var initOptimizer = false

  @Option(help: "Matrix products of linear layers in float32 or bf16 (default: float32).")
  var precision: Precision?

  @Option(help: "Steps between validations (default: 200).") var validateEvery: Int?

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
    if initOptimizer, initFrom == nil {
      throw ValidationError("--init-optimizer needs --init-from.")
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
  func start(on shards: CodeShardSet) throws -> GPTRunConfig {
    if objects != nil, condition?.hasObjects != true {
      throw ValidationError("--objects needs --condition boxes or points.")
    }
    if conditionDropout != nil, condition?.isNone != false {
      throw ValidationError("--condition-dropout needs --condition.")
    }
    let codes = shards.grid
    var found = try condition?.condition(of: shards, objects: objects ?? 30)
    if conditionDropout != nil, let known = found { found?.nullToken = known.vocabulary }
    var model = try GPTConfig(
      vocabSize: max(codes.codebookSize, found?.tokens ?? 1),
      blockSize: (found?.length ?? 1) + codes.count - 1, layers: 6, heads: 8, width: 256,
      embeddingDropout: 0.1, residualDropout: 0.1)
    if let initFrom {
      let weights = try GPTWeights.open(initFrom, heads: heads)
      try weights.codes?.require(codes, of: shards.paths[0], for: initFrom)
      model = weights.config
      model.attentionDropout = 0  // the published 0.1 cannot be trained with: scores are never held
    }
    return GPTRunConfig(
      toolVersion: "", model: model, codes: codes, condition: found, keepProbability: 1,
      learningRate: LearningRate(peak: 5e-4, schedule: .cosine, warmup: 100),
      steps: 4000, batchSize: 16, accumulate: 1, shuffles: true, seed: 0, threads: 1, engine: "",
      shards: [], validation: [], validateEvery: 200, checkpointEvery: 500, keepCheckpoints: 3,
      logEvery: 10)
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
    if let initFrom { config.initFrom = TrainingOptions.absolute(initFrom) }
    if initOptimizer { config.initOptimizer = true }
    if let pkeep { config.keepProbability = pkeep }
    if let precision { config.precision = precision }
    if let validateEvery { config.validateEvery = validateEvery }
  }
}
