// train-gpt: code shards to a GPT.
import ArgumentParser
import CommandSupport
import ModelCommands
import Shards
import Training

@main
struct TrainGPT: TrainingCommand {
  typealias Run = GPTRun

  static let configuration = CommandConfiguration(
    commandName: "train-gpt",
    abstract: "Trains a GPT on code shards.",
    usage: """
      train-gpt CODES... --out RUN [--validation CODES...]
      encode-dataset ... | train-gpt --out RUN
      train-gpt --out RUN --resume
      """,
    discussion: "Prints the run folder when the last step is done.",
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Input") var input: InputPaths
  @OptionGroup(title: "Training") var training: TrainingOptions
  @OptionGroup(title: "GPT") var options: GPTOptions
  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup(title: "Runtime") var profiling: ProfileOption
  @OptionGroup var results: ResultOptions

  func start(on shards: [String], in environment: Environment) throws -> GPTRunConfig {
    try options.start(on: try CodeShardSet(shards), initFrom: training.initFrom, in: environment)
  }

  func change(_ config: inout GPTRunConfig) throws { try options.change(&config) }

  func isHeldOut(_ shard: String) throws -> Bool {
    try CodeShardReader(shard).header.split == "validation"
  }

  func data(of config: GPTRunConfig) throws -> (training: GPTData, validation: GPTData?) {
    try config.check()
    if case .label(let label) = config.condition?.kind {
      try label.requireOneNone(in: config.shards + config.validation)
    }
    let codes = try read(config.shards, config)
    return (codes, config.validation.isEmpty ? nil : try read(config.validation, config))
  }

  func title(of data: GPTData, _ config: GPTRunConfig) -> String {
    "\(data.count) grids of \(config.codes.height)×\(config.codes.width) codes"
      + (config.condition.map { " conditioned by \($0.title)" } ?? "")
  }

  /// Reads code shards that agree with the configuration.
  private func read(_ paths: [String], _ config: GPTRunConfig) throws -> GPTData {
    let shards = try CodeShardSet(paths)
    try config.codes.require(shards.grid, of: paths[0], for: "the run")
    let progress = Progress(
      "reading codes", total: shards.count, unit: "grids", console: runtime.console)
    let table = try CodeTable(shards, order: config.order ?? .raster) { progress.advance() }
    progress.finish()
    return GPTData(codes: table, conditions: try config.condition?.table(of: shards))
  }
}
