// Codebooks that stay in use, on images made of noise of several scales.
import Models
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct CodebookUseTests {
  private static let kinds: [(String, @Sendable (inout VQGANConfig) -> Void)] = [
    (
      "levels",
      {
        $0.quantizer = QuantizerConfig(kind: .fsq)
        $0.quantizer.levels = [5, 4, 3]
        ($0.nEmbed, $0.embedDim) = (60, 3)
      }
    ),
    (
      "directions with revival",
      {
        $0.quantizer = QuantizerConfig(
          kind: .movingAverage, restartAfter: 10, initialization: .kMeans)
        $0.quantizer.cosine = true
        ($0.nEmbed, $0.embedDim) = (60, 8)
      }
    ),
    (
      "two levels with revival",
      {
        $0.quantizer = QuantizerConfig(
          kind: .movingAverage, restartAfter: 10, initialization: .kMeans)
        $0.quantizer.depth = 2
        $0.nEmbed = 30
      }
    ),
  ]

  @Test(arguments: kinds.map(\.0))
  func fourFifthsOfTheCodesAreUsed(kind: String) throws {
    var config = VQGANConfig.tiny
    try #require(Self.kinds.first { $0.0 == kind }).1(&config)
    var random = RandomSource(seed: 5)
    let objective = VQGANObjective(
      discFactor: 0, discriminator: DiscriminatorConfig(ndf: 8, nLayers: 1))
    var trainer = VQGANTrainer(
      model: VQGAN(config, using: &random),
      discriminator: Discriminator(objective.discriminator, using: &random, on: .default),
      perceptual: nil, objective: objective)
    func batch() -> VQGANInput {
      let coarse = random.uniform([4, 3, 4, 4], in: -1..<1).elements()
      let fine = random.uniform([4, 3, 32, 32], in: -0.4..<0.4).elements()
      let pixels = fine.indices.map { index in
        let (plane, y, x) = (index / 1024, index / 32 % 32, index % 32)
        return max(-1, min(1, fine[index] + coarse[plane * 16 + y / 8 * 4 + x / 8]))
      }
      return .values(Tensor(pixels, shape: [4, 3, 32, 32]))
    }
    trainer.initialize(from: [batch(), batch()], using: &random)
    for step in 0..<60 {
      _ = try trainer.step([batch()], step: step, learningRate: 1e-3, using: &random)
    }
    #expect(trainer.usage.used >= 48)
    #expect(trainer.usage.perplexity >= 15, "\(trainer.usage.perplexity)")
  }
}
