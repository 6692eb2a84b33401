// The options of commands in which a world model imagines images.
import ArgumentParser
import Models
import TensorCore

/// Which world model imagines, which VQGAN decodes, and how codes are drawn.
package struct ImaginingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Run or checkpoint of the world model; '-' or none reads it from a pipe.", valueName: "path"))
  package var world: String?

  @Option(
    help: ArgumentHelp(
      "Run, checkpoint or file of weights of the VQGAN; the one that made the codes if left out.",
      valueName: "path"))
  package var vqgan: String?

  @Option(help: "Divides the logits of codes; below 1 is more certain.") package var temperature =
    1.0

  @Option(help: "Sample among the k most probable codes only.")
  package var topK: Int?

  @Flag(help: "Always take the most probable code, reward and end.") package var greedy = false

  @Option(
    help: ArgumentHelp(
      "How the weights of linear layers are read: float32, bf16, or int8; fewer bits are faster.",
      valueName: "precision"))
  package var precision = Precision.float32

  package init() {}

  package func validate() throws {
    if let topK, !(1...1 << 24).contains(topK) {
      throw ValidationError("--top-k must be in 1...\(1 << 24), got \(topK).")
    }
    guard temperature > 0, temperature.isFinite else {
      throw ValidationError(
        "--temperature must be above 0, got \(temperature); use --greedy for no randomness.")
    }
  }

  package var sampling: SamplingOptions {
    SamplingOptions(temperature: temperature, topK: topK, isGreedy: greedy)
  }
}
