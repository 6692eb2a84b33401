import Models
import RowMaps
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct VQGANValidationTests {
  /// One batch of two images.
  private func batch() throws -> ImageBatch {
    let folder = try TemporaryFolder()
    let writer = try ImageShardWriter(
      folder("a.h5"),
      header: ImageShardHeader(
        height: 16, width: 16, source: "test", split: "train", preprocessing: "{}",
        toolVersion: "test"), compression: .none)
    for row in 1...2 {
      let pixels = (0..<16 * 16 * 3).map { UInt8(truncatingIfNeeded: $0 * 7 * row) }
      try writer.append(pixels, id: Int64(row), name: "\(row)")
    }
    try writer.finish()
    return try ImageBatches(
      ImageShardSet([folder("a.h5")]), batchSize: 2, from: DataPosition(), seed: 0,
      shuffled: false, augmentation: Augmentation()
    ).next()
  }

  @Test(arguments: [(1, 0), (0, 3), (0.5, 2)] as [(Float, Float)])
  func theReconstructionLossIsThatOfTheTraining(l1: Float, l2: Float) throws {
    let batch = try batch()
    var random = RandomSource(seed: 4)
    let objective = VQGANObjective(
      l1Weight: l1, l2Weight: l2, discriminator: DiscriminatorConfig(ndf: 8, nLayers: 1))
    var trainer = VQGANTrainer(
      model: VQGAN(.tiny, using: &random, on: .default),
      discriminator: Discriminator(objective.discriminator, using: &random, on: .default),
      perceptual: nil, objective: objective)
    let training = trainer.generatorGradients(
      [batch.input(on: .default)], isAdversarial: false, using: &random
    ).losses.rec
    let validation = try #require(trainer.validate([batch], on: .default)).rec
    #expect(abs(validation - Double(training)) < 1e-5 * Double(training))
  }

  @Test func aMetricThatDoesNotApplyHasAColumnButNoValue() {
    var labels = VQGANValidation()
    labels.agreement = 0.5
    #expect(labels.metrics.map(\.name) == VQGANValidation().metrics.map(\.name))
    #expect(labels.metrics.filter { $0.value == nil }.map(\.name) == ["val/psnr"])
    var palette = VQGANValidation(palette: Palette(bytes: [0, 0, 0, 1, 1, 1]))
    palette.agreement = 0.5
    let own = ["val/exact", "val/rare_iou"]
    #expect(palette.metrics.map(\.name) == labels.metrics.map(\.name) + own)
    #expect(palette.metrics.filter { $0.value == nil }.map(\.name) == own)
    let images = VQGANValidation().metrics
    #expect(images.filter { $0.value == nil }.map(\.name) == ["val/pixel_agreement"])
  }
}
