// Guards of the training step against the defects that `Docs/Why-the-rewrite-collapsed.md` lists;
// the test names stand there.
import Checkpoints
import Models
import NN
import TensorCore
import TestSupport
import Testing
import Training

/// A small trainer and one batch of images `[2, 3, 32, 32]`.
private func example(discStart: Int) -> (trainer: VQGANTrainer, images: Tensor) {
  var random = RandomSource(seed: 5)
  let objective = VQGANObjective(
    discStart: discStart, discriminator: DiscriminatorConfig(ndf: 8, nLayers: 2))
  var config = VQGANConfig.tiny
  config.nEmbed = 128
  let trainer = VQGANTrainer(
    model: VQGAN(config, using: &random),
    discriminator: Discriminator(objective.discriminator, using: &random, on: .default),
    perceptual: nil, objective: objective)
  return (trainer, random.uniform([2, 3, 32, 32], in: -1..<1))
}

/// Every value of a layer's parameters.
private func values(_ layer: some Layer) -> [Float] {
  layer.parameters.flatMap { $0.elements() }
}

/// The largest |a - b|.
private func distance(_ a: [Float], _ b: [Float]) -> Float {
  zip(a, b).map { abs($0 - $1) }.max() ?? 0
}

@Suite struct TrainingCollapseGuardTests {
  /// R1: losses are added, so that a codebook that fits perfectly does not end the training.
  @Test func aPerfectCodebookLeavesTheReconstructionLoss() throws {
    var (trainer, images) = example(discStart: 0)
    // 2 · 8 · 8 latents for 128 codes: every latent is a code.
    var none: RandomSource?
    let z = trainer.model.latents(of: .values(images), dropout: &none)
    trainer.model.quantizer.replaceEntries(z.detached().rows().reshaped([128, 16]))
    var random = RandomSource(seed: 0)
    let result = trainer.generatorGradients([.values(images)], isAdversarial: true, using: &random)
    let losses = result.losses
    #expect(losses.quant < 1e-9)
    #expect(losses.rec > 0.1)
    let sum = losses.nll + losses.dWeight * losses.discFactor * losses.g + losses.quant
    #expect(abs(losses.total - sum) < 1e-5)
    for weight in [trainer.model.encoder, trainer.model.decoder] as [any Layer] {
      let gradients = weight.parameters.compactMap { result.gradients[$0] }
      #expect(gradients.count == weight.parameters.count)
      #expect(gradients.map { $0.norm().item() }.max() ?? 0 > 1e-3)
    }
  }

  /// R2: both optimizers have the published betas, and the one learning rate moves both.
  @Test func bothOptimizersStepByTheSameLearningRate() throws {
    var (trainer, images) = example(discStart: 0)
    for optimizer in [trainer.optimizer, trainer.discriminatorOptimizer] {
      #expect(optimizer.beta1 == 0.5 && optimizer.beta2 == 0.9)
    }
    let before = (values(trainer.model), values(trainer.discriminator))
    var random = RandomSource(seed: 0)
    _ = try trainer.step([.values(images)], step: 0, learningRate: 1e-4, using: &random)
    // Adam's first step is the learning rate in every direction that has a gradient.
    #expect(abs(distance(before.0, values(trainer.model)) - 1e-4) < 2e-6)
    #expect(abs(distance(before.1, values(trainer.discriminator)) - 1e-4) < 2e-6)
  }

  /// R8: the discriminator's loss moves the discriminator alone.
  @Test func theDiscriminatorsLossDoesNotReachTheGenerator() {
    var (trainer, images) = example(discStart: 0)
    var random = RandomSource(seed: 0)
    let generator = trainer.generatorGradients(
      [.values(images)], isAdversarial: true, using: &random)
    #expect(generator.reconstructions.allSatisfy { !$0.isTracked })
    var losses = generator.losses
    let gradients = trainer.discriminatorGradients(
      [.values(images)], reconstructions: generator.reconstructions,
      fakeLogits: generator.fakeLogits,
      &losses, using: &random)
    // The answers kept from the generator's half are those that another pass would give.
    let again = trainer.discriminatorGradients(
      [.values(images)], reconstructions: generator.reconstructions, &losses, using: &random)
    for parameter in trainer.discriminator.parameters {
      #expect(gradients[parameter]?.elements() == again[parameter]?.elements())
    }
    #expect(trainer.model.parameters.allSatisfy { gradients[$0] == nil })
    #expect(trainer.discriminator.parameters.allSatisfy { gradients[$0] != nil })
    // And the generator's loss moves the generator alone.
    #expect(trainer.discriminator.parameters.allSatisfy { generator.gradients[$0] == nil })
  }

  /// R9: `fresh` shows the discriminator what the generator makes after its step, `shared` what it
  /// made before.
  @Test func theFreshPassSeesTheUpdatedGenerator() throws {
    func fakeLogits(_ pass: VQGANObjective.DiscriminatorPass) throws -> Float {
      let (start, images) = example(discStart: 0)
      var objective = start.objective
      objective.discriminatorPass = pass
      var trainer = VQGANTrainer(
        model: start.model, discriminator: start.discriminator, perceptual: nil,
        objective: objective)
      var random = RandomSource(seed: 0)
      return try trainer.step([.values(images)], step: 0, learningRate: 1e-2, using: &random)
        .logitsFake
    }
    #expect(try fakeLogits(.fresh) != fakeLogits(.shared))
  }

  /// R11: the order is shuffled unless it is switched off.
  @Test func rowsAreShuffledByDefault() {
    let rows = EpochOrder(count: 1000, seed: 0).rows(ofEpoch: 0)
    let neighbours = zip(rows, rows.dropFirst()).count { abs($0 - $1) == 1 }
    #expect(neighbours < 20)
  }

  /// R18: before `disc_start` nothing adversarial is computed and the discriminator stays as it
  /// was.
  @Test func nothingAdversarialHappensBeforeDiscStart() throws {
    var (trainer, images) = example(discStart: 1)
    let before = values(trainer.discriminator)
    var random = RandomSource(seed: 0)
    let early = try trainer.step([.values(images)], step: 0, learningRate: 1e-3, using: &random)
    #expect([early.g, early.disc, early.dWeight, early.discFactor].allSatisfy { $0 == 0 })
    #expect(values(trainer.discriminator) == before)
    let later = try trainer.step([.values(images)], step: 1, learningRate: 1e-3, using: &random)
    #expect(later.disc > 0 && later.dWeight > 0)
    #expect(values(trainer.discriminator) != before)
  }

  /// R3: a file with heads of other names is refused, and nothing is loaded.
  @Test func headsOfOtherNamesAreRefused() throws {
    let folder = try TemporaryFolder()
    var random = RandomSource(seed: 6)
    var network = LPIPS(channels: [4, 4, 4, 4, 4], on: .default)
    network.visitParameters { $1.assign(random.uniform($1.shape)) }
    let renamed = network.namedTensors.map {
      SafetensorsEntry(
        $0.name.hasPrefix("lin") ? "lins." + $0.name.dropFirst(3) : $0.name, $0.tensor)
    }
    try SafetensorsWriter.write(renamed, to: folder("renamed.safetensors"))
    try SafetensorsWriter.write(
      ModelFiles.entries(network), to: folder("network.safetensors"))
    var empty = LPIPS(channels: [4, 4, 4, 4, 4], on: .default)
    let error = #expect(throws: ModelMismatchError.self) {
      try ModelFiles.load(&empty, from: try SafetensorsFile(folder("renamed.safetensors")))
    }
    #expect(error?.missing == (0..<5).map { "lin\($0).model.1.weight" })
    #expect(error?.unexpected.count == 5)
    #expect(empty.namedTensors.allSatisfy { $0.tensor.norm().item() == 0 })
    try ModelFiles.load(&empty, from: try SafetensorsFile(folder("network.safetensors")))
    #expect(empty.namedTensors.allSatisfy { $0.tensor.norm().item() > 0 })
  }

  /// R3: with heads that are not negative, as the published ones are, no distance is negative.
  @Test func perceptualDistancesAreNotNegative() {
    var random = RandomSource(seed: 7)
    var network = LPIPS(channels: [4, 4, 4, 4, 4], on: .default)
    network.visitParameters { name, tensor in
      let range: Range<Float> = name.hasPrefix("lin") ? 0..<1 : -0.5..<0.5
      tensor.assign(random.uniform(tensor.shape, in: range))
    }
    let a = random.uniform([4, 3, 32, 32], in: -1..<1)
    let b = random.uniform([4, 3, 32, 32], in: -1..<1)
    #expect(network(a, a).elements().allSatisfy { (0..<1e-9).contains($0) })
    #expect(network(a, b).elements().allSatisfy { $0 > 0 })
  }
}
