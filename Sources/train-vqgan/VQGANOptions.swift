// The options of train-vqgan, and the configuration that they make.
import ArgumentParser
import CommandSupport
import Foundation
import Models
import Shards
import TensorCore
import Training

/// What `train-vqgan` is told about the run.
struct VQGANOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Run folder.", valueName: "folder")) var out: String

  @Option(help: "Size of the model: \(VQGANPreset.names.joined(separator: ", ")).")
  var preset = "small"

  @Option(
    help: ArgumentHelp("Configuration to start from: the config.json of a run.", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Change one key of the configuration, e.g. model.n_embed=512.", valueName: "key=value"))
  var set: [String] = []

  @Option(help: "Training steps.") var steps: Int?

  @Option(help: "Images of one batch.") var batchSize: Int?

  @Option(help: "Batches whose gradients are averaged for one step.") var accumulate: Int?

  @Option(help: "Peak learning rate; the preset's if left out.") var learningRate: Float?

  @Option(help: "Learning rate over the run: constant or cosine.")
  var schedule: LearningRate.Schedule?

  @Option(help: "Steps of linear rise of the learning rate.") var warmup: Int?

  @Option(help: "Step from which the discriminator takes part.") var discStart: Int?

  @Option(help: "What the discriminator sees: shared (one forward pass) or fresh (the reference).")
  var discriminatorPass: VQGANObjective.DiscriminatorPass?

  @Option(
    help: ArgumentHelp(
      "Weights of LPIPS on VGG16, or a VQGAN's checkpoint with them; or none.", valueName: "file"))
  var perceptual: String?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Image shards to validate on.", valueName: "shard"))
  var validation: [String] = []

  @Option(
    help: ArgumentHelp(
      "Run, checkpoint or file of weights to take the model and its first weights from.",
      valueName: "path"))
  var initFrom: String?

  @Flag(help: "Continue the run in the folder; options may be left out.") var resume = false

  @Option(help: "Side of random square crops, pixels.") var crop: Int?

  @Flag(help: "Mirror every second image.") var flip = false

  @Flag(inversion: .prefixedNo, help: "Shuffle the images anew for every epoch.") var shuffle = true

  @Option(help: "Steps between checkpoints.") var checkpointEvery: Int?

  @Option(help: "Checkpoints to keep.") var keepCheckpoints: Int?

  @Option(help: "Steps between pictures.") var pictureEvery: Int?

  @Option(help: "Steps between rows of metrics.csv.") var logEvery: Int?

  func validate() throws {
    let counts: [(String, Int?)] = [
      ("--steps", steps), ("--batch-size", batchSize), ("--accumulate", accumulate),
      ("--crop", crop), ("--checkpoint-every", checkpointEvery),
      ("--keep-checkpoints", keepCheckpoints), ("--picture-every", pictureEvery),
      ("--log-every", logEvery),
    ]
    for (name, value) in counts {
      if let value, value < 1 { throw ValidationError("\(name) must be positive, got \(value).") }
    }
    for (name, value) in [("--disc-start", discStart), ("--warmup", warmup)] {
      if let value, value < 0 {
        throw ValidationError("\(name) must not be negative, got \(value).")
      }
    }
    if let learningRate, !(learningRate > 0 && learningRate.isFinite) {
      throw ValidationError("--learning-rate must be positive, got \(learningRate).")
    }
    guard VQGANPreset.named(preset) != nil else {
      throw ValidationError(
        "--preset must be one of \(VQGANPreset.names.joined(separator: ", ")), got \(preset).")
    }
  }

  /// The configuration of a new run: preset, then file, then the model of `--init-from`, then `--set`, then the other
  /// options; shards of the validation split are held out, unless there are no others.
  func config(shards: [String], _ runtime: RuntimeOptions, seed: UInt64) throws -> VQGANRunConfig {
    guard let start = VQGANPreset.named(preset) else { throw ValidationError("--preset \(preset)") }
    var result: VQGANRunConfig
    if let config {
      result = try RunFolder.decode(VQGANRunConfig.self, from: config)
      result.initFrom = nil
    } else {
      let images = (batchSize ?? start.batchSize) * (accumulate ?? 1)
      result = VQGANRunConfig(
        toolVersion: SuiteVersion.current, model: start.model, objective: start.objective,
        learningRate: start.learningRate(images), steps: 10_000, batchSize: start.batchSize,
        accumulate: 1, augmentation: Augmentation(), shuffles: true, seed: seed,
        threads: runtime.threads, engine: "", perceptual: nil, initFrom: nil, shards: [],
        validation: [], checkpointEvery: 500, keepCheckpoints: 3, pictureEvery: 500, logEvery: 10)
    }
    if let initFrom, config == nil {
      let first = try FirstStageFile.open(initFrom)
      result.model = first.config
      if let discriminator = first.discriminator { result.objective.discriminator = discriminator }
    }
    result = try overriding(result, set)
    if let steps { result.steps = steps }
    if let batchSize { result.batchSize = batchSize }
    if let accumulate { result.accumulate = accumulate }
    if let learningRate { result.learningRate.peak = learningRate }
    if let schedule { result.learningRate.schedule = schedule }
    if let warmup { result.learningRate.warmup = warmup }
    if let discStart { result.objective.discStart = discStart }
    if let discriminatorPass { result.objective.discriminatorPass = discriminatorPass }
    if let perceptual { result.perceptual = perceptual == "none" ? nil : Self.absolute(perceptual) }
    if let initFrom { result.initFrom = Self.absolute(initFrom) }
    if let crop { result.augmentation.crop = crop }
    if flip { result.augmentation.flips = true }
    if !shuffle { result.shuffles = false }
    if let checkpointEvery { result.checkpointEvery = checkpointEvery }
    if let keepCheckpoints { result.keepCheckpoints = keepCheckpoints }
    if let pictureEvery { result.pictureEvery = pictureEvery }
    if let logEvery { result.logEvery = logEvery }
    result.seed = seed
    result.threads = runtime.threads
    result.engine = (runtime.engine?.rawValue) ?? Device.default.name
    result.toolVersion = SuiteVersion.current
    let bySplit = try Dictionary(grouping: shards) {
      try ImageShardReader($0).header.split == "validation"
    }
    let heldOut = bySplit[false] == nil ? [] : bySplit[true] ?? []
    result.shards = (bySplit[false] ?? shards).map(Self.absolute)
    result.validation = (heldOut + (try InputPaths.expand(validation, suffix: ".h5"))).map(
      Self.absolute)
    if let problem = result.model.problem { throw ValidationError("\(problem).") }
    return result
  }

  /// The stored configuration; only the number of steps may change.
  func resumedConfig(of folder: RunFolder, _ runtime: RuntimeOptions) throws -> VQGANRunConfig {
    guard folder.exists else { throw RunError.noCheckpoint(path: folder.path) }
    var result = try folder.config(VQGANRunConfig.self)
    if let steps { result.steps = steps }
    guard runtime.threads == result.threads else {
      throw RunError.configDiffers(
        path: folder.path, option: "--threads", found: String(result.threads),
        expected: String(runtime.threads))
    }
    return result
  }

  /// Checks that images of the shards fit the model.
  func check(_ shards: ImageShardSet, _ config: VQGANRunConfig) throws {
    let f = config.model.downsampling
    let crop = config.augmentation.crop
    let (height, width) = crop > 0 ? (crop, crop) : (shards.height, shards.width)
    guard height % f == 0, width % f == 0 else {
      throw RunError.damaged(
        path: shards.paths[0],
        problem: "images of \(width)×\(height); the model needs multiples of \(f) pixels")
    }
    guard crop <= min(shards.height, shards.width) else {
      throw RunError.damaged(
        path: shards.paths[0],
        problem: "images of \(shards.width)×\(shards.height) are smaller than --crop \(crop)")
    }
  }

  private static func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
  }
}

extension LearningRate.Schedule: ExpressibleByArgument {}
extension VQGANObjective.DiscriminatorPass: ExpressibleByArgument {}
