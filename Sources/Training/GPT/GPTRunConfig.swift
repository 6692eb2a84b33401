// Everything that decides a GPT training run.
import Models
import Shards
import TensorCore

/// What a checkpoint's `model.json` says: enough to sample from its weights.
package struct GPTDescription: Codable, Equatable, Sendable {
  package var model: GPTConfig
  package var codes: CodeGrid
  /// What stands before the codes; nil, and no key in the file, for the start token alone.
  package var condition: GPTCondition?
  /// The order of the codes; nil, and no key in the file, for raster.
  package var order: TokenOrder?

  package init(
    model: GPTConfig, codes: CodeGrid, condition: GPTCondition? = nil, order: TokenOrder? = nil
  ) {
    self.model = model
    self.codes = codes
    self.condition = condition
    self.order = order
  }

  /// What makes this impossible, in a sentence.
  package var problem: String? {
    if let problem = condition?.problem { return problem }
    if codes.depth > 1, model.rotary != nil || order ?? .raster != .raster {
      return "codes of depth \(codes.depth) need learned positions and the order raster"
    }
    let length = (condition?.length ?? 1) + codes.count - 1
    guard max(codes.codebookSize, condition?.tokens ?? 1) <= model.vocabSize,
      length <= model.blockSize
    else {
      return "\(codes.count) codes of \(codes.codebookSize)"
        + (condition.map { " behind \($0.length) tokens of \($0.tokens)" } ?? "")
        + " for a model of \(model.blockSize) positions and \(model.vocabSize) tokens"
    }
    return nil
  }
}

/// The settings of a GPT training run.
package struct GPTSettings: RunSettings {
  package static let kind = "gpt"

  package var model: GPTConfig
  package var codes: CodeGrid
  package var condition: GPTCondition?  // what stands before the codes; nil for the start token
  package var conditionDropout: Float?  // probability of dropping the condition
  package var order: TokenOrder?  // of the codes; nil for raster
  package var keepProbability = Defaults.keepProbability  // others become random tokens
  package var weightDecay: Float = 0.01  // of linear weights
  package var precision = Defaults.precision
  package var validateEvery = Defaults.validateEvery  // steps

  /// What holds where no option says otherwise.
  package enum Defaults {
    package static let (layers, heads, width) = (6, 8, 256)
    package static let dropout: Float = 0.1
    package static let unmasked = 0
    package static let objects = 30  // max per image
    package static let keepProbability: Float = 1
    package static let precision = Precision.float32
    package static let validateEvery = 200
  }

  package init(model: GPTConfig, codes: CodeGrid, condition: GPTCondition? = nil) {
    self.model = model
    self.codes = codes
    self.condition = condition
  }

  enum CodingKeys: String, CodingKey {
    case model, codes, condition, order, precision
    case conditionDropout = "condition_dropout"
    case keepProbability = "pkeep"
    case weightDecay = "weight_decay"
    case validateEvery = "validate_every"
  }

  package static let changeableKeys: Set = ["validate_every"]
  package static let pathKeys: Set = ["codes.vqgan", "condition.grid.vqgan"]

  package static func absentValue(ofKey key: String) -> String? {
    key.split(separator: ".").last == "order" ? "\"raster\"" : nil
  }

  package var problem: String? {
    do throws(GPTConfigError) {
      try model.validate()
    } catch {
      return error.description
    }
    if let problem = description.problem { return "model: \(problem)" }
    if let conditionDropout, !(conditionDropout > 0 && conditionDropout < 1) {
      return "condition_dropout is \(conditionDropout); it must be between 0 and 1"
    }
    if conditionDropout != nil, condition?.nullToken == nil {
      return "condition_dropout needs a condition with a null_token"
    }
    if !(keepProbability > 0 && keepProbability <= 1) {
      return "pkeep is \(keepProbability); it must be above 0 and at most 1"
    }
    if !(weightDecay >= 0 && weightDecay.isFinite) {
      return "weight_decay is \(weightDecay); it must not be negative"
    }
    if !(1...1_000_000_000).contains(validateEvery) {
      return "validate_every is \(validateEvery); it must be positive"
    }
    return nil
  }

  /// What a checkpoint's `model.json` says.
  package var description: GPTDescription {
    GPTDescription(model: model, codes: codes, condition: condition, order: order)
  }
}

package typealias GPTRunConfig = RunConfig<GPTSettings>

extension GPTRunConfig {
  /// Checks that a step fits the machine.
  ///
  /// - Throws: `RunError.tooLarge`.
  package func check() throws(RunError) {
    // each block keeps at least its input, queries, keys, values and the MLP's inner activations
    let perToken =
      8 * settings.model.layers * settings.model.width
      + settings.model.coarseTokens + (settings.model.subVocabulary ?? 0)
    let (layers, width) = (Double(settings.model.layers), Double(settings.model.width))
    let positions = (settings.condition?.length ?? 1) + settings.codes.count
    try requireMemory(
      forFloats: Double(loop.batchSize) * Double(positions) * Double(perToken)
        + 4 * 12 * layers * width * width,
      of: "\(settings.model.layers) layers of width \(settings.model.width) "
        + "and a batch of \(loop.batchSize)")
  }
}
