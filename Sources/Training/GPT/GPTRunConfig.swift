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

/// The configuration of a GPT training run, complete: `config.json` of the run folder.
package struct GPTRunConfig: RunConfig {
  package static let kindName = "gpt"

  package var kind: String = kindName
  package var toolVersion: String
  package var model: GPTConfig
  package var codes: CodeGrid
  package var condition: GPTCondition?  // what stands before the codes; nil for the start token
  package var conditionDropout: Float?  // share of the pictures that lose their condition
  package var order: TokenOrder?  // of the codes; nil for raster
  package var keepProbability: Float  // of each input code; the rest is replaced by random tokens
  package var learningRate: LearningRate
  package var weightDecay: Float  // of linear weights
  package var clip: Float?  // longest gradient; nil for no limit
  package var averaging: Float?  // decay of the moving average of the weights; nil for none
  package var steps: Int
  package var batchSize: Int
  package var accumulate: Int  // batches whose gradients are averaged for one step
  package var shuffles: Bool
  package var seed: UInt64
  package var threads: Int
  package var engine: String
  package var precision: Precision  // of the matrix products of linear layers
  package var initFrom: String?
  package var initOptimizer: Bool?  // whether the optimizer goes on from there too
  package var shards: [String]
  package var validation: [String]
  package var validateEvery: Int  // steps
  package var checkpointEvery: Int  // steps
  package var keepCheckpoints: Int
  package var logEvery: Int  // steps

  package init(
    toolVersion: String, model: GPTConfig, codes: CodeGrid, condition: GPTCondition? = nil,
    keepProbability: Float,
    learningRate: LearningRate, weightDecay: Float = 0.01, steps: Int, batchSize: Int,
    accumulate: Int, shuffles: Bool, seed: UInt64, threads: Int, engine: String,
    precision: Precision = .float32, shards: [String],
    validation: [String], validateEvery: Int, checkpointEvery: Int, keepCheckpoints: Int,
    logEvery: Int
  ) {
    self.toolVersion = toolVersion
    self.model = model
    self.codes = codes
    self.condition = condition
    self.keepProbability = keepProbability
    self.learningRate = learningRate
    self.weightDecay = weightDecay
    self.steps = steps
    self.batchSize = batchSize
    self.accumulate = accumulate
    self.shuffles = shuffles
    self.seed = seed
    self.threads = threads
    self.engine = engine
    self.precision = precision
    self.shards = shards
    self.validation = validation
    self.validateEvery = validateEvery
    self.checkpointEvery = checkpointEvery
    self.keepCheckpoints = keepCheckpoints
    self.logEvery = logEvery
  }

  enum CodingKeys: String, CodingKey {
    case kind, model, codes, condition, order, steps, accumulate, shuffles, seed, threads, engine
    case precision, clip
    case shards, validation
    case toolVersion = "tool_version"
    case keepProbability = "pkeep"
    case conditionDropout = "condition_dropout"
    case averaging = "ema"
    case learningRate = "learning_rate"
    case weightDecay = "weight_decay"
    case batchSize = "batch_size"
    case initFrom = "init_from"
    case initOptimizer = "init_optimizer"
    case validateEvery = "validate_every"
    case checkpointEvery = "checkpoint_every"
    case keepCheckpoints = "keep_checkpoints"
    case logEvery = "log_every"
  }
}

extension GPTRunConfig {
  package var problem: String? {
    if let problem = problemOfTheLoop { return problem }
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
    if let problem = problem(ofClip: clip, averaging: averaging) { return problem }
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
