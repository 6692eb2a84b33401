// One training step of the VQGAN: reconstruction, codebook and adversarial losses, then the
// discriminator.
import Models
import NN
import TensorCore

/// The models and optimizers of a VQGAN training, and the step that moves them.
///
/// - Source: Esser et al. 2021, §3.1, eq. 4–7; order of updates as in the published code.
package struct VQGANTrainer {
  package var model: VQGAN
  package var discriminator: Discriminator
  package var optimizer: Adam
  package var discriminatorOptimizer: Adam
  package var usage: CodebookUsage
  /// The discriminator's averages, where the objective has a loss of them.
  package var lecam = LeCAM()
  package let objective: VQGANObjective
  /// The longest gradient of each optimizer's step; nil for no limit.
  package var clip: Float?
  /// The moving average of the generator's weights, where one is kept.
  package var average: EMAWeights<VQGAN>?
  package let perceptual: LPIPS?

  package init(
    model: VQGAN, discriminator: Discriminator, perceptual: LPIPS?, objective: VQGANObjective
  ) {
    self.model = model
    self.discriminator = discriminator
    self.perceptual = perceptual?.frozen()
    self.objective = objective
    optimizer = Adam(beta1: objective.adamBeta1, beta2: objective.adamBeta2)
    discriminatorOptimizer = optimizer
    usage = CodebookUsage(entries: model.config.nEmbed * model.config.depth)
  }

  /// Makes constants of the parts that the objective freezes; comes after all that fills them.
  package mutating func freeze() {
    let parts = objective.freeze
    model.visitParameters { name, tensor in
      if parts.contains(VQGANPart(ofTensor: name)) { tensor = tensor.detached() }
    }
    if isFrozen(.discriminator) { discriminator = discriminator.frozen() }
  }

  private func isFrozen(_ part: VQGANPart) -> Bool { objective.freeze.contains(part) }

  /// One step on one or more batches; gradients are averaged over the batches.
  ///
  /// - Parameters: changed: which pixels `change_weight` counts for, of each batch; step: counts
  ///   from 0; random: of dropout and restarted codes.
  /// - Returns: the losses, averaged over the batches.
  /// - Throws: `NotFinite`; then nothing but `random` has changed.
  package mutating func step(
    _ batches: [VQGANInput], changed: [[UInt8]?] = [], step: Int, learningRate: Float,
    using random: inout RandomSource
  ) throws(NotFinite) -> VQGANLosses {
    let criticPass = criticPass(at: step)
    // A codebook of moving averages and running statistics move before gradients are checked.
    var before: VQGANTrainer? = self
    model.quantizer.startStep(step)
    var generator = generatorGradients(
      batches, changed: changed, isAdversarial: isAdversarial(at: step),
      ramp: objective.ramp(at: step), using: &random)
    var losses = generator.losses
    var critic: Gradients?
    if criticPass == .shared {
      critic = discriminatorGradients(batches, of: generator, &losses, using: &random)
    }
    if let problem = notFinite(losses, generator.gradients, critic) {
      if let before { self = before }
      throw problem
    }
    // Weights that somebody else holds are copied when they move.
    if criticPass != .fresh { before = nil }
    if let clip { generator.gradients.clip(model, to: clip) }
    optimizer.update(&model, generator.gradients, learningRate: learningRate)
    usage.record(generator.quantized.flatMap { $0 }.map(\.entries))
    if !isFrozen(.codebook) {
      for last in generator.quantized.last ?? [] { restartDeadCodes(from: last, using: &random) }
    }
    if criticPass == .fresh {
      critic = discriminatorGradients(batches, of: generator, &losses, using: &random)
      if let problem = notFinite(losses, nil, critic) {
        if let before { self = before }
        throw problem
      }
      before = nil
    }
    if var critic {
      if let clip { critic.clip(discriminator, to: clip) }
      discriminatorOptimizer.update(&discriminator, critic, learningRate: learningRate)
    }
    average?.update(model, step: optimizer.step)
    return losses
  }

  private func isAdversarial(at step: Int) -> Bool {
    step >= objective.discStart && objective.discFactor > 0
  }

  /// How the discriminator is trained in a step; nil if it is not.
  private func criticPass(at step: Int) -> VQGANObjective.DiscriminatorPass? {
    isAdversarial(at: step) && !isFrozen(.discriminator) ? objective.discriminatorPass : nil
  }

  /// What of a step on an image is not finite, with the weights or their averages; nil if all is.
  ///
  /// - Parameter step: counts from 0.
  func notFiniteOnTrial(_ image: VQGANInput, step: Int) -> NotFinite? {
    for model in [model] + (average.map { [$0.trainable(like: model)] } ?? []) {
      var (tried, random) = (self, RandomSource(seed: 0))
      tried.model = model
      tried.model.quantizer.startStep(step)
      let generator = tried.generatorGradients(
        [image], isAdversarial: isAdversarial(at: step), ramp: objective.ramp(at: step),
        using: &random)
      var losses = generator.losses
      var critic: Gradients?
      if criticPass(at: step) != nil {
        critic = tried.discriminatorGradients([image], of: generator, &losses, using: &random)
      }
      if let problem = tried.notFinite(losses, generator.gradients, critic) { return problem }
      if let result = model.notFiniteResult { return NotFinite(what: result) }
    }
    return nil
  }

  /// The first tensor of the models that is not finite.
  var notFinite: String? { model.notFinite ?? discriminator.notFinite }

  private func notFinite(
    _ losses: VQGANLosses, _ generator: Gradients?, _ critic: Gradients?
  ) -> NotFinite? {
    guard losses.total.isFinite, losses.disc.isFinite else {
      let names = losses.named.filter { !$0.value.isFinite }.map(\.name).joined(separator: ", ")
      return NotFinite(what: "the loss (\(names); \(model.largestWeight))")
    }
    return generator?.notFinite(in: model, clippedTo: clip)
      ?? critic?.notFinite(
        in: discriminator, below: VQGANCheckpoint.discriminatorPrefix, clippedTo: clip)
  }

  private mutating func discriminatorGradients(
    _ batches: [VQGANInput], of generator: GeneratorResult, _ losses: inout VQGANLosses,
    using random: inout RandomSource
  ) -> Gradients {
    discriminatorGradients(
      batches, reconstructions: generator.reconstructions, fakeLogits: generator.fakeLogits,
      &losses, using: &random)
  }

  /// What the generator's half of a step gives.
  package struct GeneratorResult {
    /// Averaged over the batches; reads them from the device.
    package var losses: VQGANLosses {
      let fraction = 1 / Float(max(passes.count, 1))
      return passes.reduce(into: VQGANLosses()) { $0.add($1.read(), fraction: fraction) }
    }
    package var gradients = Gradients()
    package var reconstructions: [Tensor] = []
    /// The discriminator's answers to them with their graphs, for its own half of the step; none
    /// before `disc_start`.
    package var fakeLogits: [Tensor] = []
    /// Of each batch the levels that were used.
    var quantized: [[QuantizedVectors]] = []
    fileprivate var passes: [PassLosses] = []
  }

  /// Losses of the generator and gradients of its parameters; a moving-average codebook moves here.
  ///
  /// - Parameters: changed: as of `step`; ramp: how much of the adversarial loss counts.
  package mutating func generatorGradients(
    _ batches: [VQGANInput], changed: [[UInt8]?] = [], isAdversarial: Bool, ramp: Float = 1,
    using random: inout RandomSource
  ) -> GeneratorResult {
    let fraction = 1 / Float(batches.count)
    var result = GeneratorResult()
    for (index, input) in batches.enumerated() {
      let pass = generatorPass(
        input, changed: index < changed.count ? changed[index] : nil, isAdversarial: isAdversarial,
        ramp: ramp, using: &random)
      result.passes.append(pass.losses)
      result.gradients.add(pass.gradients)
      result.reconstructions.append(pass.reconstruction)
      if let logits = pass.fakeLogits { result.fakeLogits.append(logits) }
      result.quantized.append(pass.quantized)
      if !isFrozen(.codebook) { model.quantizer.moveEntries(towards: pass.quantized) }
    }
    if batches.count > 1 { result.gradients.scale(by: fraction) }
    return result
  }

  /// Gradients of the discriminator's parameters; its metrics are added to `losses`.
  ///
  /// - Parameter fakeLogits: the answers to the reconstructions by the discriminator as it is,
  ///   which spare a pass when both halves of a step share the reconstructions.
  package mutating func discriminatorGradients(
    _ batches: [VQGANInput], reconstructions: [Tensor], fakeLogits: [Tensor] = [],
    _ losses: inout VQGANLosses, using random: inout RandomSource
  ) -> Gradients {
    let fraction = 1 / Float(batches.count)
    let parameters = discriminator.parameters
    var gradients = Gradients()
    var passes: [(loss: Tensor, real: Tensor, fake: Tensor, lecam: Tensor?)] = []
    for (index, input) in batches.enumerated() {
      guard case .values(let images) = input else { continue }  // label maps have no discriminator
      let logitsReal = discriminator(images, training: true)
      let logitsFake =
        switch objective.discriminatorPass {
        case .shared where index < fakeLogits.count: fakeLogits[index]
        case .shared: discriminator(reconstructions[index], training: true)
        case .fresh:
          discriminator(freshReconstruction(of: images, using: &random), training: true)
        }
      let (real, fake) = (logitsReal.detached().mean(), logitsFake.detached().mean())
      var loss = objective.discLoss(real: logitsReal, fake: logitsFake)
      var history: Tensor?
      if objective.lecamWeight > 0 {
        lecam.update(real: real.item(), fake: fake.item())
        let distance = lecam.loss(real: logitsReal, fake: logitsFake)
        loss = loss + objective.lecamWeight * distance
        history = distance.detached()
      }
      loss = objective.discFactor * loss
      gradients.add(backward(loss, towards: parameters))
      passes.append((loss, real, fake, history))
    }
    if batches.count > 1 { gradients.scale(by: fraction) }
    for pass in passes {
      losses.disc += fraction * pass.loss.item()
      losses.logitsReal += fraction * pass.real.item()
      losses.logitsFake += fraction * pass.fake.item()
      losses.lecam += fraction * (pass.lecam?.item() ?? 0)
    }
    return gradients
  }

  /// The reconstruction by the generator as it is now, for the reference's second pass.
  private func freshReconstruction(
    of images: Tensor, using random: inout RandomSource
  ) -> Tensor {
    withoutGradients { forward(.values(images), by: model, using: &random).reconstruction.plain() }
  }

  /// The model in training: with dropout, and noise in kinds of codebook that sample.
  ///
  /// What is frozen from the image on is as in evaluation, so that the codes are those of shards,
  /// and leaves no activations.
  private func forward(
    _ input: VQGANInput, by model: VQGAN, using random: inout RandomSource
  ) -> (quantized: Quantized, reconstruction: Tensor) {
    var source: RandomSource? = random
    defer { random = source ?? random }
    let quantized: Quantized
    if !isFrozen(.encoder) {
      quantized = model.quantize(model.latents(of: input, dropout: &source), sampling: &source)
    } else {
      let latents = withoutGradients { model.latents(of: input) }
      quantized =
        isFrozen(.codebook)
        ? withoutGradients { model.quantize(latents) } : model.quantize(latents, sampling: &source)
    }
    return (quantized, model.decode(quantized.latents, dropout: &source))
  }

  private struct GeneratorPass {
    let losses: PassLosses
    let gradients: Gradients
    let reconstruction: Tensor
    let fakeLogits: Tensor?
    let quantized: [QuantizedVectors]
  }

  /// Forward and backward through the generator.
  ///
  /// The losses are differentiated up to the reconstruction first; the adaptive weight then needs
  /// only the last layer's weight gradients, and the generator's graph is walked once.
  private mutating func generatorPass(
    _ input: VQGANInput, changed: [UInt8]?, isAdversarial: Bool, ramp: Float,
    using random: inout RandomSource
  ) -> GeneratorPass {
    var generator = model
    if isAdversarial, isFrozen(.decoder) {
      // For the adaptive weight alone: this leaf is none of the model's.
      generator.decoder.convOut.weight = generator.decoder.convOut.weight.trainable()
    }
    let last = generator.decoder.convOut.weight
    let (quantized, reconstruction) = forward(input, by: generator, using: &random)
    let border = withoutGradients {
      if case .labels = input {
        reconstruction.detached()
      } else {
        reconstruction.detached().plain()
      }
    }.trainable()

    let codebookLoss = quantized.loss
    var losses = PassLosses(objective: objective, ramp: ramp, quant: codebookLoss.detached())
    let found = objective.reconstructionLosses(border, of: input, changed: changed)
    losses.worst = found.worst?.detached()
    var rec = found.sum
    if let perceptual, objective.perceptualWeight > 0, case .values(let images) = input {
      let distance = perceptual(images, border).mean()
      losses.p = distance.detached()
      rec = rec + objective.perceptualWeight * distance
    }
    losses.rec = rec.detached()
    var seed = backward(rec)[border] ?? Tensor(zerosLike: border)

    var fakeLogits: Tensor?
    if isAdversarial, case .values = input {
      let isTrained = !isFrozen(.discriminator)
      let logits = discriminator(border, training: isTrained)
      let isShared = isTrained && objective.discriminatorPass == .shared
      if isShared { fakeLogits = logits }
      let g = objective.genLoss(fake: logits)
      losses.g = g.detached()
      let adversarial =
        backward(g, towards: [border], keepingGraph: isShared)[border] ?? Tensor(zerosLike: border)
      let weight = adaptiveWeight(
        reconstruction: gradient(of: last, seed: seed, at: reconstruction),
        adversarial: gradient(of: last, seed: adversarial, at: reconstruction)
      ).scaled(by: objective.discWeight)
      losses.dWeight = weight
      seed = seed + adversarial.scaled(by: weight.scaled(by: ramp * objective.discFactor))
    }

    let codebookSeed = Tensor(objective.codebookWeight, on: border.device)
    let gradients = backward([(reconstruction, seed), (codebookLoss, codebookSeed)])
    return GeneratorPass(
      losses: losses, gradients: gradients, reconstruction: border.detached(),
      fakeLogits: fakeLogits, quantized: quantized.levels)
  }

  /// The gradient of the decoder's last weight alone, for a gradient at the reconstruction.
  private func gradient(of weight: Tensor, seed: Tensor, at reconstruction: Tensor) -> Tensor {
    backward([(reconstruction, seed)], towards: [weight], keepingGraph: true)[weight]
      ?? Tensor(zerosLike: weight)
  }

  /// Sets codes that have been idle for too long to latent vectors of a batch, sampled in
  /// proportion to their squared distance from their codes: a spare code goes where the codebook is
  /// worst, not where most vectors are.
  private mutating func restartDeadCodes(
    from latents: QuantizedVectors, using random: inout RandomSource
  ) {
    let limit = model.config.quantizer.restartAfter
    guard limit > 0 else { return }
    let entries = latents.firstEntry..<latents.firstEntry + model.config.nEmbed
    let idle = usage.idle(in: entries, for: limit)
    guard !idle.isEmpty else { return }
    let weights = latents.squaredDistances?.elements() ?? []
    let rows = random.choice(idle.count, weights: weights)
    let restarted = Array(idle.shuffled(using: &random).prefix(rows.count))
    let positions = IndexTensor(rows.map { Int32($0) }, shape: [rows.count])
    model.quantizer.setEntries(restarted, to: latents.vectors.gathered(at: positions))
    usage.reset(restarted)
  }
}
