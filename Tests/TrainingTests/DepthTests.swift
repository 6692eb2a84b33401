import Foundation
import Models
import NN
import Shards
import TensorCore
import TestSupport
import Testing
import Training

/// Depth maps as the images of a VQGAN.
@Suite struct DepthTests {
  private static let side = 16

  /// Rows whose depth rises to the right by a slope of their own.
  private func set(_ folder: TemporaryFolder, rows: Int = 6) throws -> ImageShardSet {
    let side = Self.side
    try imageShard(
      folder("a.h5"), rows: rows,
      maps: { row in
        [.depth: .words((0..<side * side).map { UInt16($0 % side * (row + 1) * 600) })]
      },
      pixels: { _ in [UInt8](repeating: 0, count: side * side * 3) })
    return try ImageShardSet([folder("a.h5")])
  }

  @Test(arguments: [Augmentation(), Augmentation(crop: 8, flips: true)])
  func batchesAreMinus1To1(augmentation: Augmentation) throws {
    let folder = try TemporaryFolder()
    let source = ImageBatches(
      try set(folder), batchSize: 6, from: DataPosition(), seed: 3, shuffled: false,
      augmentation: augmentation, reading: .depth)
    let side = augmentation.crop > 0 ? augmentation.crop : Self.side
    var mirrored: Set<Bool> = []
    for _ in 0..<8 {
      guard case .values(let depths) = try source.next().input(on: .default) else {
        Issue.record("labels")
        return
      }
      #expect(depths.shape == [6, 1, side, side])
      let values = depths.elements()
      for row in 0..<6 {
        let line = values[row * side * side..<row * side * side + side].map { $0 }
        let steps = zip(line.dropFirst(), line).map { $0 - $1 }
        let slope = Float(row + 1) * 600 / 32767.5
        mirrored.insert(steps[0] < 0)
        for step in steps { #expect(abs(abs(step) - slope) < 1e-5) }
        if augmentation.crop == 0 { #expect(line[0] == -1) }
      }
    }
    #expect(mirrored == (augmentation.flips ? [true, false] : [false]))
  }

  /// Steps with the perceptual distance and the discriminator, both on the one channel.
  @Test func aStepMovesBothModels() throws {
    let folder = try TemporaryFolder()
    let source = ImageBatches(
      try set(folder), batchSize: 6, from: DataPosition(), seed: 3, shuffled: true,
      augmentation: Augmentation(), reading: .depth)
    var config = VQGANConfig.tiny
    (config.inChannels, config.outChannels) = (1, 1)
    var random = RandomSource(seed: 5)
    var perceptual = LPIPS(channels: [4, 8, 8, 8, 8], on: .default)
    perceptual.visitParameters { name, tensor in
      tensor.assign(
        name.hasPrefix("lin")
          ? random.uniform(tensor.shape, in: 0..<1, on: .default)
          : random.normal(
            tensor.shape, deviation: name.hasSuffix("bias") ? 0 : 0.3, on: .default))
    }
    let objective = VQGANObjective(
      discStart: 0, discriminator: DiscriminatorConfig(ndf: 8, nLayers: 1))
    var trainer = VQGANTrainer(
      model: VQGAN(config, using: &random, on: .default),
      discriminator: Discriminator(
        objective.discriminator, channels: 1, using: &random, on: .default),
      perceptual: perceptual, objective: objective)
    var losses: [VQGANLosses] = []
    let discriminator = trainer.discriminator.parameters.first?.elements()
    for step in 0..<30 {
      losses.append(
        try trainer.step(
          [try source.next().input(on: .default)], step: step, learningRate: 2e-3, using: &random))
    }
    let (first, last) = (losses[0], losses[29])
    #expect(first.p > 0 && first.dWeight > 0 && first.disc > 0)
    #expect(losses.allSatisfy { $0.total.isFinite })
    #expect(last.rec < 0.7 * first.rec, "\(first.rec) to \(last.rec)")
    #expect(trainer.discriminator.parameters.first?.elements() != discriminator)
    let validation = try #require(trainer.validate([try source.next()], on: .default))
    #expect(validation.psnr > 5 && validation.psnr < 99)
  }
}
