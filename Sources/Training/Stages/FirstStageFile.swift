// Where the weights of a VQGAN come from: a run, a checkpoint, or a file of another program.
import Checkpoints
import DurableFiles
import Models
import NN
import TamingCheckpoints
import TensorCore

/// The weights of a VQGAN in their file, and what they are the weights of.
package struct FirstStageFile: Sendable {
  package let config: VQGANConfig
  /// The discriminator that was trained with it, if it is in the file.
  package let discriminator: DiscriminatorConfig?
  /// With the averages of the training in place of the weights, where there are any and they were
  /// chosen.
  package let tensors: any TensorSource

  /// Opens a run folder (its newest checkpoint), one checkpoint's folder, a PyTorch or a
  /// safetensors file, a folder of a model of diffusers; of a transformer's file the VQGAN of its
  /// images, of an agent of IRIS its tokenizer.
  ///
  /// What the weights of an external file do not tell is taken from the project file that lies
  /// beside it, if there is one.
  /// - Throws: `RunError`, `SafetensorsError`, `PyTorchFileError`, `ArchitectureError`,
  ///   `ModelMismatchError`, `DurableFileError`.
  /// - Parameters:
  ///   - ofCondition: of a transformer's file the VQGAN of its conditions instead.
  ///   - choice: which weights, where the training kept averages.
  package static func open(
    _ path: String, ofCondition: Bool = false, weights choice: WeightChoice = .ema
  ) throws -> FirstStageFile {
    if !isOfDiffusers(path) { try RunFolder(path).requireKind(VQGANSettings.kind) }
    guard let folder = try checkpointFolder(of: path) else {
      return try external(path, ofCondition, choice)
    }
    try RunFolder.requireWhole(
      folder,
      ["model.json", "model.safetensors"]
        + (choice == .ema ? [VQGANCheckpoint.emaName] : []))
    let config = try RunFolder.decode(VQGANConfig.self, from: "\(folder)/model.json")
    if let problem = config.problem {
      throw RunError.damaged(path: "\(folder)/model.json", problem: problem)
    }
    let file = try SafetensorsFile("\(folder)/model.safetensors")
    let names = ["quantize.levels"] + (0..<config.depth).map { "quantize.layers.\($0).levels" }
    for name in names where config.quantizer.kind == .fsq && file.contains(name) {
      let stored = try file.floats(of: name)
      guard stored == config.quantizer.levels.map({ Float($0) }) else {
        throw RunError.damaged(
          path: "\(folder)/model.json",
          problem: "quantizer.levels is \(config.quantizer.levels), that of model.safetensors "
            + "\(stored.map { Int(exactly: $0) ?? -1 })")
      }
    }
    let critic = RenamedTensors(file, below: FirstStageWeights.discriminatorPrefix)
    return FirstStageFile(
      config: config,
      discriminator: critic.names.isEmpty ? nil : try DiscriminatorConfig(inferredFrom: critic),
      tensors: try choice == .plain ? file : averaged(file, of: config, in: folder))
  }

  /// The weights of a checkpoint with their averages in their place, if it has any.
  ///
  /// - Throws: `ModelMismatchError` when one is missing.
  private static func averaged(
    _ file: SafetensorsFile, of config: VQGANConfig, in folder: String
  ) throws -> any TensorSource {
    let path = "\(folder)/\(VQGANCheckpoint.emaName)"
    guard DurableFile.exists(path) else { return file }
    let averages = try SafetensorsFile(path)
    try averages.require(VQGAN(config).shapes())
    return OverlaidTensors(file, below: averages)
  }

  /// The folder with `model.json` that a path stands for; nil for a file of weights alone.
  package static func checkpointFolder(of path: String) throws -> String? {
    if isOfDiffusers(path) { return nil }
    let run = RunFolder(path)
    if run.exists { return try run.lastCheckpoint() }
    if !DurableFile.exists(path) { throw RunError.noCheckpoint(path: path) }
    if DurableFile.isFolder(path) {
      guard DurableFile.exists("\(path)/model.json") else {
        throw RunError.noCheckpoint(path: path)
      }
      return path
    }
    return folderOfPart(path) ?? folderOfPart(RunFolder.withoutLinks(path))
  }

  /// The checkpoint's folder that a file of weights lies in, if it does.
  private static func folderOfPart(_ path: String) -> String? {
    let folder = DurableFile.folder(of: path)
    let isPart = path.hasSuffix("model.safetensors") && DurableFile.exists("\(folder)/model.json")
    return isPart ? folder : nil
  }

  /// Whether a path is a folder of a model of diffusers, whose config.json is no run's.
  private static func isOfDiffusers(_ path: String) -> Bool {
    CheckpointFile.weightsFile(path) != path
  }

  private static func external(
    _ path: String, _ ofCondition: Bool, _ choice: WeightChoice
  ) throws -> FirstStageFile {
    try RunFolder.requireWholeFile(path)
    let checkpoint = try TamingCheckpoint(
      try CheckpointFile.open(path, weights: choice), project: try TamingProject.beside(path),
      stagesOnly: true)
    let weights: FirstStageWeights
    switch checkpoint {
    case .firstStage(let found): weights = found
    case .transformer(let transformer):
      guard let stage = ofCondition ? transformer.condStage : transformer.firstStage else {
        throw ArchitectureError.otherModel(
          path: path, found: "a transformer without its VQGAN", expected: "a VQGAN")
      }
      weights = stage
    case .iris(let agent) where !ofCondition: weights = agent.tokenizer
    default:
      throw ArchitectureError.otherModel(
        path: path, found: checkpoint.title, expected: "a VQGAN")
    }
    return FirstStageFile(weights)
  }

  package init(
    config: VQGANConfig, discriminator: DiscriminatorConfig?, tensors: any TensorSource
  ) {
    self.config = config
    self.discriminator = discriminator
    self.tensors = tensors
  }

  /// A VQGAN that was found in a file.
  package init(_ weights: FirstStageWeights) {
    self.init(
      config: weights.config, discriminator: weights.discriminator, tensors: weights.tensors)
  }

  /// The fingerprints that the model has when it is loaded; one tensor is in memory at a time.
  ///
  /// - Throws: the errors of reading.
  package func fingerprints() throws -> VQGANFingerprints {
    var hash = VQGANFingerprints.Hash(config)
    for (name, shape) in VQGAN(config).shapes() {
      try tensors.floats(of: name).withUnsafeBufferPointer {
        hash.add(name, Shape(shape), $0)
      }
    }
    return hash.finish()
  }

  /// That of all weights.
  package func fingerprint() throws -> String { try fingerprints().vqgan }

  /// Checks that the file holds all that it should, as `FirstStageWeights.requireWhole`.
  ///
  /// - Throws: `ModelMismatchError`, `ArchitectureError`.
  func requireWhole() throws {
    try FirstStageWeights.requireWhole(tensors, config, discriminator)
  }

  /// Fills a VQGAN; all or nothing.
  ///
  /// - Throws: `ModelMismatchError`.
  func load(_ model: inout VQGAN) throws {
    try ModelFiles.load(
      &model, from: tensors, ignoring: { $0.hasPrefix("loss.") || $0 == "colorize" })
  }

  /// Fills a discriminator of the shape of the file's; leaves one of another shape as it is.
  func load(_ model: inout Discriminator, of config: DiscriminatorConfig) throws {
    guard discriminator == config else { return }
    try ModelFiles.load(
      &model, from: tensors, prefix: FirstStageWeights.discriminatorPrefix,
      ignoring: { $0.hasSuffix(".num_batches_tracked") })
  }
}
