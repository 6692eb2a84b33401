// train-gpt: code shards to a GPT.
import ArgumentParser
import CommandSupport
import Shards
import Training

@main
struct TrainGPT: SuiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "train-gpt",
    abstract: "Trains a GPT on code shards.",
    usage: """
      train-gpt CODES... --out RUN [--validation CODES...]
      encode-dataset ... | train-gpt --out RUN
      train-gpt --out RUN --resume
      """,
    discussion: "Prints the run folder when the last step is done.",
    version: SuiteVersion.current)

  @OptionGroup(title: "Input") var input: InputPaths
  @OptionGroup(title: "Training") var options: GPTOptions
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
    let codes = try read(config.shards, config, console)
    let validation =
      config.validation.isEmpty ? nil : try read(config.validation, config, console)

    let lock = try OutputFolder(options.out)
    var run = try GPTRun(config, in: folder, resumed: options.resume, on: device)
    if !options.resume { try folder.create(config: config) }
    console.note(
      "\(codes.count) grids of \(config.codes.height)×\(config.codes.width) codes, "
        + "\(run.trainer.model.parameterCount) parameters, engine \(device.name), "
        + "from step \(run.state.step) to \(config.steps)")
    Interruption.install()
    let progress = Progress(
      "training", total: config.steps, from: run.state.step, unit: "steps", console: console)
    try run.train(
      on: codes, validation: validation,
      TrainingReporter(
        step: { progress.advance(note: $0) }, warn: { console.warn($0) },
        shouldStop: { Interruption.requested }))
    progress.finish()
    if let profile { console.line(profile.table) }
    withExtendedLifetime(lock) {}
    try Interruption.throwIfRequested()
    try results.writer.path(options.out)
  }

  /// Reads code shards that agree with the configuration.
  private func read(
    _ paths: [String], _ config: GPTRunConfig, _ console: Console
  ) throws -> CodeTable {
    let shards = try CodeShardSet(paths)
    try config.codes.requireSame(as: shards)
    let progress = Progress("reading codes", total: shards.count, unit: "grids", console: console)
    let table = try CodeTable(shards) { progress.advance() }
    progress.finish()
    return table
  }
}
