// The training run of a VQGAN: load, step, log, sometimes save.
import Checkpoints
import DurableFiles
import Foundation
import Images
import Models
import NN
import RowMaps
import Shards
import TensorCore

/// A VQGAN training run in its folder.
package struct VQGANRun {
  package let config: VQGANRunConfig
  package private(set) var trainer: VQGANTrainer
  package private(set) var state: TrainingState
  private let folder: RunFolder
  private let device: Device
  private let isResumed: Bool

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
    let checkpoint = resumed ? folder.resumePoint() : nil
    if checkpoint == nil, let path = config.initFrom {
      let file = try FirstStageFile.open(path, weights: config.initWeights ?? .ema)
      try file.load(&trainer.model)
      try file.load(&trainer.discriminator, of: config.objective.discriminator)
      if config.initOptimizer == true {
        try OptimizerStates.ofVQGAN(path).load(
          &trainer, withDiscriminator: file.discriminator == config.objective.discriminator)
      }
    }
    let model = trainer.model
    trainer.average = config.ema.map { EMAWeights(model, decay: $0) }
    state = TrainingState(seed: config.seed)
    if let checkpoint { state = try VQGANCheckpoint.restore(&trainer, from: checkpoint) }
  }

  /// Trains to the last step, or until asked to stop; the state is saved either way.
  package mutating func train(
    on shards: ImageShardSet, validation: ImageShardSet?, _ reporter: TrainingReporter
  ) throws {
    let columns = metrics(VQGANLosses(), 0) + VQGANValidation().metrics
    let log = try MetricsLog(
      folder, columns: columns.map(\.name), resumingAfter: isResumed ? state.step : nil)
    let batches = ImageBatches(
      shards, batchSize: config.batchSize, from: state.position, seed: config.seed,
      shuffled: config.shuffles, augmentation: config.augmentation, reading: config.model.input,
      labels: config.model.inChannels)
    let samples = try Self.samples(of: validation ?? shards, config)
    if state.step == 0 && config.initFrom == nil { try initialize(from: shards) }
    var clock = ContinuousClock.now
    var timed = 0
    while state.step < config.steps {
      var images: [VQGANInput] = []
      for _ in 0..<config.accumulate {
        let batch = try batches.next()
        images.append(batch.input(on: device))
        state.position = batch.next
      }
      let losses = trainer.step(
        images, step: state.step,
        learningRate: config.learningRate(step: state.step, of: config.steps), using: &state.random)
      state.step += 1
      timed += config.batchSize * config.accumulate
      guard losses.total.isFinite else {
        throw RunError.damaged(
          path: folder.path,
          problem: "the loss of step \(state.step) is not finite; take a lower --learning-rate")
      }
      let rate = Double(timed) / (ContinuousClock.now - clock).seconds
      reporter.step(note(losses, rate))

      let isLast = state.step == config.steps
      let stops = reporter.shouldStop()
      if state.step % config.logEvery == 0 || isLast {
        try log.log(step: state.step, metrics(losses, rate))
        (clock, timed) = (ContinuousClock.now, 0)
        warnOfCollapse(reporter)
      }
      if state.step % config.imageEvery == 0 || isLast { try saveImage(samples, log) }
      if state.step % config.checkpointEvery == 0 || isLast || stops {
        if let validation, !stops {
          let batches = try Self.validationBatches(of: validation, config)
          try log.log(step: state.step, trainer.validate(batches, on: device).metrics)
        }
        try folder.saveCheckpoint(step: state.step, keeping: config.keepCheckpoints) {
          try VQGANCheckpoint.save(trainer, state, in: $0)
        }
      }
      if stops { return }
    }
  }

  // MARK: Metrics

  /// The metrics of the last step in the order of their columns; those of a validation follow.
  private func metrics(_ losses: VQGANLosses, _ rate: Double) -> [Metric] {
    losses.named.map { Metric("train/\($0.name)", Double($0.value)) } + [
      Metric("train/codes_used", Double(trainer.usage.used)),
      Metric("train/perplexity", trainer.usage.perplexity),
      Metric("learning_rate", Double(config.learningRate(step: state.step - 1, of: config.steps))),
      Metric("images_per_second", rate),
      Metric("peak_memory_mib", Double(device.pool.statistics.peak) / 1_048_576),
    ]
  }

  private func note(_ losses: VQGANLosses, _ rate: Double) -> String {
    String(
      format: "rec %.4f, quant %.4f, disc %.3f, %d codes, %.1f images/s", losses.rec, losses.quant,
      losses.disc, trainer.usage.used, rate)
  }

  private func warnOfCollapse(_ reporter: TrainingReporter) {
    let entries = config.model.nEmbed
    guard state.step >= 200, state.step % 100 < config.logEvery else { return }
    let perplexity = trainer.usage.perplexity
    if perplexity < max(2, Double(entries) / 100) {
      reporter.warn(
        String(
          format: "step %d: the codebook is collapsing: %d of %d codes in use, perplexity %.1f; "
            + "see revive_after and k_means in Docs/Commands/train-vqgan.md", state.step,
          trainer.usage.used, entries, perplexity))
    }
  }

  // MARK: Data

  /// Starts from the data: enough images for eight latent vectors a code, 512 images at most.
  private mutating func initialize(from shards: ImageShardSet) throws {
    let (height, width) =
      config.augmentation.crop > 0
      ? (config.augmentation.crop, config.augmentation.crop) : (shards.height, shards.width)
    let f = config.model.downsampling
    let needed = 8 * config.model.nEmbed / max(height / f * (width / f), 1)
    let images = min(max(needed, config.batchSize), 512)
    let source = ImageBatches(
      shards, batchSize: config.batchSize, from: DataPosition(), seed: config.seed, shuffled: true,
      augmentation: config.augmentation, reading: config.model.input,
      labels: config.model.inChannels)
    let batches = try (0..<(images + config.batchSize - 1) / config.batchSize).map { _ in
      try source.next().input(on: device)
    }
    trainer.initialize(from: batches, using: &state.random)
  }

  /// Four images, evenly spread, for the images of progress.
  private static func samples(of shards: ImageShardSet, _ config: VQGANRunConfig) throws
    -> ImageBatch
  {
    try spread(4, of: shards, config)
  }

  /// Up to 128 images, evenly spread, in batches.
  private static func validationBatches(
    of shards: ImageShardSet, _ config: VQGANRunConfig
  ) throws -> [ImageBatch] {
    let all = try spread(128, of: shards, config)
    let size = all.values.count / all.count
    return stride(from: 0, to: all.count, by: config.batchSize).map { start in
      let count = min(config.batchSize, all.count - start)
      return ImageBatch(
        values: all.values[start * size..<(start + count) * size], map: all.map, count: count,
        height: all.height, width: all.width, next: all.next)
    }
  }

  /// Evenly spread images; their centres where training takes crops.
  private static func spread(
    _ wanted: Int, of shards: ImageShardSet, _ config: VQGANRunConfig
  ) throws -> ImageBatch {
    let rows = evenRows(wanted, of: shards.count)
    let side = config.augmentation.crop
    let (height, width) = side > 0 ? (side, side) : (shards.height, shards.width)
    let window = RowWindow(
      top: (shards.height - height) / 2, left: (shards.width - width) / 2, height: height,
      width: width)
    let map = config.model.input
    let values = try rows.map {
      (values: try shards.row($0, map, labels: config.model.inChannels), window: window)
    }
    return ImageBatch(
      values: RowValues(values, of: map, width: shards.width), map: map, count: rows.count,
      height: height, width: width, next: DataPosition())
  }

  /// Each input beside its reconstruction.
  private func images(of batch: ImageBatch) -> [[RGBImage]] {
    let model = trainer.average?.model ?? trainer.model
    let reconstructed: RowValues =
      switch batch.input(on: device) {
      case .values(let images): model.reconstruct(images).rowValues(of: batch.map)
      case .labels: .bytes(model.reconstructedLabels(batch, on: device))
      }
    let size = batch.values.count / batch.count
    return (0..<batch.count).map { item in
      [batch.values, reconstructed].map {
        RGBImage(
          $0[item * size..<(item + 1) * size], of: batch.map, width: batch.width,
          height: batch.height)
      }
    }
  }

  private func saveImage(_ batch: ImageBatch, _ log: MetricsLog) throws {
    let rows = images(of: batch)
    let sheet = ContactSheet(rows: rows, columnHeaders: ["input", "reconstruction"])
    let page = sheet.rendered()
    let png = page.encodedPNG()
    try DurableFile.createFolder(folder.imagesPath)
    try DurableFile.write(png, to: folder.imagePath(step: state.step))
    try log.image(
      "reconstructions", step: state.step, png: png, width: page.width, height: page.height)
  }
}
