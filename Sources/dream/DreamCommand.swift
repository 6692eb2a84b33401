// dream: a world model goes on from recorded starts.
import ArgumentParser
import CommandSupport
import ModelCommands
import Models
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
      what was dreamt; with --evaluate the report card, and with --out those of its table and plot.
      """,
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Dreams") var options: DreamOptions
  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup var results: ResultOptions

  func execute() throws {
    let console = runtime.console
    let folder = try options.out.map {
      try OutputFolder($0) { [evaluates = options.evaluate] name in
        evaluates ? ReportCard.files.contains(name) : DreamWriter.isResult(name)
      }
    }
    if let path = options.y4m, path != "-" { try OutputFile.requireNew(path) }
    let device = try runtime.startComputing(precision: options.imagining.precision)
    let path = try pathOrPiped(options.imagining.world, option: "--world", console: console)
    let world = try WorldStage.load(path, on: device)
    let count = world.model.config.actions
    if let action = options.actions.unknown(of: count) {
      throw ValidationError(
        "--actions: \(action) is an action that \(path) does not know; it knows 0 to \(count - 1).")
    }
    let perceptual =
      options.lpips.isEmpty ? nil : try PerceptualMeasure(options.lpips, on: .default)
    let games = try RecordedGames(
      for: world, at: path, vqgan: options.imagining.vqgan, from: options.fromCodes,
      images: options.images,
      on: device, console: console)
    let dreamer = Dreamer(
      of: world.model, from: games.data, seed: seed.seed, batchSize: options.batchSize)
    try dreamer.requireMemory()
    let starts = try games.data.starts(
      options.evaluate ? options.starts : options.count, before: dreamer.given,
      behind: options.actions.actions == .recorded ? options.steps : 0, in: games.shards.paths[0])
    if options.evaluate {
      let (shards, factor) = (games.shards, games.vqgan.config.downsampling)
      try perceptual?.requireSize(
        width: factor * shards.grid.width, height: factor * shards.grid.height,
        of: shards.paths[0], image: 0)
      try ReportCard(
        options: options, world: world, dreamer: dreamer, recorded: games.recorded, codes: shards,
        perceptual: perceptual, folder: folder, writer: results.writer, console: console
      ).write(from: starts)
    } else {
      try Interruption.telling(console, folder?.hasResults == true ? "finished files stay" : nil) {
        try DreamWriter(
          options: options, world: world, games: games, folder: folder, writer: results.writer
        ).write(try dreams(dreamer, starts))
      }
    }
  }

  /// The dreams, and beside sampled ones greedy ones for the sheets.
  private func dreams(
    _ dreamer: Dreamer, _ starts: [Int]
  ) throws -> (own: [Dream], greedy: [Dream]) {
    let hasGreedy = options.imagining.greedy || options.out == nil
    let progress = Progress(
      "dreaming", total: starts.count * options.steps * (hasGreedy ? 1 : 2), unit: "images",
      console: runtime.console)
    func dreams(_ sampling: SamplingOptions) throws -> [Dream] {
      try dreamer.dreams(from: starts, steps: options.steps, options.actions.actions, sampling) {
        progress.advance(by: $0)
        try Interruption.throwIfRequested()
      }
    }
    let own = try dreams(options.imagining.sampling)
    let greedy = hasGreedy ? own : try dreams(SamplingOptions(isGreedy: true))
    progress.finish()
    return (own, greedy)
  }
}
