import Models
import TensorCore
import Testing
import Training

@Suite struct VQGANValidationTests {
  private static let images = ImageBatch(
    pixels: (0..<2 * 16 * 16 * 3).map { UInt8(truncatingIfNeeded: $0 * 7) }, count: 2, height: 16,
    width: 16, next: DataPosition())

  @Test(arguments: [(1, 0), (0, 3), (0.5, 2)] as [(Float, Float)])
  func theReconstructionLossIsThatOfTheTraining(l1: Float, l2: Float) {
    var random = RandomSource(seed: 4)
    let objective = VQGANObjective(
      l1Weight: l1, l2Weight: l2, discriminator: DiscriminatorConfig(ndf: 8, nLayers: 1))
    var trainer = VQGANTrainer(
      model: VQGAN(.tiny, using: &random, on: .default),
      discriminator: Discriminator(objective.discriminator, using: &random, on: .default),
      perceptual: nil, objective: objective)
    let training = trainer.generatorGradients(
      [Self.images.input(on: .default)], isAdversarial: false, using: &random
    ).losses.rec
    let validation = trainer.validate([Self.images], on: .default).rec
    #expect(abs(validation - Double(training)) < 1e-5 * Double(training))
  }

  @Test func aMetricThatDoesNotApplyHasAColumnButNoValue() {
    var labels = VQGANValidation()
    labels.agreement = 0.5
    #expect(labels.metrics.map(\.name) == VQGANValidation().metrics.map(\.name))
    #expect(labels.metrics.filter { $0.value == nil }.map(\.name) == ["val/psnr"])
    let images = VQGANValidation().metrics
    #expect(images.filter { $0.value == nil }.map(\.name) == ["val/pixel_agreement"])
  }
}
