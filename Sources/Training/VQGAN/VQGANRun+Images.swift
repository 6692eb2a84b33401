// The images that a VQGAN training starts from, shows, and is validated on.
import DurableFiles
import Images
import Metrics
import Models
import RowMaps
import Shards
import TensorCore

extension VQGANRun {
  /// Starts from the data: enough images for eight latent vectors a code, 512 images at most.
  mutating func initialize(from shards: ImageShardSet) throws {
    if config.model.encodesTiles { return try startTiles(from: shards) }
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

  /// Makes the commonest tiles of the images, of 20,000 evenly spread ones at most, the codebook.
  private mutating func startTiles(from shards: ImageShardSet) throws {
    var tiles = CommonTiles(side: config.model.downsampling)
    for row in evenRows(20_000, of: shards.count) {
      let labels = try shards.row(row, .palette, labels: config.model.inChannels)
      guard case .bytes(let bytes) = labels else { preconditionFailure("palettes are of bytes") }
      tiles.add(bytes, width: shards.width)
    }
    trainer.startTiles(.labels(tiles.commonest(config.model.nEmbed)))
  }

  /// Four images, evenly spread, for the images of progress.
  static func samples(of shards: ImageShardSet, _ config: VQGANRunConfig) throws
    -> ImageBatch
  {
    try spread(4, of: shards, config)
  }

  /// Images of a validation, at most.
  private static let validated = 128

  /// What the sprites of the validation images are judged by, nil for one without a palette.
  ///
  /// - Returns: nil unless they are frames of recordings and most have a palette.
  static func spriteFrames(
    of shards: ImageShardSet, _ config: VQGANRunConfig
  ) throws -> [SpriteFrame?]? {
    guard config.model.input == .images, shards.hasRecordings else { return nil }
    let images = try frames(evenRows(validated, of: shards.count), of: shards, config)
    guard 2 * images.count(where: { FramePalette($0) != nil }) > images.count else { return nil }
    let scenes = FrameScenes(try frames(shards.sceneRows, of: shards, config))
    let width = config.augmentation.crop > 0 ? config.augmentation.crop : shards.width
    return images.map {
      SpriteFrame($0, width: width, background: scenes.background(of: $0))
    }
  }

  /// The pixels of rows as validations see them.
  private static func frames(
    _ rows: [Int], of shards: ImageShardSet, _ config: VQGANRunConfig
  ) throws -> [[UInt8]] {
    try rows.compactMap {
      guard case .bytes(let pixels) = try batch([$0], of: shards, config).values else { return nil }
      return pixels
    }
  }

  /// Up to 128 images, evenly spread, in batches.
  static func validationBatches(
    of shards: ImageShardSet, _ config: VQGANRunConfig
  ) throws -> [ImageBatch] {
    let all = try spread(validated, of: shards, config)
    return stride(from: 0, to: all.count, by: config.batchSize).map { start in
      all.rows(start..<min(start + config.batchSize, all.count))
    }
  }

  /// The images of evaluations, evenly spread.
  static func evaluatedImages(
    of shards: ImageShardSet, _ config: VQGANRunConfig
  ) throws -> [RGBImage] {
    guard let evaluation = config.evaluation else { return [] }
    let batch = try spread(evaluation.count, of: shards, config)
    let size = batch.values.count / batch.count
    return (0..<batch.count).map { item in
      RGBImage(
        batch.values[item * size..<(item + 1) * size], of: batch.map, width: batch.width,
        height: batch.height, palette: config.model.palette)
    }
  }

  /// Checks that the evaluations can be taken on these shards.
  ///
  /// - Throws: `MetricsError.tooFew`, `EvaluationError.size`.
  package func check(validation shards: ImageShardSet) throws {
    let side = config.augmentation.crop
    try evaluator?.require(
      images: shards.count, width: side > 0 ? side : shards.width,
      height: side > 0 ? side : shards.height, of: shards.paths[0])
  }

  /// Evenly spread images.
  private static func spread(
    _ wanted: Int, of shards: ImageShardSet, _ config: VQGANRunConfig
  ) throws -> ImageBatch {
    try batch(evenRows(wanted, of: shards.count), of: shards, config)
  }

  /// Images of some rows; their centres where training takes crops.
  private static func batch(
    _ rows: [Int], of shards: ImageShardSet, _ config: VQGANRunConfig
  ) throws -> ImageBatch {
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
          height: batch.height, palette: config.model.palette)
      }
    }
  }

  /// The inputs beside their reconstructions, and the file of this image.
  func sheet(of batch: ImageBatch) -> (page: RGBImage, png: [UInt8]) {
    let sheet = ContactSheet(rows: images(of: batch), columnHeaders: ["input", "reconstruction"])
    let page = sheet.rendered()
    return (page, page.encodedPNG())
  }

  /// An image of this name that the run did not make is put aside: its own of an earlier start has
  /// the same bytes.
  func saveImage(_ batch: ImageBatch, _ log: MetricsLog, _ reporter: TrainingReporter) throws {
    let (page, png) = sheet(of: batch)
    try DurableFile.createFolder(folder.imagesPath)
    let path = folder.imagePath(step: state.step)
    if let other = try DurableFile.putAside(path, unless: png) {
      reporter.warn("\(path): another image than that of this step; it is kept as \(other)")
    }
    try DurableFile.write(png, to: path)
    try log.image(
      "reconstructions", step: state.step, png: png, width: page.width, height: page.height)
  }
}
