// train-world: code shards of recorded games to a world model.
import ArgumentParser
import CommandSupport
import ModelCommands
import Shards
import Training

@main
struct TrainWorld: TrainingCommand {
  typealias Run = WorldRun

  static let configuration = CommandConfiguration(
    commandName: "train-world",
    abstract: "Trains a world model on code shards of recorded games.",
    usage: """
      train-world CODES... --out RUN [--validation CODES...]
      encode-dataset ... | train-world --out RUN
      train-world --out RUN --resume
      """,
    discussion: "Prints the run folder when the last step is done.",
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Input") var input: InputPaths
  @OptionGroup(title: "Training") var training: TrainingOptions
  @OptionGroup(title: "World model") var options: WorldOptions
  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup(title: "Runtime") var profiling: ProfileOption
  @OptionGroup var results: ResultOptions

  func start(on shards: [String], in environment: Environment) throws -> WorldRunConfig {
    try options.start(on: try CodeShardSet(shards), initFrom: training.initFrom, in: environment)
  }

  func change(_ config: inout WorldRunConfig) { options.change(&config) }

  func isHeldOut(_ shard: String) throws -> Bool {
    try CodeShardReader(shard).header.split == "validation"
  }

  func data(of config: WorldRunConfig) throws -> (training: WorldData, validation: WorldData?) {
    try config.check()
    let data = try read(config.shards, config)
    return (data, config.validation.isEmpty ? nil : try read(config.validation, config))
  }

  func title(of data: WorldData, _ config: WorldRunConfig) -> String {
    "\(data.codes.count) steps in \(data.pieces.count) pieces, a row every \(data.stride) frames, "
      + "\(config.codes.height)×\(config.codes.width) codes"
  }

  /// Reads code shards that agree with the configuration.
  private func read(_ paths: [String], _ config: WorldRunConfig) throws -> WorldData {
    let shards = try CodeShardSet(paths)
    try config.codes.require(shards.grid, of: paths[0], for: "the run")
    let progress = Progress(
      "reading codes", total: shards.count, unit: "grids", console: runtime.console)
    let data = try WorldData(
      shards, segment: config.segment, actionsBelow: config.model.actions
    ) { progress.advance() }
    progress.finish()
    return data
  }
}
