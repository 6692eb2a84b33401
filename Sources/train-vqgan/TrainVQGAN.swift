// train-vqgan: image shards to a VQGAN.
import ArgumentParser
import CommandSupport
import DurableFiles
import Shards
import TensorCore
import Training

@main
struct TrainVQGAN: SuiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-vqgan",
    abstract: "Trains a VQGAN on image shards.",
    usage: """
      train-vqgan SHARD... --out RUN [--preset small] [--validation SHARD...]
      train-vqgan --out RUN --resume
      """,
    discussion: "Prints the run folder when the last step is done.",
    version: SuiteVersion.current)

  @OptionGroup(title: "Input") var input: InputPaths
  @OptionGroup(title: "Training") var options: VQGANOptions
  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup(title: "Runtime") var profiling: ProfileOption
  @OptionGroup var seed: SeedOption
  @OptionGroup var results: ResultOptions

  func execute() throws {
    let console = runtime.console
    let folder = RunFolder(options.out)
    if !options.resume && folder.exists { throw RunError.alreadyARun(path: options.out) }
    let config =
      options.resume
      ? try options.resumedConfig(of: folder, runtime)
      : try options.config(
        shards: try input.resolve(console: console), runtime, seed: seed.seed)
    let (device, profile) = profiling.watch(try runtime.startComputing())
    let shards = try ImageShardSet(config.shards)
    try options.check(shards, config)
    let validation = config.validation.isEmpty ? nil : try ImageShardSet(config.validation)
    if let validation { try options.check(validation, config) }

    let lock = try OutputFolder(options.out)
    var run = try VQGANRun(config, in: folder, resumed: options.resume, on: device)
    if !options.resume { try folder.create(config: config) }
    console.note(
      "\(shards.count) images of \(shards.width)×\(shards.height), "
        + "\(run.trainer.model.parameterCount) parameters, engine \(device.name), "
        + "from step \(run.state.step) to \(config.steps)")
    Interruption.install()
    let progress = Progress(
      "training", total: config.steps, from: run.state.step, unit: "steps", console: console)
    try run.train(
      on: shards, validation: validation,
      TrainingReporter(
        step: { progress.advance(note: $0) }, warn: { console.warn($0) },
        shouldStop: { Interruption.requested }))
    progress.finish()
    if let profile { console.line(profile.table) }
    withExtendedLifetime(lock) {}
    try Interruption.throwIfRequested()
    try results.writer.path(options.out)
  }
}
