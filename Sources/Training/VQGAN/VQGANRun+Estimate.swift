// What the estimate of a VQGAN run measures.
import Models
import Shards

extension VQGANRun {
  package var parameterCount: Int { trainer.model.parameterCount }

  /// The discriminator takes part from some step on, and batches may change their size.
  var phases: [Int] {
    let objective = config.objective
    let later = [objective.discFactor > 0 ? objective.discStart : nil, config.lateBatchFrom]
    return Set(later.compactMap(\.self).filter { $0 < config.steps } + [0]).sorted()
  }

  mutating func probe(_ shards: ImageShardSet, at step: Int, while goesOn: () -> Bool) throws {
    if step == 0, config.initFrom == nil { try initialize(from: shards) }
    let batches = batches(
      of: config.imagesPerBatch(at: step), from: shards, try scenes(of: shards))
    repeat {
      let (images, changed) = try next(batches)
      _ = try trainer.step(
        images, changed: changed, step: step,
        learningRate: config.learningRate(step: state.step, of: config.steps),
        using: &state.random)
      if let name = trainer.notFinite { throw NotFinite(what: name) }
      state.step += 1
    } while goesOn()
  }

  mutating func probeInterludes(
    _ shards: ImageShardSet, validation: ImageShardSet?, _ estimate: inout TrainingEstimate,
    unless shouldStop: @escaping () -> Bool
  ) throws {
    let samples = try Self.samples(of: validation ?? shards, config)
    trialImage = samples.rows(0..<1).input(on: device)
    let begun = ContinuousClock.now
    let bytes = sheet(of: samples).png.count
    let count = estimate.times(every: config.imageEvery)
    estimate.image = TrainingEstimate.Work(
      count: count, seconds: (ContinuousClock.now - begun).seconds)
    estimate.addFiles(count, bytes: bytes)
    estimate.addRows(every: config.logEvery, of: metrics(nil, 0).count)
    guard let validation else { return }
    sprites = try Self.spriteFrames(of: validation, config)
    let batches = try Self.validationBatches(of: validation, config).count
    estimate.validation = TrainingEstimate.Work(
      count: estimate.times(every: config.checkpointEvery),
      seconds: try timed(batches: batches, unless: shouldStop) {
        _ = trainer.validate(
          try Self.validationBatches(of: validation, config), sprites: sprites, on: device,
          unless: $0)
      })
    estimate.addRows(
      every: config.checkpointEvery,
      of: VQGANValidation(palette: config.model.palette).metrics.count)
    guard let evaluation = config.evaluation, let evaluator else { return }
    let images = try Self.evaluatedImages(of: validation, config)
    let batch = VQGANEvaluator.batch
    let some = Array(images.prefix(timedBatches * batch))
    estimate.evaluation = TrainingEstimate.Work(
      count: estimate.times(every: evaluation.every),
      seconds: try timed(batches: images.count.batches(of: batch), unless: shouldStop) {
        _ = try evaluate(some, unless: $0)
      })
    estimate.addRows(every: evaluation.every, of: evaluator.columns.count)
  }
}
