// Named starting points of a VQGAN training.
import Models

/// A model with the training options that suit it; every option can be changed.
package struct VQGANPreset: Sendable {
  package let model: VQGANConfig
  package let objective: VQGANObjective
  package let batchSize: Int
  /// Learning rate of a step on `images` images.
  package let learningRate: @Sendable (_ images: Int) -> LearningRate

  /// The names that `--preset` takes.
  package static let names = ["f16", "small", "palette", "tiles", "tiny"]

  /// The one of a run that names none.
  package static let standard = "small"

  package static func named(_ name: String) -> VQGANPreset? {
    switch name {
    case "f16":
      // 4.5e-6 for each image of a step, as published
      VQGANPreset(
        model: .f16, objective: VQGANObjective(), batchSize: 1,
        learningRate: { LearningRate(peak: 4.5e-6 * Float($0)) })
    case "small": minutes(.small)
    case "palette": minutes(.flatColors)
    case "tiles": minutes(.tiles)
    case "tiny":
      VQGANPreset(
        model: .tiny,
        objective: VQGANObjective(
          discStart: 1000, discriminator: DiscriminatorConfig(ndf: 16, nLayers: 2)),
        batchSize: 8, learningRate: { _ in LearningRate(peak: 5e-4) })
    default: nil
    }
  }

  /// A model that two cores train in minutes.
  private static func minutes(_ model: VQGANConfig) -> VQGANPreset {
    VQGANPreset(
      model: model,
      objective: VQGANObjective(
        l1Weight: 0, l2Weight: 3, discriminator: DiscriminatorConfig(ndf: 32), adamBeta1: 0.8,
        adamBeta2: 0.97),
      batchSize: 4,
      learningRate: { _ in LearningRate(peak: 6e-4, schedule: .cosine, warmup: 50) })
  }
}
