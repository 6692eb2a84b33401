// Everything that decides the training of a world model.
import Models
import Shards
import TamingCheckpoints
import TensorCore

/// What a checkpoint's `model.json` says: enough to dream with its weights.
package struct WorldDescription: Codable, Equatable, Sendable {
  package var model: WorldConfig
  package var codes: CodeGrid

  package init(model: WorldConfig, codes: CodeGrid) {
    (self.model, self.codes) = (model, codes)
  }

  /// IRIS' world model and the codes of its tokenizer.
  ///
  /// - Parameter vqgan: where the tokenizer lies; empty for nowhere.
  package init(of weights: IRISWeights, fingerprints: VQGANFingerprints, vqgan: String) {
    let model = weights.config
    self.init(
      model: model,
      codes: CodeGrid(
        height: model.gridHeight, width: model.gridWidth, codebookSize: model.codebookSize,
        fingerprint: fingerprints.vqgan, codesFingerprint: fingerprints.codes, vqgan: vqgan))
  }

  /// What makes this impossible, in a sentence.
  package var problem: String? {
    if let problem = model.problem { return problem }
    if codes.depth > 1 { return "codes of depth \(codes.depth); a world model reads depth 1" }
    guard model.gridHeight == codes.height, model.gridWidth == codes.width,
      model.codebookSize == codes.codebookSize
    else {
      return "\(codes.height)×\(codes.width) codes of \(codes.codebookSize) for a model of "
        + "\(model.gridHeight)×\(model.gridWidth) of \(model.codebookSize)"
    }
    return nil
  }
}

/// The settings of a world model's training.
package struct WorldSettings: RunSettings {
  package static let kind = "world"

  package var model: WorldConfig
  package var codes: CodeGrid
  package var segment: Int  // steps of a sequence
  package var sampling = Defaults.sampling
  package var noise = Defaults.noise  // fraction of the codes that are read as random ones
  package var rewardWeight: Float = 1  // of the loss of rewards, beside that of the codes
  package var endWeight: Float = 1  // of the loss of ends
  package var weightDecay: Float = 0.01  // of linear weights
  package var precision = Defaults.precision
  package var validateEvery = Defaults.validateEvery  // steps
  // What IRIS has in other ways than `small`; nil, and not in the file, where it is as there.
  private var declaredPreset: WorldPreset?
  private var declaredPredictsFirst: Bool?
  private var declaredBeta2: Float?

  /// Where the settings come from.
  package var preset: WorldPreset {
    get { declaredPreset ?? .small }
    set { declaredPreset = newValue == .small ? nil : newValue }
  }

  /// Whether the loss is also over the codes of a sequence's first image, each from those before.
  package var predictsFirst: Bool {
    get { declaredPredictsFirst ?? false }
    set { declaredPredictsFirst = newValue ? true : nil }
  }

  /// Adam's decay of the squared gradients' average.
  package var adamBeta2: Float {
    get { declaredBeta2 ?? Defaults.adamBeta2 }
    set { declaredBeta2 = newValue == Defaults.adamBeta2 ? nil : newValue }
  }

  /// How the sequences of a batch are chosen.
  package enum Sampling: String, Codable, CaseIterable, Sendable {
    /// Every row that another follows begins one in every epoch.
    case steps
    /// Every piece of a recording is as likely as every other, and so is every row of it.
    case episodes
  }

  /// What holds where no option says otherwise.
  package enum Defaults {
    package static let noise: Float = 0.02
    package static let adamBeta2: Float = 0.95
    package static let (rewardWeight, endWeight) = (Float(1), Float(1))
    package static let sampling = Sampling.steps
    package static let precision = Precision.float32
    package static let validateEvery = 200
    /// Actions that a model knows at least: those of a joystick of the Atari 2600.
    package static let actions = 18
  }

  package init(model: WorldConfig, codes: CodeGrid, segment: Int) {
    (self.model, self.codes, self.segment) = (model, codes, segment)
  }

  enum CodingKeys: String, CodingKey {
    case model, codes, segment, sampling, noise, precision
    case declaredPreset = "preset"
    case declaredPredictsFirst = "predict_first"
    case declaredBeta2 = "adam_beta2"
    case rewardWeight = "reward_weight"
    case endWeight = "end_weight"
    case weightDecay = "weight_decay"
    case validateEvery = "validate_every"
  }

  package static let changeableKeys: Set = ["validate_every"]
  package static let pathKeys: Set = ["codes.vqgan"]

  package static func absentValue(ofKey key: String) -> String? {
    key == "preset" ? "\"\(WorldPreset.small.rawValue)\"" : nil
  }

  package var problem: String? {
    if let problem = description.problem { return "model: \(problem)" }
    if !(2...65_536).contains(segment) { return "segment is \(segment); it must be in 2...65536" }
    if model.positions == .learned, segment > model.context {
      return "segment is \(segment); there are learned positions of \(model.context) steps"
    }
    if !(0..<1).contains(adamBeta2) { return "adam_beta2 is \(adamBeta2); it must be in 0..<1" }
    if !(0..<1).contains(noise) { return "noise is \(noise); it must be in 0..<1" }
    let weights = [
      ("reward_weight", rewardWeight), ("end_weight", endWeight), ("weight_decay", weightDecay),
    ]
    for (key, weight) in weights where !(weight >= 0 && weight.isFinite) {
      return "\(key) is \(weight); it must not be negative"
    }
    if !(1...1_000_000_000).contains(validateEvery) {
      return "validate_every is \(validateEvery); it must be positive"
    }
    return nil
  }

  /// What a checkpoint's `model.json` says.
  package var description: WorldDescription { WorldDescription(model: model, codes: codes) }
}

package typealias WorldRunConfig = RunConfig<WorldSettings>

extension WorldRunConfig {
  /// Checks that a step fits the machine.
  ///
  /// - Throws: `RunError.tooLarge`.
  package func check() throws(RunError) {
    let model = settings.model
    // As of a GPT: each block keeps at least its inputs and the MLP's inner activations.
    let perToken = 8 * model.layers * model.width + model.codebookSize
    let (layers, width) = (Double(model.layers), Double(model.width))
    let tokens = Double(settings.segment) * Double(model.step)
    // A byte for each weight of the attention says whether it is dropped.
    let dropped =
      model.attentionDropout > 0 ? layers * Double(model.heads) * tokens * tokens / 4 : 0
    try requireMemory(
      forFloats: Double(loop.batchSize) * (tokens * Double(perToken) + dropped)
        + 4 * 12 * layers * width * width,
      of: "\(model.layers) layers of width \(model.width) and a batch of \(loop.batchSize) "
        + "sequences of \(settings.segment) steps")
  }
}
