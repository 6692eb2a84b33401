import ArgumentParser
import CommandSupport
import Ingest

/// `prep-atari`: recordings of Atari games to image shards.
@main
struct PrepAtari: SuiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "prep-atari",
    abstract: "Make image shards of recorded Atari games.",
    discussion: """
      Reads a folder in the layout of the Atari Grand Challenge data set, version 1 or 2 \
      (screens/GAME/ID/N.png and trajectories/GAME/ID.txt), and writes HDF5 shards with the \
      images, actions, rewards, scores and ends of games.

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
  @OptionGroup(title: "The images") var recipe: ImageRecipe
  @OptionGroup(title: "The shards") var shards: ShardOptions
  @OptionGroup(title: "The run") var running: IngestRunOptions
  @OptionGroup(title: "Results") var results: ResultOptions

  func execute() throws {
    let run = IngestRun(out: out, unit: "recordings", options: running, results: results)
    try run { progress in
      try AtariPlanner.plan(
        path: source, frames: frames, recipe: recipe, shards: shards, threads: running.threads,
        policy: running.policy, progress: progress)
    }
  }
}
