// dream: a world model goes on from recorded starts.
import ArgumentParser
import CommandSupport
import ModelCommands
import Models
import Shards
import TensorCore
import Training

@main
struct DreamCommand: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "dream",
    abstract: "Lets a world model go on from recorded starts, or examines it.",
    usage: """
      dream --world RUN --from-codes CODES... --steps 32 --count 8 --out DREAMS
      dream --world RUN --from-codes CODES... --actions hold:RIGHT --y4m - | ffmpeg -i - dreams.mp4
      dream --world RUN --from-codes CODES... --images SHARDS... --evaluate
      """,
    discussion: """
      Prints the paths of an animation and a sheet of every dream, and that of a code shard with \
      what was dreamt; with --evaluate the report card.
      """,
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Dreams") var options: DreamOptions
  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup var results: ResultOptions

  func execute() throws {
    let console = runtime.console
    let folder = try options.out.map {
      try OutputFolder($0) { name in
        name == DreamWriter.shard
          || (name.hasPrefix("dream-") || name.hasPrefix("sheet-")) && name.hasSuffix(".png")
      }
    }
    if let path = options.y4m, path != "-" { try OutputFile.requireNew(path) }
    let device = try runtime.startComputing(precision: options.precision)
    let path = try pathOrPiped(options.world, option: "--world", console: console)
    let world = try WorldStage.load(path, on: device)
    let count = world.model.config.actions
    if let action = options.actions.unknown(of: count) {
      throw ValidationError(
        "--actions: \(action) is an action that \(path) does not know; it knows 0 to \(count - 1).")
    }
    let vqgan = try FirstStage.load(
      try options.vqgan ?? world.codes.storedVQGAN(of: path, option: "--vqgan"), on: device)
    try vqgan.requireCodes(world.codes, of: path)
    try vqgan.requireColourImages()
    let shards = try CodeShardSet(try InputPaths.shards(options.fromCodes))
    try world.codes.require(shards.grid, of: shards.paths[0], for: path)
    Interruption.install()
    let reading = Progress("reading codes", total: shards.count, unit: "grids", console: console)
    let data = try WorldData(
      shards, segment: 2 * world.model.config.context, actionsBelow: count
    ) {
      reading.advance()
      try Interruption.throwIfRequested()
    }
    reading.finish()
    let images =
      options.images.isEmpty
      ? nil : try ImageShardSet(try InputPaths.shards(options.images))
    let recorded = try RecordedImages(of: data, codes: shards, images: images, decodedBy: vqgan)
    let dreamer = Dreamer(
      of: world.model, from: data, seed: seed.seed, batchSize: options.batchSize)
    try dreamer.requireMemory()
    let starts = try data.starts(
      options.evaluate ? options.starts : options.count, before: dreamer.given,
      behind: options.actions.actions == .recorded ? options.steps : 0, in: shards.paths[0])
    if options.evaluate {
      try evaluate(dreamer, recorded, starts)
    } else {
      try Interruption.telling(console, folder?.hasResults == true ? "finished files stay" : nil) {
        try DreamWriter(
          options: options, world: world, vqgan: vqgan, recorded: recorded, folder: folder,
          writer: results.writer
        ).write(try dreams(dreamer, starts))
      }
    }
  }

  /// The dreams, and beside sampled ones greedy ones for the sheets.
  private func dreams(
    _ dreamer: Dreamer, _ starts: [Int]
  ) throws -> (own: [Dream], greedy: [Dream]) {
    let hasGreedy = options.greedy || options.out == nil
    let progress = Progress(
      "dreaming", total: starts.count * options.steps * (hasGreedy ? 1 : 2), unit: "images",
      console: runtime.console)
    func dreams(_ sampling: SamplingOptions) throws -> [Dream] {
      try dreamer.dreams(from: starts, steps: options.steps, options.actions.actions, sampling) {
        progress.advance(by: $0)
        try Interruption.throwIfRequested()
      }
    }
    let own = try dreams(options.sampling)
    let greedy = hasGreedy ? own : try dreams(SamplingOptions(isGreedy: true))
    progress.finish()
    return (own, greedy)
  }

  private func evaluate(
    _ dreamer: Dreamer, _ recorded: RecordedImages, _ starts: [Int]
  ) throws {
    let exam = DreamExam(
      dreamer, recorded: recorded, steps: options.steps, options: options.sampling,
      batchSize: options.batchSize)
    let progress = Progress(
      "dreaming", total: exam.work(starts: starts.count), unit: "images", console: runtime.console)
    let report = try exam.report(starts: starts, sequences: Self.sequences) {
      progress.advance(by: $0)
      try Interruption.throwIfRequested()
    }
    progress.finish()
    try results.writer.write(report, text: report.text)
  }

  /// What is said of one step is over at most so many sequences.
  private static let sequences = 1024
}
