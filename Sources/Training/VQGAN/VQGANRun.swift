// The training run of a VQGAN: load, step, log, sometimes save.
import Foundation
import Images
import Metrics
import Models
import NN
import Shards
import TensorCore

/// A VQGAN training run in its folder.
package struct VQGANRun: TrainingRun {
  package let config: VQGANRunConfig
  package internal(set) var trainer: VQGANTrainer
  package internal(set) var state: TrainingState
  let folder: RunFolder
  let device: Device
  private let isResumed: Bool
  var lastTaken: TrainingState?
  var evaluator: VQGANEvaluator?
  /// What the sprites of the validation images are judged by, where they are frames of games.
  var sprites: [SpriteFrame?]?
  /// What a step is tried on before the weights are saved.
  var trialImage: VQGANInput?

  /// A new run, or with `resumed` the continuation of the one in the folder, from its beginning if
  /// it has no checkpoint yet.
  ///
  /// - Throws: `RunError`, `ModelMismatchError`, `DurableFileError`, and what opening the files of
  ///   `perceptual` and `initFrom` throws.
  package init(_ config: VQGANRunConfig, in folder: RunFolder, resumed: Bool, on device: Device)
    throws
  {
    self.config = config
    self.folder = folder
    self.device = device
    isResumed = resumed
    var random = RandomSource(seed: config.seed).stream("initial weights")
    var perceptual: LPIPS?
    if let path = config.perceptual { perceptual = try LPIPS.load(path, on: device) }
    trainer = VQGANTrainer(
      model: VQGAN(config.model, using: &random, on: device),
      discriminator: Discriminator(
        config.objective.discriminator,
        // That of maps of labels sees none, but stands in the files.
        channels: config.model.input.isLabels ? 3 : config.model.inChannels,
        using: &random, on: device),
      perceptual: perceptual, objective: config.objective)
    trainer.clip = config.clip
    let checkpoint = resumed ? try folder.resumePoint() : nil
    if checkpoint == nil, let path = config.initFrom {
      let file = try FirstStageFile.open(path, weights: config.initWeights ?? .ema)
      try file.load(&trainer.model)
      try trainer.model.requireFiniteResults(of: path)
      try file.load(&trainer.discriminator, of: config.objective.discriminator)
      if config.objective.freeze.contains(.discriminator),
        file.discriminator != config.objective.discriminator
      {
        throw RunError.damaged(
          path: path, problem: "has no discriminator of this shape that could be frozen")
      }
      if config.initOptimizer == true {
        try OptimizerStates.ofVQGAN(path).load(
          &trainer, withDiscriminator: file.discriminator == config.objective.discriminator)
      }
    }
    let model = trainer.model
    trainer.average = config.ema.map { EMAWeights(model, decay: $0) }
    let seed = config.seed
    evaluator = try config.evaluation.map { try VQGANEvaluator($0, seed: seed, on: device) }
    state = TrainingState(seed: config.seed)
    if let checkpoint {
      state = try TrainingState.read(in: checkpoint, of: config, folder)
      try VQGANCheckpoint.restore(&trainer, state, from: checkpoint)
    }
    state.config = try config.identity
    trainer.freeze()
  }

  /// Trains to the last step, or until asked to stop; the state is saved either way.
  package mutating func train(
    on shards: ImageShardSet, validation: ImageShardSet?, _ reporter: TrainingReporter
  ) throws {
    try state.begin(
      on: try shards.identity, validation: try validation?.identity, in: folder)
    var columns = (metrics(nil, 0) + VQGANValidation(palette: config.model.palette).metrics)
      .map(\.name)
    // A run of an earlier version keeps its columns.
    let begun = isResumed ? try MetricsLog.columns(of: folder) : nil
    if let validation, begun?.contains(VQGANValidation.spriteColumns[0]) ?? true {
      sprites = try Self.spriteFrames(of: validation, config)
    }
    if sprites != nil { columns += VQGANValidation.spriteColumns }
    let evaluated = try validation.map { try Self.evaluatedImages(of: $0, config) } ?? []
    let log = try MetricsLog(
      folder, columns: columns + (evaluator?.columns ?? []),
      resumingAfter: isResumed ? state.step : nil,
      validation: "val/rec_loss", isValidated: validation != nil && isDue(state.step),
      evaluation: evaluator?.columns ?? [], isEvaluated: isEvaluated(state.step),
      known: knownRows,
      rowsOf: {
        ($0 % config.logEvery == 0 ? 1 : 0) + (validation != nil && isDue($0) ? 1 : 0)
          + (isEvaluated($0) ? 1 : 0)
      })
    log.warn = { reporter.warn($0) }
    if let difference = log.difference { reporter.warn(difference) }
    if let metrics = log.reopened, let validation {
      var rows = [metrics.filter { !$0.name.hasPrefix("val/") }]
      if isDue(state.step) {
        guard let found = try validate(on: validation, unless: reporter.shouldStop) else { return }
        rows.append(found.metrics)
      }
      if isEvaluated(state.step) {
        guard let found = try evaluate(evaluated, unless: reporter.shouldStop) else { return }
        rows.append(found)
      }
      try log.relog(step: state.step, rows)
      if let best = try best(log) { try folder.pointToBest(best) }
    }
    try settle(log)
    let scenes = try scenes(of: shards)
    var size = config.imagesPerBatch(at: state.step)
    var batches = self.batches(of: size, from: shards, scenes)
    let samples = try Self.samples(of: validation ?? shards, config)
    trialImage = samples.rows(0..<1).input(on: device)
    if state.step == 0 && config.initFrom == nil { try initialize(from: shards) }
    var timed = (images: 0, seconds: 0.0)  // of steps alone, since the last row
    while state.step < config.steps {
      let before = state
      let start = ContinuousClock.now
      if config.imagesPerBatch(at: state.step) != size {
        size = config.imagesPerBatch(at: state.step)
        batches = self.batches(of: size, from: shards, scenes)
      }
      let (images, changed) = try next(batches)
      let losses = try step(images, changed, from: before, log, reporter)
      timed.images += size * config.accumulate
      timed.seconds += (ContinuousClock.now - start).seconds
      let rate = Double(timed.images) / timed.seconds
      reporter.step(note(losses, rate))

      let isLast = state.step == config.steps
      var stops = reporter.shouldStop()
      if state.step % config.logEvery == 0 || isLast {
        try log.log(step: state.step, metrics(losses, rate))
        timed = (0, 0)
        warnOfCollapse(reporter)
      }
      if state.step % config.imageEvery == 0 || isLast { try saveImage(samples, log, reporter) }
      let saves = reporter.shouldSave()
      if let validation, isDue(state.step), !stops {
        if let found = try validate(on: validation, unless: reporter.shouldStop) {
          try log.log(step: state.step, found.metrics)
        } else {
          stops = true  // the run that goes on begins with it
        }
      }
      if isEvaluated(state.step), !stops {
        if let found = try evaluate(evaluated, unless: reporter.shouldStop) {
          try log.log(step: state.step, found)
        } else {
          stops = true
        }
      }
      if isDue(state.step) || saves || stops { try save(log) }
      if stops { return }
    }
  }

  /// What tells the changed pixels of images, where they count.
  func scenes(of shards: ImageShardSet) throws -> FrameScenes? {
    config.objective.changeWeight > 0 ? try shards.scenes() : nil
  }

  /// Batches from the present position on.
  func batches(
    of size: Int, from shards: ImageShardSet, _ scenes: FrameScenes?
  ) -> ImageBatches {
    ImageBatches(
      shards, batchSize: size, from: state.position, seed: config.seed, shuffled: config.shuffles,
      augmentation: config.augmentation, reading: config.model.input,
      labels: config.model.inChannels, scenes: scenes)
  }

  /// What the next step is taken on, with what has changed in it; the state moves behind it.
  mutating func next(_ batches: ImageBatches) throws -> ([VQGANInput], changed: [[UInt8]?]) {
    var images: [VQGANInput] = []
    var changed: [[UInt8]?] = []
    for _ in 0..<config.accumulate {
      let batch = try batches.next()
      images.append(batch.input(on: device))
      changed.append(batch.changed)
      state.position = batch.next
    }
    return (images, changed)
  }

  /// Whether the run is validated and saved after this step.
  private func isDue(_ step: Int) -> Bool {
    step > 0 && (step % config.checkpointEvery == 0 || step == config.steps)
  }

  /// Whether the reconstructions are evaluated after this step.
  private func isEvaluated(_ step: Int) -> Bool {
    guard let every = config.evaluation?.every, !config.validation.isEmpty else { return false }
    return step > 0 && (step % every == 0 || step == config.steps)
  }

  func surplus(at step: Int) -> [MetricsPart] {
    (step % config.logEvery == 0 ? [] : [.step])
      + (state.validationData == nil || step % config.checkpointEvery == 0 ? [] : [.validation])
      + (config.evaluation.map { step % $0.every != 0 } ?? false ? [.evaluation] : [])
  }

  /// The evaluation; `nil` if asked to stop before its end.
  mutating func evaluate(
    _ images: [RGBImage], unless shouldStop: () -> Bool
  ) throws -> [Metric]? {
    try evaluator?.measure(
      trainer.average?.model ?? trainer.model, on: images, unless: shouldStop)
  }

  /// The validation; `nil` if asked to stop before its end.
  ///
  /// - Throws: `ShardError`, `RunError.notFinite`: the weights are then not saved.
  private func validate(
    on shards: ImageShardSet, unless shouldStop: () -> Bool
  ) throws -> VQGANValidation? {
    let batches = try Self.validationBatches(of: shards, config)
    let found = trainer.validate(batches, sprites: sprites, on: device, unless: shouldStop)
    try requireFinite(validationLoss: found?.rec)
    return found
  }

  /// One step, which moves the state behind it.
  ///
  /// - Parameter before: the state that the batches began at.
  /// - Returns: the losses; nil if the step is skipped.
  /// - Throws: `RunError.notFinite`; the state before the step is saved then.
  private mutating func step(
    _ images: [VQGANInput], _ changed: [[UInt8]?], from before: TrainingState, _ log: MetricsLog,
    _ reporter: TrainingReporter
  ) throws -> VQGANLosses? {
    state.step += 1
    let losses: VQGANLosses
    do throws(NotFinite) {
      losses = try trainer.step(
        images, changed: changed, step: before.step,
        learningRate: config.learningRate(step: before.step, of: config.steps),
        using: &state.random)
    } catch {
      try skip(error, from: before, log, reporter)
      return nil
    }
    state.countTaken()
    if let name = trainer.notFinite {
      throw folder.notFinite(name, at: state.step, last: folder.steps().last)
    }
    return losses
  }

  var notFiniteOnTrial: NotFinite? {
    trialImage.flatMap { trainer.notFiniteOnTrial($0, step: state.step) }
  }

  func write(_ state: TrainingState, in folder: String) throws {
    try VQGANCheckpoint.save(trainer, state, in: folder)
  }

  // MARK: Metrics

  /// The metrics of the last step in the order of their columns; those of a validation follow.
  func metrics(_ losses: VQGANLosses?, _ rate: Double) -> [Metric] {
    let all = losses ?? VQGANLosses()
    let ofStep = (all.named + all.added(by: config.objective)).map {
      Metric("train/\($0.name)", losses == nil ? nil : Double($0.value))
    }
    return ofStep + [
      Metric("train/codes_used", Double(trainer.usage.used)),
      Metric("train/perplexity", trainer.usage.perplexity),
      Metric("learning_rate", Double(config.learningRate(step: state.step - 1, of: config.steps))),
      Metric("images_per_second", rate),
      Metric("peak_memory_mib", Double(device.pool.statistics.peak) / 1_048_576),
    ]
  }

  private func note(_ losses: VQGANLosses?, _ rate: Double) -> String {
    guard let losses else { return "skipped" }
    return String(
      format: "rec %.4f, quant %.4f, disc %.3f, %d codes, %.1f images/s", losses.rec, losses.quant,
      losses.disc, trainer.usage.used, rate)
  }

  private func warnOfCollapse(_ reporter: TrainingReporter) {
    let entries = config.model.nEmbed * config.model.depth
    guard state.step >= 200, state.step % 100 < config.logEvery,
      !config.objective.freeze.contains(.codebook)
    else { return }
    let perplexity = trainer.usage.perplexity
    if perplexity < max(2, Double(entries) / 100) {
      reporter.warn(
        String(
          format: "step %d: the codebook is collapsing: %d of %d codes in use, perplexity %.1f; "
            + "see revive_after and k_means in Docs/Commands/train-vqgan.md", state.step,
          trainer.usage.used, entries, perplexity))
    }
  }
}
