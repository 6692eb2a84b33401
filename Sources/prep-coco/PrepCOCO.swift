import ArgumentParser
import CommandSupport
import Ingest

/// `prep-coco`: the folder of COCO's archives to image shards.
@main
struct PrepCOCO: SuiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "prep-coco",
    abstract: "Make image shards of COCO 2017.",
    discussion: """
      Reads the folder that COCO's archives unpack to (train2017/, val2017/, annotations/, \
      stuffthingmaps/), scales the shorter side of every image, cuts a square, and writes HDF5 \
      shards with the images and, as asked, label maps, captions and objects.

      Example: prep-coco ~/coco --split both --captions --segmentation stuffthingmaps --out shards

      The paths of the shards go to stdout, so that the next command can read them; of several \
      splits only those for training, the others to stderr. Running the same command again continues.
      """,
    version: SuiteVersion.current)

  @Argument(help: ArgumentHelp("Folder with train2017/ and annotations/.", valueName: "root"))
  var source: String

  @Option(help: ArgumentHelp("Folder for the shards; made when missing.", valueName: "dir"))
  var out: String

  @OptionGroup(title: "What to take") var corpus: COCOOptions
  @OptionGroup(title: "The images") var squares: SquareOptions
  @OptionGroup(title: "The shards") var shards: ShardOptions
  @OptionGroup(title: "The run") var running: IngestRunOptions
  @OptionGroup(title: "Results") var results: ResultOptions

  func execute() throws {
    let run = IngestRun(out: out, unit: "images", options: running, results: results)
    try run { progress in
      try COCOPlanner.plan(
        root: source, options: corpus, squares: squares, shards: shards, policy: running.policy,
        progress: progress)
    }
  }
}
