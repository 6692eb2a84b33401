// decode-dataset: code shards to image shards or PNGs.
import ArgumentParser
import CommandSupport
import ModelCommands
import Shards
import TensorCore
import Training

@main
struct DecodeDataset: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode-dataset",
    abstract: "Turns code shards into image shards or PNGs.",
    usage: """
      decode-dataset CODES... --vqgan RUN --out SHARDS
      decode-dataset CODES... --vqgan RUN --images --out IMAGES
      sample-gpt ... --shards-out CODES | decode-dataset --vqgan RUN --out SHARDS
      """,
    discussion: """
      Writes one image shard of the same name for each code shard, or with --images a PNG for \
      each row; ids, names and labels are copied. Prints the paths when all are there. Running \
      the same command again continues at the first that is missing.
      """,
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Input") var input: InputPaths

  @Option(
    help: ArgumentHelp(
      "Run, checkpoint or file of weights of the VQGAN that made the codes.", valueName: "path"))
  var vqgan: String

  @Option(help: ArgumentHelp("Folder for the images; made when missing.", valueName: "folder"))
  var out: String

  @Flag(help: "Write a PNG for each row instead of shards.") var images = false

  @Option(
    help: ArgumentHelp(
      "Images decoded at once; if left out, what memory suggests.", valueName: "count"))
  var batchSize: Int?

  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup var results: ResultOptions

  func validate() throws {
    if let batchSize, !(1...65_536).contains(batchSize) {
      throw ValidationError("--batch-size must be in 1...65536, got \(batchSize).")
    }
  }

  func execute() throws {
    let console = runtime.console
    let device = try runtime.startComputing()
    // Before waiting for a pipe: a wrong VQGAN is reported at once.
    let stage = try FirstStage.load(vqgan, on: device)
    let plan = try DecodingPlan(
      try input.resolve(console: console), for: stage, as: images ? .png : .shards)
    let batchSize = batchSize ?? stage.batchSize(height: plan.height, width: plan.width)
    console.note(
      "\(plan.count) grids of codes to images of \(plan.width)×\(plan.height), "
        + "\(batchSize) at once, on \(device.name)")
    Interruption.install()
    let decoder = DatasetDecoder(
      plan, stage: stage, batchSize: batchSize, toolVersion: SuiteVersion.current)
    let progress = Progress("decoding", total: plan.count, unit: "images", console: console)
    let began = ContinuousClock.now
    let advance: (Int) throws -> Void = { rows in
      progress.advance(by: rows)
      try Interruption.throwIfRequested()
    }
    let check = ShardCheckConsole(console).show
    var rows: [DecodedRow] = []
    var shards: [(path: String, rows: Int)] = []
    let earlier = try Interruption.telling(
      console, "the same command continues at the first missing \(images ? "image" : "shard")"
    ) {
      if images {
        return try decoder.writeImages(in: out, checking: check, progress: advance) {
          rows.append($0)
        }
      }
      let outcome = try decoder.writeShards(in: out, checking: check, progress: advance)
      shards = outcome.shards
      return outcome.earlier
    }
    progress.finish()
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    let new = plan.count - earlier
    let rate = new > 0 ? ", \(Progress.rate(Double(new) / max(seconds, 1e-3))) images/s" : ""
    console.note(
      "decoded \(new) images\(earlier > 0 ? " (\(earlier) by an earlier run)" : "")"
        + " in \(Progress.duration(seconds))\(rate)")
    for row in rows { try results.writer.write(row, text: row.path) }
    for shard in shards {
      try results.writer.write(ShardLine(path: shard.path, rows: shard.rows), text: shard.path)
    }
  }
}
