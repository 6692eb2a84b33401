// What a training step asks of its device is asked without waiting for values.
import Models
import NN
import TensorCore
import Testing
import Training

@Suite struct ReadBackTests {
  /// All but those that round the latents or take logarithms on the host.
  private static let onDevice = QuantizerConfig.Kind.allCases.filter {
    ![.fsq, .lfq, .ibq].contains($0)
  }

  @Test(arguments: onDevice, DiscriminatorConfig.Normalization.allCases)
  func theGeneratorsHalfReadsNothingBack(
    kind: QuantizerConfig.Kind, normalization: DiscriminatorConfig.Normalization
  ) {
    let (device, profile) = Device.default.profiled()
    var random = RandomSource(seed: 5)
    var config = VQGANConfig.tiny
    config.quantizer.kind = kind
    let objective = VQGANObjective(
      discStart: 0,
      discriminator: DiscriminatorConfig(ndf: 8, nLayers: 2, normalization: normalization))
    var trainer = VQGANTrainer(
      model: VQGAN(config, using: &random, on: device),
      discriminator: Discriminator(objective.discriminator, using: &random, on: device),
      perceptual: nil, objective: objective)
    let images = random.uniform([2, 3, 32, 32], in: -1..<1, on: device)
    /// The generator's half of a step.
    func half(_ trainer: inout VQGANTrainer) -> VQGANTrainer.GeneratorResult {
      var result = trainer.generatorGradients(
        [.values(images)], isAdversarial: true, using: &random)
      result.gradients.clip(trainer.model, to: 1e-3)
      trainer.optimizer.update(&trainer.model, result.gradients, learningRate: 1e-3)
      return result
    }
    _ = half(&trainer)  // activation normalisation asks once whether it has started
    let before = profile.readBacks
    let result = half(&trainer)
    #expect(profile.readBacks == before)
    #expect(result.losses.total.isFinite && profile.readBacks > before)
  }
}
