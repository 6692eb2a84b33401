// The options of dream.
import ArgumentParser
import CommandSupport
import ModelCommands
import Training

/// How `dream` dreams, and what it leaves.
struct DreamOptions: ParsableArguments {
  @OptionGroup var imagining: ImaginingOptions

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Code shards of recordings, where dreams start.", valueName: "shard"))
  var fromCodes: [String]

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Image shards of the same rows: what was recorded stands beside what is dreamt.",
      valueName: "shard"))
  var images: [String] = []

  @Option(help: "Images to dream behind each start.") var steps = 32

  @Option(help: "Dreams, from starts spread evenly.") var count = 8

  @Option(
    help: ArgumentHelp(
      "recorded, random, hold:RIGHT, or list:RIGHT*8,UP,NOOP*4, the last one held.",
      valueName: "actions"))
  var actions = ActionsOption.recorded

  @Option(help: "Dreams at once; changes what they show by rounding at most.")
  var batchSize = 8

  @Option(
    help: ArgumentHelp(
      "Folder for the dreams, or for a table and a plot of the report card; made when missing.",
      valueName: "folder"))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "New file of raw video of all dreams side by side; '-' writes it to stdout, alone.",
      valueName: "file"))
  var y4m: String?

  @Option(help: "Images of a second, in animations and video.") var fps = 15

  @Flag(help: "Print the report card of the model instead.") var evaluate = false

  @Option(help: "Starts of the dreams of the report card.") var starts = 64

  @Option(
    help: ArgumentHelp(
      "LPIPS in the report card: one file of VGG16 and heads, or twice: AlexNet or SqueezeNet, and "
        + "the heads.",
      valueName: "file"))
  var lpips: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "More code shards whose images are real, for the legal images of the report card.",
      valueName: "shard"))
  var known: [String] = []

  func validate() throws {
    let counts = [
      ("--steps", steps, 100_000), ("--count", count, 10_000), ("--batch-size", batchSize, 4096),
      ("--starts", starts, 1_000_000), ("--fps", fps, 1000),
    ]
    for (name, value, limit) in counts where !(1...limit).contains(value) {
      throw ValidationError("\(name) must be in 1...\(limit), got \(value).")
    }
    guard lpips.count <= 2 else { throw ValidationError("--lpips takes one file or two.") }
    if fromCodes.isEmpty { throw ValidationError("--from-codes needs a shard.") }
    if evaluate {
      guard y4m == nil, actions.actions == .recorded else {
        throw ValidationError("--evaluate prints a report card: leave --y4m and --actions away.")
      }
    } else if !lpips.isEmpty || !known.isEmpty {
      throw ValidationError("--lpips and --known need --evaluate.")
    } else if out == nil, y4m == nil {
      throw ValidationError("Missing --out: name a folder for the dreams.")
    }
  }
}
