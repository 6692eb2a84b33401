// Named starting points of a world model's training.
import Models
import Shards

/// A model with the training options that suit it; every option can be changed.
package enum WorldPreset: String, Codable, CaseIterable, Sendable {
  /// Rotary positions, a banded mask, and the image before and surroundings as inputs: what two
  /// cores train.
  case small
  /// The world model of IRIS, as published.
  ///
  /// - Source: Micheli et al. 2023, *Transformers are sample-efficient world models*, and its code.
  case iris

  /// Of `iris`; `small` drops nothing.
  package static let dropout: Float = 0.1

  /// The preset of the kind that a model is.
  package static func of(_ model: WorldConfig) -> WorldPreset {
    model.positions == .learned ? .iris : .small
  }

  /// A model of these codes.
  package func model(of codes: CodeGrid, actions: Int) -> WorldConfig {
    let isSmall = self == .small
    var model = WorldConfig(
      gridHeight: codes.height, gridWidth: codes.width, codebookSize: codes.codebookSize,
      actions: actions, context: isSmall ? 4 : 20, layers: isSmall ? 2 : 10, heads: 4,
      width: isSmall ? 192 : 256)
    guard self == .iris else {
      model.surroundings = 1 << 16
      return model
    }
    model.embeddingDropout = Self.dropout
    model.residualDropout = Self.dropout
    model.attentionDropout = Self.dropout
    (model.positions, model.mask) = (.learned, .causal)
    (model.readsPrevious, model.headsHaveHiddenLayer) = (false, true)
    return model
  }

  /// How a model is trained.
  package func run(
    of model: WorldConfig, on codes: CodeGrid
  ) -> (settings: WorldSettings, loop: LoopSettings) {
    let isLearned = model.positions == .learned
    var settings = WorldSettings(
      model: model, codes: codes, segment: isLearned ? model.context : 2 * model.context)
    settings.preset = self
    guard self == .iris else {
      let rate = LearningRate(peak: 1e-3, schedule: .cosine, warmup: 100)
      return (settings, LoopSettings(steps: 6000, batchSize: 2, learningRate: rate))
    }
    (settings.sampling, settings.noise) = (.episodes, 0)
    (settings.predictsFirst, settings.adamBeta2) = (true, 0.999)
    var loop = LoopSettings(
      steps: 4000, batchSize: 64, learningRate: LearningRate(peak: 1e-4))
    loop.clip = 10
    return (settings, loop)
  }
}
