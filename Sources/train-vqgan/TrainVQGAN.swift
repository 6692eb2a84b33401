// train-vqgan: image shards to a VQGAN.
import ArgumentParser
import CommandSupport
import ModelCommands
import Models
import Shards
import TensorCore
import Training

@main
struct TrainVQGAN: TrainingCommand {
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

  func run(
    _ config: VQGANRunConfig, in folder: RunFolder, on device: Device
  ) throws -> TrainingState {
    let frozen = config.objective.freeze.map(\.rawValue).joined(separator: ", ")
    if !frozen.isEmpty, config.initFrom == nil {
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

    let lock = try lock(folder)
    var run = try VQGANRun(config, in: folder, resumed: training.resume, on: device)
    if let validation { try run.checkEvaluations(on: validation) }
    try store(config, in: folder, at: run.state.step)
    runtime.console.note(
      "\(shards.count) images of \(shards.width)×\(shards.height), "
        + "\(run.trainer.model.parameterCount) parameters, on \(device.name), "
        + "from step \(run.state.step) to \(config.steps)")
    if !frozen.isEmpty { runtime.console.note("\(frozen): stays as it is") }
    if config.objective.discStart >= config.steps, config.objective.discFactor > 0 {
      runtime.console.note(
        "no discriminator in this run: it takes part from step \(config.objective.discStart) on "
          + "(--disc-start)")
    }
    try supervise(from: run.state.step, to: config.steps) {
      try run.train(on: shards, validation: validation, $0)
    }
    return withExtendedLifetime(lock) { run.state }
  }
}
