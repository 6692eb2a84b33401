import Foundation
import Models
import TensorCore
import Testing
import Training

@Suite struct DataStartTests {
  private static func trainer(
    _ quantizer: QuantizerConfig, channels: Int = 3, on device: Device
  ) -> VQGANTrainer {
    var config = VQGANConfig.tiny
    (config.inChannels, config.outChannels) = (channels, channels)
    config.quantizer = quantizer
    var random = RandomSource(seed: 8)
    return VQGANTrainer(
      model: VQGAN(config, using: &random, on: device),
      discriminator: Discriminator(.init(ndf: 8, nLayers: 2), using: &random, on: device),
      perceptual: nil, objective: VQGANObjective())
  }

  /// Two images, `[2, 3, 32, 32]`, of mean colour (-0.5, 0, 0.25).
  private static func images(on device: Device) -> Tensor {
    let colors: [[Float]] = [[-0.9, 0.5, 0.25], [-0.1, -0.5, 0.25]]
    let values = colors.flatMap { $0.flatMap { Array(repeating: $0, count: 32 * 32) } }
    return Tensor(values, shape: [2, 3, 32, 32], on: device)
  }

  @Test(arguments: Device.all)
  func theOutputStartsAtTheMeanColor(device: Device) throws {
    var trainer = Self.trainer(.init(), on: device)
    let codebook = trainer.model.quantizer.codebook.elements()
    var random = RandomSource(seed: 9)
    let batch = Self.images(on: device)
    trainer.initialize(from: [.values(batch), .values(batch)], using: &random)
    let bias = try #require(trainer.model.decoder.convOut.bias)
    for (found, expected) in zip(bias.elements(), [-0.5, 0, 0.25] as [Float]) {
      #expect(abs(found - expected) < 1e-5)
    }
    #expect(trainer.model.quantizer.codebook.elements() == codebook)
  }

  @Test(arguments: Device.all)
  func aModelOfLabelsStartsAtTheirFrequenciesWithWeightsForOneChannel(device: Device) throws {
    var trainer = Self.trainer(.init(), channels: 9, on: device)
    let weights = trainer.firstWeights
    let map = IndexTensor([Int32](repeating: 4, count: 32 * 32), shape: [1, 32, 32])
    var random = RandomSource(seed: 9)
    trainer.initialize(from: [.labels(map)], using: &random)
    #expect(trainer.firstWeights == weights.map { 3 * $0 })
    let bias = try #require(trainer.model.decoder.convOut.bias).elements()
    // 1024 positions and half a count for each of nine labels and for none
    #expect(abs(bias[4] - log(1024.5 as Float / 4.5)) < 1e-4)
    #expect(abs(bias[0] - log(0.5 as Float / 1028.5)) < 1e-4)
  }

  @Test(arguments: Device.all)
  func theCodebookStartsAtTheLatents(device: Device) {
    var trainer = Self.trainer(
      .init(kind: .movingAverage, initialization: .kMeans), on: device)
    var random = RandomSource(seed: 9)
    let images = random.uniform([2, 3, 32, 32], in: -1..<1, on: device)
    let before = trainer.validate(images)
    trainer.initialize(from: [.values(images)], using: &random)
    #expect(trainer.validate(images) < 0.5 * before)
  }

  /// An idle code takes the position of a vector that is far from its code, not of one of the many
  /// that are near.
  @Test(arguments: Device.all)
  func idleCodesGoWhereTheErrorIs(device: Device) throws {
    var trainer = Self.trainer(.init(kind: .movingAverage, restartAfter: 1), on: device)
    var random = RandomSource(seed: 9)
    let images = random.uniform([2, 3, 32, 32], in: -1..<1, on: device)
    let before = trainer.validate(images)
    for step in 0..<2 {
      _ = try trainer.step([.values(images)], step: step, learningRate: 0, using: &random)
    }
    #expect(trainer.validate(images) < 0.5 * before)
    #expect(trainer.usage.idleSteps.allSatisfy { $0 <= 1 })
  }

  @Test func thePixelLossIsTheWeightedSum() {
    let device = Device.default
    let (x, y) = (
      Tensor([0, 1, 2, 4], shape: [1, 1, 2, 2], on: device),
      Tensor([0, 0, 0, 1], shape: [1, 1, 2, 2], on: device)
    )
    func loss(_ l1: Float, _ l2: Float) -> Float {
      VQGANObjective(l1Weight: l1, l2Weight: l2).pixelLoss(x, y).item()
    }
    #expect(loss(1, 0) == 1.5)
    #expect(loss(0, 2) == 7)
    #expect(loss(2, 1) == 6.5)
  }
}

extension VQGANTrainer {
  /// What the encoder's first convolution begins with.
  fileprivate var firstWeights: [Float] {
    var (weights, encoder) = ([Float](), model.encoder)
    encoder.visitParameters { name, value in
      if name == "conv_in.weight" { weights = value.elements() }
    }
    return weights
  }

  /// The codebook loss on images.
  fileprivate func validate(_ images: Tensor) -> Float {
    withoutGradients {
      model.quantize(model.latents(of: .values(images))).loss.item()
    }
  }
}
