import ArgumentParser
import CommandSupport
import Ingest
import Shards

/// `prep-atari`: recordings of Atari games to image shards.
@main
struct PrepAtari: SuiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "prep-atari",
    abstract: "Make image shards of recorded Atari games.",
    discussion: """
      Reads a folder in the layout of the Atari Grand Challenge data set, version 1 or 2 \
      (screens/GAME/ID/N.png and trajectories/GAME/ID.txt), and writes HDF5 shards with the \
      pictures, actions, rewards, scores and ends of games.

      Example: prep-atari Datasets/montezuma --size 104 --holdout 30,32 --out shards

      The paths of the training shards go to stdout, so that the next command can read them; \
      those of the validation shards to stderr. Running the same command again continues.
      """,
    version: SuiteVersion.current)

  @Argument(help: ArgumentHelp("Folder with screens/ and trajectories/.", valueName: "dir"))
  var source: String

  @Option(help: ArgumentHelp("Folder for the shards; made when missing.", valueName: "dir"))
  var out: String

  @OptionGroup(title: "Which frames") var frames: FrameOptions
  @OptionGroup(title: "The pictures") var pictures: PictureOptions
  @OptionGroup(title: "The shards") var shards: ShardOptions
  @OptionGroup(title: "The run") var running: RunningOptions
  @OptionGroup(title: "Results") var results: ResultOptions

  func execute() throws {
    let console = Console.standardError(quiet: running.quiet)
    let options = ingestOptions
    let report = IngestConsole(console)
    if !running.dryRun { Interruption.install() }
    let plan = try AtariPlanner.plan(
      path: source, options: options, threads: running.threads, policy: running.policy,
      progress: report.show)
    for warning in plan.warnings { console.warn(warning) }
    report.show(plan)
    if running.dryRun { return }

    let ingest = AtariIngest(
      plan: plan, folder: out, threads: running.threads, policy: running.policy,
      toolVersion: SuiteVersion.current)
    report.begin(samples: plan.samples.count)
    let outcome = try ingest.run(progress: report.show)
    report.show(outcome, out: out)
    try write(outcome, console: console)
  }

  private var ingestOptions: AtariIngestOptions {
    AtariIngestOptions(
      game: frames.game, name: shards.name ?? frames.game, recipe: pictures.recipe,
      every: frames.every, dropsDuplicates: frames.dropDuplicates,
      trajectories: frames.trajectories?.ids, holdout: frames.holdout?.ids ?? [],
      limit: frames.limit, shardSize: shards.shardSize, compression: shards.compression)
  }

  /// Training shards to stdout, validation shards to stderr; as JSON, all of them to stdout with their split.
  private func write(_ outcome: IngestOutcome, console: Console) throws {
    let writer = results.writer
    for shard in outcome.shards {
      if writer.json {
        try writer.write(ShardLine(shard), text: shard.path)
      } else if shard.split == .train {
        try writer.path(shard.path)
      } else {
        console.note("validation shard: \(shard.path)")
      }
    }
  }
}

/// What `--json` writes of a shard.
private struct ShardLine: Encodable {
  let path: String
  let split: IngestSplit
  let rows: Int

  init(_ shard: IngestOutcome.Shard) {
    path = shard.path
    split = shard.split
    rows = shard.rows
  }
}
