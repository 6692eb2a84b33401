// The options of sample-gpt.
import ArgumentParser
import Models
import TensorCore

/// What `sample-gpt` is told.
struct SampleOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Run, checkpoint or transformer's file of the GPT; '-' or none reads it from a pipe.",
      valueName: "path")
  )
  var gpt: String?

  @Option(
    help: ArgumentHelp(
      "Run, checkpoint or file of weights of the VQGAN; the one that made the codes if left out.",
      valueName: "path"))
  var vqgan: String?

  @Option(help: "Pictures to draw.") var count = 16

  @Option(help: "Divides the logits; below 1 is more certain, above 1 more varied.")
  var temperature: Double = 1

  @Option(help: "Draw among the k most probable codes only.") var topK: Int?

  @Option(help: "Draw among the most probable codes up to this share of the probability only.")
  var topP: Double?

  @Flag(help: "Always take the most probable code; every picture is then the same.")
  var greedy = false

  @Option(
    help: ArgumentHelp(
      "How the weights of linear layers are read: float32, bf16, or int8; fewer bits are faster.",
      valueName: "precision"))
  var precision = Precision.float32

  @Option(help: "Pictures drawn at once; changes what they show by rounding at most.")
  var batchSize = 16

  @Option(help: ArgumentHelp("Folder for the pictures; made when missing.", valueName: "folder"))
  var out: String

  @Option(help: ArgumentHelp("New code shard to write the codes to as well.", valueName: "file"))
  var codesOut: String?

  func validate() throws {
    for (name, value) in [("--count", count), ("--batch-size", batchSize), ("--top-k", topK ?? 1)]
    where !(1...10_000_000).contains(value) {
      throw ValidationError("\(name) must be in 1...10000000, got \(value).")
    }
    guard temperature > 0, temperature.isFinite else {
      throw ValidationError(
        "--temperature must be above 0, got \(temperature); use --greedy for no randomness.")
    }
    if let codesOut, !codesOut.hasSuffix(".h5") {
      throw ValidationError("--codes-out is a code shard; its name ends in .h5, got \(codesOut).")
    }
    if let topP, !(topP > 0 && topP <= 1) {
      throw ValidationError("--top-p must be above 0 and at most 1, got \(topP).")
    }
  }

  var sampling: SamplingOptions {
    SamplingOptions(temperature: temperature, topK: topK, topP: topP, isGreedy: greedy)
  }
}
