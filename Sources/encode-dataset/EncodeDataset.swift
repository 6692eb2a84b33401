// encode-dataset: image shards to code shards.
import ArgumentParser
import CommandSupport
import Foundation
import ModelCommands
import Shards
import TensorCore
import Training

@main
struct EncodeDataset: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "encode-dataset",
    abstract: "Turns image shards into code shards.",
    usage: """
      encode-dataset SHARD... --vqgan RUN --out CODES
      prep-atari ... | encode-dataset --vqgan RUN --out CODES | train-gpt --out GPT
      """,
    discussion: """
      Writes one code shard of the same name for each image shard; ids, names and labels are \
      copied. Prints the paths of the code shards when all are there. Running the same command \
      again continues at the first missing shard.
      """,
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Input") var input: InputPaths

  @Option(help: ArgumentHelp("Run, checkpoint or file of weights of the VQGAN.", valueName: "path"))
  var vqgan: String

  @Option(
    help: ArgumentHelp(
      "VQGAN whose codes are written beside them as conditions: of label maps or of images.",
      valueName: "path"))
  var conditionVqgan: String?

  @Option(help: ArgumentHelp("Folder for the code shards; made when missing.", valueName: "folder"))
  var out: String

  @Option(
    help: ArgumentHelp(
      "Images encoded at once; if left out, what memory suggests.", valueName: "count"))
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
    // Before waiting for a pipe: a wrong VQGAN is told at once.
    let stage = try FirstStage.load(vqgan, on: device)
    let condition = try conditionVqgan.map { try FirstStage.load($0, on: device) }
    let plan = try EncodingPlan(
      try input.resolve(console: console), for: stage, condition: condition)
    let batchSize = batchSize ?? stage.batchSize(height: plan.height, width: plan.width)
    let grid = stage.codes(ofHeight: plan.height, width: plan.width)
    console.note(
      "\(plan.count) images of \(plan.width)×\(plan.height) to \(grid.height)×\(grid.width) codes of "
        + "\(stage.config.codes), \(batchSize) at once, on \(device.name)")

    Interruption.install()
    let encoder = DatasetEncoder(
      plan, stage: stage, condition: condition, on: device, batchSize: batchSize,
      toolVersion: SuiteVersion.current)
    let progress = Progress("encoding", total: plan.count, unit: "images", console: console)
    let began = ContinuousClock.now
    let outcome = try Interruption.telling(
      console, "the same command continues at the first missing shard"
    ) {
      try encoder.run(
        in: out, checking: ShardCheckConsole(console).show,
        locked: { pin([stage, condition].compactMap(\.self), console) }
      ) { event in
        switch event {
        case .found(let rows), .encoded(let rows): progress.advance(by: rows)
        }
        try Interruption.throwIfRequested()
      }
    }
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    summarize(outcome, of: plan, seconds: seconds, console)
    for shard in outcome.shards {
      try results.writer.write(ShardLine(path: shard.path, rows: shard.rows), text: shard.path)
    }
  }

  /// Keeps the checkpoints from being removed by their trainings: of a folder that this command has
  /// for itself.
  private func pin(_ stages: [FirstStage], _ console: Console) {
    for stage in stages where !stage.pin(for: "codes in \(TrainingOptions.absolute(out))") {
      console.warn(
        "\(stage.checkpointPath): cannot be marked as in use; if its training goes on, it may remove it "
          + "(--keep-checkpoints), and these codes cannot be decoded any more")
    }
  }

  private func summarize(
    _ outcome: EncodingOutcome, of plan: EncodingPlan, seconds: Double, _ console: Console
  ) {
    let new = plan.count - outcome.earlier
    let histogram = outcome.histogram
    let rate = new > 0 ? ", \(Progress.rate(Double(new) / max(seconds, 1e-3))) images/s" : ""
    let earlier = outcome.earlier > 0 ? " (\(outcome.earlier) by an earlier run)" : ""
    console.note(
      "encoded \(new) images\(earlier) in \(Progress.duration(seconds))\(rate); "
        + "\(histogram.used) of \(histogram.counts.count) codes used, perplexity "
        + String(format: "%.1f", histogram.perplexity))
  }
}
