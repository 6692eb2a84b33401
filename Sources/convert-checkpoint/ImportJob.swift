// From external files to checkpoints of the suite.
import Checkpoints
import CommandSupport
import Shards
import TamingCheckpoints
import Training

/// Reads the inputs, checks them as a whole, and writes them in the suite's form.
struct ImportJob {
  let options: ConversionOptions
  let console: Console

  func run() throws {
    let sources = try options.inputs.map { try open($0) }
    if sources.count == 2 { return try join(sources[0], sources[1]) }
    let path = options.inputs[0]
    let project =
      try options.project.map { try TamingProject($0) } ?? TamingProject.beside(path)
    if let project { console.note("\(path): read with \(project.path)") }
    let isStage = options.extract == .firstStage || options.extract == .condStage
    let checkpoint = try TamingCheckpoint(
      sources[0], project: project, heads: options.heads, stagesOnly: isStage,
      quantizer: options.quantizer?.kind)
    if options.verbose { listTensors(of: sources[0]) }
    switch checkpoint {
    case .firstStage(let weights):
      guard options.extract == nil else { throw notATransformer(checkpoint) }
      try write(weights)
    case .transformer(let weights): try write(weights)
    case .iris(let weights): try write(weights)
    case .perceptual(let weights):
      guard options.extract == nil else { throw notATransformer(checkpoint) }
      try write(weights)
    case .vgg16, .lpipsHeads:
      throw ArchitectureError.otherModel(
        path: path, found: checkpoint.title,
        expected: "both; name the two files: convert-checkpoint VGG16.pth LPIPS.pth")
    }
  }

  private func notATransformer(_ checkpoint: TamingCheckpoint) -> ArchitectureError {
    .otherModel(
      path: options.inputs[0], found: checkpoint.title, expected: "a transformer to extract from")
  }

  // MARK: Models

  private func write(_ found: FirstStageWeights) throws {
    var weights = found
    if let unknown = options.unknownIndex { try weights.setUnknownIndex(unknown) }
    console.note(weights.summary)
    let optimizers = try checkpointWithOptimizers.map { try OptimizerImport($0, of: weights) }
    let progress = progress(weights.tensors.names.count + (optimizers?.tensors.names.count ?? 0))
    try converter(progress).write(weights, optimizers: optimizers, to: options.out)
    progress.finish()
  }

  private func write(_ weights: PerceptualWeights) throws {
    console.note(weights.summary)
    let progress = progress(weights.tensors.names.count)
    try converter(progress).write(weights, to: options.out)
    progress.finish()
  }

  /// VGG16 and the heads of LPIPS, in any order.
  private func join(_ first: any TensorSource, _ second: any TensorSource) throws {
    for path in options.inputs {
      if let problem = try NamedDigest(path).problem { console.warn(problem) }
    }
    switch (try TamingCheckpoint(first), try TamingCheckpoint(second)) {
    case (.vgg16(let vgg16), .lpipsHeads(let heads)), (.lpipsHeads(let heads), .vgg16(let vgg16)):
      try write(try PerceptualWeights(vgg16: vgg16, heads: heads))
    case (let one, let other):
      throw ArchitectureError.otherModel(
        path: first.path, found: "\(one.title) (and the second file \(other.title))",
        expected: "VGG16 and the heads of LPIPS")
    }
  }

  private func write(_ weights: TransformerWeights) throws {
    switch options.extract {
    case .firstStage: return try write(try stage(weights.firstStage, "first"))
    case .condStage: return try write(try stage(weights.condStage, "condition"))
    case .transformer, nil: break
    }
    console.note(weights.summary)
    let withStages = options.extract == nil
    if withStages {
      for stage in [weights.firstStage, weights.condStage].compactMap(\.self) {
        console.note(stage.summary)
      }
    }
    let description = try description(of: weights, withStages: withStages)
    if let condition = description.condition { console.note("conditioned by \(condition.title)") }
    let stages = withStages ? [weights.firstStage, weights.condStage].compactMap { $0 } : []
    let optimizers = try checkpointWithOptimizers.map { try OptimizerImport($0, of: weights) }
    let tensors = weights.tensors.names.count + (optimizers?.tensors.names.count ?? 0)
    let progress = progress(stages.reduce(tensors) { $0 + $1.tensors.names.count })
    try converter(progress).write(
      weights, description, withStages: withStages, optimizers: optimizers, to: options.out)
    progress.finish()
  }

  private func write(_ weights: IRISWeights) throws {
    for (prefix, count) in weights.leftOut {
      console.note("\(options.inputs[0]): \(prefix)* is left out, \(count) tensors")
    }
    switch options.extract {
    case .firstStage: return try write(weights.tokenizer)
    case .condStage: throw notATransformer(.iris(weights))
    case .transformer, nil: break
    }
    guard !options.optimizer else {
      throw ArchitectureError.unsupported(
        path: options.inputs[0], problem: "states of optimizers are in no agent of IRIS")
    }
    let withStage = options.extract == nil
    let path = withStage ? "\(options.out)/first-stage" : options.vqgan ?? ""
    console.note(weights.summary)
    if withStage { console.note(weights.tokenizer.summary) }
    let description = WorldDescription(
      of: weights, fingerprints: try FirstStageFile(weights.tokenizer).fingerprints(),
      vqgan: path.isEmpty ? "" : absolutePath(path))
    let stage = withStage ? weights.tokenizer.tensors.names.count : 0
    let progress = progress(weights.tensors.names.count + stage)
    try converter(progress).write(weights, description, withStage: withStage, to: options.out)
    progress.finish()
  }

  private func stage(_ stage: FirstStageWeights?, _ title: String) throws -> FirstStageWeights {
    guard let stage else {
      throw ArchitectureError.otherModel(
        path: options.inputs[0], found: "a transformer alone", expected: "its \(title) stage too")
    }
    return stage
  }

  /// What the transformer's codes mean: those of the VQGAN in its file, or of `--vqgan`.
  private func description(
    of weights: TransformerWeights, withStages: Bool
  ) throws -> GPTDescription {
    let stage: FirstStageFile
    let position: String
    if let found = weights.firstStage {
      stage = FirstStageFile(found)
      position = withStages ? "\(options.out)/first-stage" : options.vqgan ?? ""
    } else if let path = options.vqgan {
      (stage, position) = (try FirstStageFile.open(path), path)
    } else {
      throw ArchitectureError.otherModel(
        path: options.inputs[0], found: "a transformer without its VQGAN",
        expected: "--vqgan to name it")
    }
    let fingerprints = try stage.fingerprints()
    var codes = CodeGrid(
      of: weights, stage.config, fingerprint: fingerprints.vqgan,
      codesFingerprint: fingerprints.codes, vqgan: position.isEmpty ? "" : absolutePath(position))
    if let grid = options.grid { (codes.height, codes.width) = (grid.height, grid.width) }
    console.note("grids of \(codes.height)×\(codes.width) codes")
    let stagePath = withStages ? absolutePath("\(options.out)/cond-stage") : ""
    let description = GPTDescription(
      model: weights.config, codes: codes,
      condition: try GPTCondition(of: weights, codes: codes, stagePath: stagePath),
      order: weights.order)
    if let problem = description.problem {
      throw ArchitectureError.unsupported(
        path: options.inputs[0], problem: "\(problem); is --grid or --vqgan another one?")
    }
    return description
  }

  /// The checkpoint, if its optimizers are asked for.
  ///
  /// - Throws: `ArchitectureError` when it has none.
  private var checkpointWithOptimizers: PyTorchFile? {
    get throws {
      guard options.optimizer else { return nil }
      let path = options.inputs[0]
      guard let file = try CheckpointFile.openAsItIs(path) as? PyTorchFile, !file.optimizers.isEmpty
      else {
        throw ArchitectureError.otherModel(
          path: path, found: "no states of optimizers", expected: "them, because of --optimizer")
      }
      return file
    }
  }

  // MARK: What is told

  private func progress(_ tensors: Int) -> Progress {
    Progress("converting", total: tensors, unit: "tensors", console: console)
  }

  private func converter(_ progress: Progress) -> CheckpointImport {
    CheckpointImport {
      progress.advance()
      try Interruption.throwIfRequested()
    }
  }

  /// Opens a file and says what of it is not read.
  private func open(_ path: String) throws -> any TensorSource {
    try RunFolder.requireWholeFile(path)
    let source = try CheckpointFile.openAsItIs(path)
    if let file = source as? PyTorchFile { report(file) }
    // What is left out may be named as in the file or as in the model.
    let rest = withoutIgnored(withoutIgnored(source).underUsualNames(options.weights))
    guard let list = options.remap else { return rest }
    return AddedIntegers(rest, "quantize.used", try NumPyFile(list).integers)
  }

  private func withoutIgnored(_ source: any TensorSource) -> RenamedTensors {
    let kept = source.names.filter { name in !options.ignore.contains { name.hasPrefix($0) } }
    return RenamedTensors(
      source, oldNames: Dictionary(uniqueKeysWithValues: kept.map { ($0, $0) }))
  }

  private func report(_ file: PyTorchFile) {
    // Those that could do harm are told by every command.
    for global in file.inertGlobals where options.verbose && !global.isDangerous {
      console.line("\(file.path): \(global) is not known; it was read as inert data")
    }
    for (name, problem) in file.unreadable.sorted(by: { $0.key < $1.key }) {
      console.warn("\(file.path): \(name) \(problem); left out")
    }
  }

  private func listTensors(of source: any TensorSource) {
    for name in source.names {
      guard let type = try? source.type(of: name), let shape = try? source.shape(of: name) else {
        continue
      }
      console.line("\(name) \(type.rawValue) \(shape)")
    }
  }
}
