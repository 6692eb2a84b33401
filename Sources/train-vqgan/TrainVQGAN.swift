// train-vqgan: image shards to a VQGAN.
import ArgumentParser
import CommandSupport
import ModelCommands
import Models
import Shards
import Training

@main
struct TrainVQGAN: TrainingCommand {
  typealias Run = VQGANRun

  static let configuration = CommandConfiguration(
    commandName: "train-vqgan",
    abstract: "Trains a VQGAN on image shards.",
    usage: """
      train-vqgan SHARD... --out RUN [--preset small] [--validation SHARD...]
      train-vqgan --out RUN --resume
      """,
    discussion: "Prints the run folder when the last step is done.",
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Input") var input: InputPaths
  @OptionGroup(title: "Training") var training: TrainingOptions
  @OptionGroup(title: "VQGAN") var options: VQGANOptions
  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup(title: "Runtime") var profiling: ProfileOption
  @OptionGroup var results: ResultOptions

  func validate() throws {
    if training.resume, options.config != nil {
      throw ValidationError("--config and --resume: a resumed run has its configuration already.")
    }
    if training.resume, options.colorBalance != nil {
      throw ValidationError("--color-balance and --resume: a resumed run has its weights already.")
    }
  }

  /// What the shards decide too: the colours of palettes.
  func start(on shards: [String], in environment: Environment) throws -> VQGANRunConfig {
    var config = try options.start(training, in: environment)
    try options.addColors(of: shards, to: &config)
    return config
  }

  func change(_ config: inout VQGANRunConfig) throws { try options.change(&config) }

  func isHeldOut(_ shard: String) throws -> Bool {
    try ImageShardReader(shard).header.split == "validation"
  }

  func data(
    of config: VQGANRunConfig
  ) throws -> (training: ImageShardSet, validation: ImageShardSet?) {
    let frozen = frozen(config)
    if !frozen.isEmpty, config.initFrom == nil, !config.model.encodesTiles {
      throw ValidationError("--freeze \(frozen) needs --init-from: a new run has nothing to keep.")
    }
    guard Set(config.objective.freeze).count < VQGANPart.allCases.count else {
      throw ValidationError("--freeze \(frozen) leaves nothing to train.")
    }
    let shards = try ImageShardSet(config.shards)
    try config.check(shards)
    try config.checkChanges(in: shards)
    let validation = config.validation.isEmpty ? nil : try ImageShardSet(config.validation)
    if let validation { try config.check(validation) }
    if config.evaluation != nil, validation == nil {
      throw ValidationError("--evaluate-every needs shards to validate on: --validation.")
    }
    return (shards, validation)
  }

  func title(of shards: ImageShardSet, _ config: VQGANRunConfig) -> String {
    "\(shards.count) images of \(shards.width)×\(shards.height)"
  }

  func notes(_ config: VQGANRunConfig) -> [String] {
    var notes: [String] = []
    let frozen = frozen(config)
    if !frozen.isEmpty { notes.append("\(frozen): stays as it is") }
    if config.objective.discStart >= config.steps, config.objective.discFactor > 0 {
      notes.append(
        "no discriminator in this run: it takes part from step \(config.objective.discStart) on "
          + "(--disc-start)")
    }
    return notes
  }

  private func frozen(_ config: VQGANRunConfig) -> String {
    config.objective.freeze.map(\.rawValue).joined(separator: ", ")
  }
}
