// Everything that decides a VQGAN training run.
import Models
import TensorCore

/// The settings of a VQGAN training run.
package struct VQGANSettings: RunSettings {
  package static let kind = "vqgan"

  package var preset: String?  // where the run started from; it decides nothing any more
  package var model: VQGANConfig
  package var objective: VQGANObjective
  package var augmentation = Augmentation()
  package var perceptual: String?  // weights of LPIPS; none without it
  package var imageEvery = 500  // steps
  package var evaluation: EvaluationSettings?  // nil, and not in the file, for none
  package var lateBatchSize: Int?  // images of a batch from `lateBatchFrom` on; nil for no change
  package var lateBatchFrom: Int?  // step
  private var declaredPrecision: Precision?  // nil, and not in the file, for float32

  /// What of the activations is kept for the backward pass: float32 or bf16; the arithmetic is
  /// float32.
  package var precision: Precision {
    get { declaredPrecision ?? .float32 }
    set { declaredPrecision = newValue == .float32 ? nil : newValue }
  }

  package init(preset: String? = nil, model: VQGANConfig, objective: VQGANObjective) {
    self.preset = preset
    self.model = model
    self.objective = objective
  }

  enum CodingKeys: String, CodingKey {
    case preset, model, objective, augmentation, perceptual, evaluation
    case imageEvery = "picture_every"
    case lateBatchSize = "late_batch_size"
    case lateBatchFrom = "late_batch_from"
    case declaredPrecision = "precision"
  }

  package static func absentValue(ofKey key: String) -> String? {
    key == "precision" ? "\"float32\"" : nil
  }

  package func device() -> Device? { precision == .bfloat16 ? .bf16Activations : nil }

  package static let changeableKeys: Set = ["picture_every"]
  package static let pathKeys: Set = ["perceptual", "evaluation.features", "evaluation.lpips"]

  package var problem: String? {
    if let problem = model.problem { return "model: \(problem)" }
    if let problem = objective.problem { return "objective: \(problem)" }
    if model.inChannels != model.outChannels
      || !model.input.modelChannels.contains(model.inChannels)
    {
      return "model: in_channels is \(model.inChannels) and out_ch \(model.outChannels); "
        + "images have 3 of both, depth 1, maps of labels one for each label, 256 at most"
    }
    if model.input.isLabels, objective.discFactor > 0 {
      return
        "objective.disc_factor is \(objective.discFactor); maps of labels have no discriminator"
    }
    let weights = objective.labelWeights.count
    let needsWeights = model.input == .palette || weights > 0
    if needsWeights, weights != model.inChannels || !model.input.isLabels {
      return "objective.label_weights holds \(weights) numbers; it needs one for each label of "
        + "label or palette maps"
    }
    if precision == .int8 { return "precision is int8; a VQGAN is trained in float32 or bf16" }
    if !(1...1_000_000_000).contains(imageEvery) {
      return "picture_every is \(imageEvery), expected 1 to 1000000000"
    }
    if let problem = evaluation?.problem { return "evaluation.\(problem)" }
    if evaluation != nil, model.input != .images, model.palette == nil {
      return "evaluation is of images; this VQGAN reads \(model.input.rawValue)"
    }
    if objective.changeWeight > 0, model.input != .images {
      return "objective.change_weight is of images; this VQGAN reads \(model.input.rawValue)"
    }
    if (lateBatchSize == nil) != (lateBatchFrom == nil) {
      return "late_batch_size and late_batch_from need each other"
    }
    if let lateBatchSize, !(1...65_536).contains(lateBatchSize) {
      return "late_batch_size is \(lateBatchSize); it must be in 1...65536"
    }
    if let lateBatchFrom, lateBatchFrom < 0 {
      return "late_batch_from is \(lateBatchFrom); it must not be negative"
    }
    if augmentation.crop < 0 {
      return "augmentation.crop is \(augmentation.crop); it must not be negative"
    }
    return nil
  }
}

package typealias VQGANRunConfig = RunConfig<VQGANSettings>

extension VQGANRunConfig {
  /// Images of a batch of a step, counted from 0.
  package func imagesPerBatch(at step: Int) -> Int {
    guard let late = settings.lateBatchSize, let from = settings.lateBatchFrom, step >= from else {
      return loop.batchSize
    }
    return late
  }
}
