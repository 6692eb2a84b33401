// Parts that stay as they are, and when the adversarial loss comes in.
import Checkpoints
import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Testing
import Training

private func tensors(_ layer: some Layer) -> [String: [Float]] {
  layer.namedTensors.reduce(into: [:]) { $0[$1.name] = $1.tensor.elements() }
}

@Suite struct FreezeTests {
  /// A trainer with a codebook that moves in every way, and one batch of images.
  private static func example(
    _ freeze: [VQGANPart], dropout: Float = 0, _ change: (inout VQGANObjective) -> Void = { _ in }
  ) -> (trainer: VQGANTrainer, images: Tensor) {
    var random = RandomSource(seed: 8)
    var config = VQGANConfig.tiny
    config.dropout = dropout
    config.quantizer = QuantizerConfig(kind: .movingAverage, decay: 0.5, restartAfter: 1)
    var objective = VQGANObjective(
      discStart: 0, discriminator: DiscriminatorConfig(ndf: 8, nLayers: 2))
    objective.freeze = freeze
    change(&objective)
    var trainer = VQGANTrainer(
      model: VQGAN(config, using: &random),
      discriminator: Discriminator(objective.discriminator, using: &random, on: .default),
      perceptual: nil, objective: objective)
    trainer.average = EMAWeights(trainer.model, decay: 0.9)
    trainer.freeze()
    return (trainer, random.uniform([2, 3, 32, 32], in: -1..<1))
  }

  @Test(
    arguments: [
      [], [.encoder], [.codebook], [.decoder], [.discriminator], [.encoder, .codebook],
      [.encoder, .codebook, .decoder],
    ] as [[VQGANPart]], VQGANObjective.DiscriminatorPass.allCases)
  func frozenPartsKeepEveryBit(
    freeze: [VQGANPart], pass: VQGANObjective.DiscriminatorPass
  ) throws {
    var (trainer, images) = Self.example(freeze) { $0.discriminatorPass = pass }
    let before = (tensors(trainer.model), tensors(trainer.discriminator))
    var random = RandomSource(seed: 0)
    for step in 0..<3 {
      let losses = try trainer.step(
        [.values(images)], step: step, learningRate: 1e-3, using: &random)
      #expect(losses.dWeight > 0 && losses.total.isFinite)
      #expect((losses.disc != 0) == !freeze.contains(.discriminator))
    }
    let average = tensors(try #require(trainer.average).model)
    var moved: Set<VQGANPart> = []
    for (name, values) in tensors(trainer.model) where values != before.0[name] {
      moved.insert(VQGANPart(ofTensor: name))
    }
    for (name, values) in average where freeze.contains(VQGANPart(ofTensor: name)) {
      #expect(values == before.0[name], "the average of \(name)")
    }
    if tensors(trainer.discriminator) != before.1 { moved.insert(.discriminator) }
    #expect(moved == Set(VQGANPart.allCases).subtracting(freeze))
    // Neither moments nor gradients are kept of what does not move.
    let moments = trainer.optimizer.state.map { String($0.name.dropFirst(2)) }
    #expect(!moments.contains { freeze.contains(VQGANPart(ofTensor: $0)) })
    #expect(trainer.discriminatorOptimizer.state.isEmpty == freeze.contains(.discriminator))
  }

  /// The weight between the losses is that of the decoder's last layer also where this is frozen.
  @Test func theAdaptiveWeightDoesNotDependOnWhatIsFrozen() throws {
    let weights = try ([[], [.decoder], [.encoder, .codebook]] as [[VQGANPart]]).map { freeze in
      var (trainer, images) = Self.example(freeze)
      var random = RandomSource(seed: 0)
      return try trainer.step([.values(images)], step: 0, learningRate: 1e-3, using: &random)
        .dWeight
    }
    #expect(weights[0] > 0 && weights[0] == weights[1] && weights[0] == weights[2])
  }

  /// Dropout would change the codes that the decoder learns from.
  @Test func aFrozenEncoderGivesTheCodesOfItsShards() throws {
    var (trainer, images) = Self.example([.encoder, .codebook], dropout: 0.5)
    let expected = trainer.model.encode(.values(images))
    var random = RandomSource(seed: 0)
    let before = trainer.usage
    _ = try trainer.step([.values(images)], step: 0, learningRate: 1e-3, using: &random)
    var used = before
    used.record([expected.elements])
    #expect(trainer.usage == used)
    #expect(trainer.model.encode(.values(images)) == expected)
  }

  @Test func theAdversarialLossGrowsFromNothing() throws {
    var (trainer, images) = Self.example([]) {
      ($0.discStart, $0.discRamp, $0.discFactor) = (1, 4, 0.5)
    }
    var random = RandomSource(seed: 0)
    let factors = try (0..<7).map { step in
      try trainer.step([.values(images)], step: step, learningRate: 1e-4, using: &random)
    }
    #expect(factors.map(\.discFactor) == [0, 0, 0.125, 0.25, 0.375, 0.5, 0.5])
    // The discriminator learns from its first step on.
    #expect(factors.map { $0.disc > 0 } == [false] + Array(repeating: true, count: 6))
    for losses in factors {
      let sum = losses.nll + losses.dWeight * losses.discFactor * losses.g + losses.quant
      #expect(abs(losses.total - sum) < 1e-5)
    }
    #expect(VQGANObjective(discStart: 3).ramp(at: 3) == 1)
  }

  /// At its first step the ramp leaves the generator the gradients that it has without.
  @Test func aRampBeginsWithTheReconstructionAlone() {
    var gradients: [[Float]] = []
    for isAdversarial in [true, false] {
      var (trainer, images) = Self.example([])
      var random = RandomSource(seed: 0)
      let found = trainer.generatorGradients(
        [.values(images)], isAdversarial: isAdversarial, ramp: 0, using: &random)
      gradients.append(
        trainer.model.parameters.flatMap { found.gradients[$0]?.elements() ?? [] })
    }
    #expect(Distance(gradients[0], gradients[1]).relative < 1e-6)
  }

  @Test func addedTermsAreInTheLosses() throws {
    var (trainer, images) = Self.example([]) {
      ($0.worstWeight, $0.lecamWeight, $0.genLoss) = (0.5, 0.1, .nonSaturating)
      ($0.l1Weight, $0.l2Weight) = (0, 1)
    }
    var random = RandomSource(seed: 0)
    let losses = try trainer.step(
      [.values(images)], step: 0, learningRate: 1e-3, using: &random)
    #expect(losses.added(by: trainer.objective).map(\.name) == ["worst_loss", "lecam_loss"])
    #expect(losses.added(by: VQGANObjective()).isEmpty)
    #expect(losses.worst > losses.rec - 0.5 * losses.worst)
    #expect(losses.lecam > 0)
    #expect(losses.g > 0)  // a softplus
    #expect(abs(trainer.lecam.real - losses.logitsReal) < 1e-5)
    #expect(abs(trainer.lecam.fake - losses.logitsFake) < 1e-5)
    let validated = trainer.objective.reconstructionLoss(images, of: .values(images)).item()
    #expect(validated == 0)
  }

  /// Moments of frozen parts that came with the optimizer neither move nor hinder anything.
  @Test func anOptimizerThatWentOnIsResumedWithFrozenParts() throws {
    let folder = try TemporaryFolder()
    try imageShard(folder("a.h5"), rows: 5, height: 16, width: 16) { row in
      (0..<16 * 16 * 3).map { UInt8(truncatingIfNeeded: $0 * (row + 3)) }
    }
    func train(
      _ name: String, steps: Int, stopAfter: Int = .max, resumed: Bool = false,
      _ change: (inout VQGANRunConfig) -> Void = { _ in }
    ) throws -> [String: [UInt8]] {
      var config = VQGANRunConfig.small(discStart: 0, steps: steps)
      config.shards = [folder("a.h5")]
      change(&config)
      let path = RunFolder(folder(name))
      try path.train(config, resumed: resumed, .stopping(after: stopAfter))
      return try path.lastCheckpointFiles()
    }
    _ = try train("first", steps: 2)
    func tune(_ config: inout VQGANRunConfig) {
      (config.initFrom, config.initOptimizer) = (folder("first"), true)
      config.objective.freeze = [.decoder, .discriminator]
    }
    let whole = try train("whole", steps: 5, tune)
    _ = try train("parts", steps: 5, stopAfter: 2, tune)
    #expect(try train("parts", steps: 5, resumed: true, tune) == whole)
    let names = try SafetensorsFile(
      "\(RunFolder(folder("whole")).lastCheckpoint())/optimizer.safetensors"
    ).names
    #expect(names.contains("generator.m.decoder.conv_out.weight"))
  }

  @Test func impossibleObjectives() {
    func problem(_ change: (inout VQGANObjective) -> Void) -> String? {
      var objective = VQGANObjective()
      change(&objective)
      return objective.problem
    }
    #expect(problem { _ in } == nil)
    #expect(problem { $0.freeze = VQGANPart.allCases }?.contains("freeze") == true)
    #expect(problem { $0.discRamp = -1 }?.contains("disc_ramp") == true)
    #expect(problem { $0.worstFraction = 1.5 }?.contains("worst_fraction") == true)
    #expect(problem { $0.worstWeight = -1 }?.contains("worst_weight") == true)
    #expect(problem { $0.changeWeight = -1 }?.contains("change_weight") == true)
    #expect(problem { $0.lecamWeight = .nan }?.contains("lecam_weight") == true)
  }

  /// Files of earlier versions have none of the new keys.
  @Test func earlierObjectivesAreRead() throws {
    let encoder = JSONEncoder()
    let all = try JSONSerialization.jsonObject(with: encoder.encode(VQGANObjective()))
    var keys = try #require(all as? [String: Any])
    for key in [
      "freeze", "disc_ramp", "gen_loss", "lecam_weight", "worst_weight", "worst_fraction",
      "change_weight",
    ] {
      #expect(keys.removeValue(forKey: key) != nil, "\(key)")
    }
    let data = try JSONSerialization.data(withJSONObject: keys)
    #expect(try JSONDecoder().decode(VQGANObjective.self, from: data) == VQGANObjective())
    keys["disc_loss"] = nil
    let lacking = try JSONSerialization.data(withJSONObject: keys)
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(VQGANObjective.self, from: lacking)
    }
  }
}
