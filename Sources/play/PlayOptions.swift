// The options of play.
import ArgumentParser
import ModelCommands

/// What is played, and how.
struct PlayOptions: ParsableArguments {
  @OptionGroup var imagining: ImaginingOptions

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

  @Option(help: "Images of a second, at most.") var fps = 15

  @Option(help: "Port of the page on 127.0.0.1; 0 for any that is free.")
  var port: UInt16 = 8765

  @Flag(help: "Play in the terminal, with half blocks in 24-bit colour; good over SSH.")
  var terminal = false

  @Option(
    help: ArgumentHelp("Folder for what is recorded; made when missing.", valueName: "folder"))
  var out: String?

  func validate() throws {
    let counts = [("--starts", starts, 1_000_000)]
    for (name, value, limit) in counts + [("--fps", fps, 1000)]
    where !(1...limit).contains(value) {
      throw ValidationError("\(name) must be in 1...\(limit), got \(value).")
    }
  }
}
