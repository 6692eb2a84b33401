// The options of play.
import ArgumentParser
import Models
import TensorCore

/// What is played, and how.
struct PlayOptions: ParsableArguments {
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
    help: ArgumentHelp(
      "Code shards of recordings, where games start; those of the run's validation, or else of its "
        + "training, if left out.", valueName: "shard"))
  var fromCodes: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Image shards of the same rows: the recording is shown as it was.", valueName: "shard"))
  var images: [String] = []

  @Option(help: "Starts to choose from, spread evenly.") var starts = 64

  @Option(help: "Divides the logits of codes; below 1 is more certain.") var temperature = 1.0

  @Option(help: "Sample among the k most probable codes only.") var topK: Int?

  @Flag(help: "Always take the most probable code, reward and end.") var greedy = false

  @Option(
    help: ArgumentHelp(
      "How the weights of linear layers are read: float32, bf16, or int8; fewer bits are faster.",
      valueName: "precision"))
  var precision = Precision.float32

  @Option(help: "Images of a second, at most.") var fps = 15

  @Option(help: "Port of the page on 127.0.0.1; 0 for any that is free.")
  var port: UInt16 = 8765

  @Flag(help: "Play in the terminal, with half blocks in 24-bit colour; good over SSH.")
  var terminal = false

  @Option(
    help: ArgumentHelp("Folder for what is recorded; made when missing.", valueName: "folder"))
  var out: String?

  func validate() throws {
    let counts = [("--starts", starts, 1_000_000), ("--top-k", topK ?? 1, 1 << 24)]
    for (name, value, limit) in counts + [("--fps", fps, 1000)]
    where !(1...limit).contains(value) {
      throw ValidationError("\(name) must be in 1...\(limit), got \(value).")
    }
    guard temperature > 0, temperature.isFinite else {
      throw ValidationError(
        "--temperature must be above 0, got \(temperature); use --greedy for no randomness.")
    }
  }

  var sampling: SamplingOptions {
    SamplingOptions(temperature: temperature, topK: topK, isGreedy: greedy)
  }
}
