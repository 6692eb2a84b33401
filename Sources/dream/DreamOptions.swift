// The options of dream.
import ArgumentParser
import CommandSupport
import Models
import TensorCore
import Training

/// How `dream` dreams, and what it leaves.
struct DreamOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Run or checkpoint of the world model; '-' or none reads it from a pipe.", valueName: "path"))
  var world: String?

  @Option(
    help: ArgumentHelp(
      "Run, checkpoint or file of weights of the VQGAN; the one that made the codes if left out.",
      valueName: "path"))
  var vqgan: String?

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

  @Option(help: "Divides the logits of codes; below 1 is more certain.") var temperature = 1.0

  @Option(help: "Sample among the k most probable codes only.") var topK: Int?

  @Flag(help: "Always take the most probable code, reward and end.") var greedy = false

  @Option(
    help: ArgumentHelp(
      "How the weights of linear layers are read: float32, bf16, or int8; fewer bits are faster.",
      valueName: "precision"))
  var precision = Precision.float32

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
      ("--starts", starts, 1_000_000), ("--top-k", topK ?? 1, 1 << 24), ("--fps", fps, 1000),
    ]
    for (name, value, limit) in counts where !(1...limit).contains(value) {
      throw ValidationError("\(name) must be in 1...\(limit), got \(value).")
    }
    guard temperature > 0, temperature.isFinite else {
      throw ValidationError(
        "--temperature must be above 0, got \(temperature); use --greedy for no randomness.")
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

  var sampling: SamplingOptions {
    SamplingOptions(temperature: temperature, topK: topK, isGreedy: greedy)
  }
}
