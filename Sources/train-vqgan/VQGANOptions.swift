// The options of train-vqgan alone, and the configuration that they make.
import ArgumentParser
import CommandSupport
import ModelCommands
import Models
import RowMaps
import Shards
import TensorCore
import Training

private let defaults = VQGANSettings(model: .small, objective: VQGANObjective())

/// What `train-vqgan` is told about the model and its objective.
struct VQGANOptions: ParsableArguments {
  @Option(
    help: """
      Size of the model: \(VQGANPreset.names.joined(separator: ", ")) \
      (default: \(VQGANPreset.standard)).
      """)
  var preset: String?

  @Option(
    help: ArgumentHelp("Configuration to start from: the config.json of a run.", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "Change one key of the configuration, e.g. model.n_embed=512.", valueName: "key=value"))
  var set: [String] = []

  @Option(
    help: """
      What it reads of the shards: images, segmentation, depth or palette \
      (default: \(defaults.model.input.rawValue)).
      """)
  var input: RowMap?

  @Option(
    help: ArgumentHelp(
      """
      Weigh the colours of palettes by their frequency to the power of -P \
      (default: \(ImageShardSet.standardBalance)).
      """, valueName: "P"))
  var colorBalance: Float?

  @Option(
    help: ArgumentHelp(
      "Take squares of pixels as one position: 1, 2, 4 or 8; the levels of full size go "
        + "(default: 1).", valueName: "side"))
  var patch: Int?

  @OptionGroup var codebook: QuantizerOptions

  @Option(help: "Step from which the discriminator takes part.") var discStart: Int?

  @Option(
    help:
      "Steps in which the generator's adversarial loss grows in to its full weight (default: 0).")
  var ramp: Int?

  @Option(
    help: ArgumentHelp(
      "Parts of --init-from that stay as they are: \(partNames), between commas.",
      valueName: "parts"),
    transform: PartList.init(argument:))
  var freeze: PartList?

  @Option(help: "What the discriminator sees: shared (one forward pass) or fresh (the reference).")
  var discriminatorPass: VQGANObjective.DiscriminatorPass?

  @Option(
    help: ArgumentHelp(
      "Weights of LPIPS on VGG16, or a VQGAN's checkpoint with them; or none.", valueName: "file"))
  var perceptual: String?

  @Option(
    help: ArgumentHelp(
      "Extra weight of pixels that differ from the background of their scene, in frames of games "
        + "(default: 0).", valueName: "weight"))
  var changeWeight: Float?

  @Option(help: "Images of a batch from --late-batch-from on.")
  var lateBatchSize: Int?

  @Option(help: "Step from which batches have --late-batch-size images.") var lateBatchFrom: Int?

  @Option(help: "Side of random square crops, pixels.") var crop: Int?

  @Flag(help: "Mirror every second image.") var flip = false

  @Option(
    help: """
      What the backward pass needs of the activations is kept in float32, or in bf16 in half the \
      memory (default: \(defaults.precision.rawValue)).
      """)
  var precision: Precision?

  @Option(help: "Steps between sheets of reconstructions (default: \(defaults.imageEvery)).")
  var imageEvery: Int?

  @OptionGroup var evaluation: EvaluationOptions

  /// The name that `--image-every` had.
  @Option(help: .hidden) var pictureEvery: Int?

  func validate() throws {
    for (name, value) in [
      ("--crop", crop), ("--image-every", imageEvery), ("--picture-every", pictureEvery),
    ] {
      if let value, value < 1 { throw ValidationError("\(name) must be positive, got \(value).") }
    }
    if let colorBalance, !(0...2).contains(colorBalance) {
      throw ValidationError("--color-balance must be in 0...2, got \(colorBalance).")
    }
    if let ramp, ramp < 0 {
      throw ValidationError("--ramp must not be negative, got \(ramp).")
    }
    if let discStart, discStart < 0 {
      throw ValidationError("--disc-start must not be negative, got \(discStart).")
    }
    if let preset, VQGANPreset.named(preset) == nil {
      throw ValidationError(
        "--preset must be one of \(VQGANPreset.names.joined(separator: ", ")), got \(preset).")
    }
  }

  /// What a new run starts from: preset or file, then the model of `--init-from`.
  ///
  /// - Parameter training: with the images of a step, which the learning rate of `f16` follows.
  func start(_ training: TrainingOptions, in environment: Environment) throws -> VQGANRunConfig {
    if let config {
      var result = try RunFolder.runConfig(VQGANRunConfig.self, from: config)
      result.environment = environment
      result.initFrom = nil
      result.initWeights = nil
      result.initOptimizer = nil
      if let input, input != result.model.input {
        Self.adapt(&result.objective, to: input, channels: input.publishedChannels)
        if input.isLabels { result.perceptual = nil }
      }
      return result
    }
    let name = preset ?? VQGANPreset.standard
    guard let start = VQGANPreset.named(name) else { throw ValidationError("--preset \(name)") }
    let images = (training.batchSize ?? start.batchSize) * (training.accumulate ?? 1)
    var result = VQGANRunConfig(
      VQGANSettings(preset: name, model: start.model, objective: start.objective),
      loop: LoopSettings(
        steps: 10_000, batchSize: start.batchSize, learningRate: start.learningRate(images)),
      in: environment)
    if let initFrom = training.initFrom {
      let first = try FirstStageFile.open(initFrom)
      result.model = first.config
      if let discriminator = first.discriminator { result.objective.discriminator = discriminator }
    }
    let map = input ?? result.model.input
    Self.adapt(
      &result.objective, to: map,
      channels: map == result.model.input ? result.model.inChannels : map.publishedChannels)
    return result
  }

  /// Makes the objective of images that of maps.
  private static func adapt(
    _ objective: inout VQGANObjective, to map: RowMap, channels: Int
  ) {
    if map != .palette { objective.labelWeights = [] }
    if map == .depth { objective.discWeight = 0.75 }  // as published for depth
    if map.isLabels {
      objective.discFactor = 0
      if map == .palette { return }  // the mean over pixels, as large as that of images
      // Its loss is a mean over all channels, so many times smaller than that of an image; at the
      // published weight of 1 the latents shrink to nothing before they say anything.
      objective.codebookWeight = 1 / Float(channels)
    }
  }

  /// Takes palette and weights of colours from the shards, where a new run has none yet.
  ///
  /// - Throws: `ShardError`, `ValidationError` where `--color-balance` has no palette.
  func addColors(of shards: [String], to config: inout VQGANRunConfig) throws {
    guard (input ?? config.model.input) == .palette else {
      guard colorBalance == nil else {
        throw ValidationError("--color-balance is for --input palette.")
      }
      return
    }
    let set = try ImageShardSet(shards)
    if config.model.palette == nil { config.model.read(try set.palette()) }
    let labels = config.model.inChannels
    if config.objective.labelWeights.count != labels || colorBalance != nil {
      config.objective.labelWeights = try set.labelWeights(
        of: .palette, labels: labels, balance: colorBalance ?? ImageShardSet.standardBalance)
    }
  }

  /// Puts the options that were given into a configuration: those of the codebook, `--set`, others.
  func change(_ config: inout VQGANRunConfig) throws {
    if let input, input != config.model.input {
      config.model.inChannels = input.publishedChannels
      config.model.outChannels = input.publishedChannels
    }
    if let patch { try Self.setPatch(patch, of: &config.model) }
    try codebook.change(&config.model)
    config = try overriding(config, set)
    if let input {
      guard input.modelChannels.contains(config.model.inChannels) else {
        throw ValidationError(
          "--input \(input.rawValue) and model.in_channels=\(config.model.inChannels): 3 channels are images, "
            + "1 is depth, maps of labels have 2 to 256.")
      }
      config.model.input = input
    }
    if let preset { config.preset = preset }
    if let discStart { config.objective.discStart = discStart }
    if let ramp { config.objective.discRamp = ramp }
    if let freeze { config.objective.freeze = freeze.parts }
    if config.model.encodesTiles {
      let channels = 3 * config.model.downsampling * config.model.downsampling
      (config.model.zChannels, config.model.embedDim) = (channels, channels)
      config.objective.freeze = VQGANPart.allCases.filter {
        [.encoder, .codebook].contains($0) || config.objective.freeze.contains($0)
      }
    }
    if let precision { config.precision = precision }
    if let discriminatorPass { config.objective.discriminatorPass = discriminatorPass }
    if let perceptual {
      config.perceptual = perceptual == "none" ? nil : TrainingOptions.absolute(perceptual)
    }
    if let changeWeight { config.objective.changeWeight = changeWeight }
    if let lateBatchSize { config.lateBatchSize = lateBatchSize }
    if let lateBatchFrom { config.lateBatchFrom = lateBatchFrom }
    if let crop { config.augmentation.crop = crop }
    if flip { config.augmentation.flips = true }
    if let every = imageEvery ?? pictureEvery { config.imageEvery = every }
    try evaluation.change(&config)
  }

  /// Sets the side of a position's square, and leaves out the levels that are then above it.
  private static func setPatch(_ side: Int, of model: inout VQGANConfig) throws {
    guard [1, 2, 4, 8].contains(side) else {
      throw ValidationError("--patch must be 1, 2, 4 or 8, got \(side).")
    }
    guard side != model.patch else { return }
    let levels = (side / model.patch).trailingZeroBitCount
    guard model.patch == 1, levels < model.chMult.count else {
      throw ValidationError(
        "--patch \(side) does not go with patch \(model.patch) and ch_mult \(model.chMult).")
    }
    model.patch = side
    model.chMult.removeFirst(levels)
  }
}

private let partNames = VQGANPart.allCases.map(\.rawValue).joined(separator: ", ")

/// Parts of a VQGAN between commas, such as `encoder,codebook`.
struct PartList {
  let parts: [VQGANPart]

  init(argument: String) throws {
    let found = try argument.split(separator: ",", omittingEmptySubsequences: false).map { name in
      guard let part = VQGANPart(rawValue: String(name)) else {
        throw ValidationError("'\(name)' is no part of a VQGAN; they are \(partNames).")
      }
      return part
    }
    parts = VQGANPart.allCases.filter(found.contains)
  }
}

extension VQGANObjective.DiscriminatorPass: ExpressibleByArgument {}
extension RowMap: ExpressibleByArgument {}
