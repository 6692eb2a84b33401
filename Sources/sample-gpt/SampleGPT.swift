// sample-gpt: pictures from a GPT and its VQGAN.
import ArgumentParser
import CommandSupport
import Images
import ModelCommands
import Models
import Shards
import TensorCore
import Training

@main
struct SampleGPT: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample-gpt",
    abstract: "Draws pictures from a trained GPT.",
    usage: """
      sample-gpt --gpt RUN --count 16 --out pictures
      sample-gpt --gpt RUN --from-image photo.png --half top --temperature 0.5,1,2 --out completed
      train-gpt ... | sample-gpt --count 16 --out pictures
      """,
    discussion: "Prints the path of every picture, then that of grid.png with all of them.",
    version: SuiteVersion.current)

  @OptionGroup(title: "Sampling") var options: SampleOptions
  @OptionGroup(title: "What is given") var given: GivenOptions
  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup var results: ResultOptions

  func execute() throws {
    let console = runtime.console
    let folder = try options.out.map {
      try OutputFolder($0) {
        [Self.grid, Self.objects].contains($0) || $0.hasPrefix("sample-") && $0.hasSuffix(".png")
      }
    }
    for path in [options.codesOut, options.animate] {
      if let path { try OutputFile.requireNew(path) }
    }
    let device = try runtime.startComputing(precision: options.precision)
    let sampler = try sampler(on: device)
    let wanted = options.seeds?.values.count ?? options.count
    let starts = try given.starts(
      sampler, end: options.first + (wanted ?? 16), shown: shownStarts, on: device)
    let isGiven = try given.isGiven(by: sampler)
    let count = wanted ?? (given.isAnything ? starts.count : 16)
    try sampler.requireMemory(
      forBatch: min(options.batchSize, count) * (options.guidance == 1 ? 1 : 2))
    let requests = { request($0, starts) }

    Interruption.install()
    let drawnCells = isGiven.map { $0.count { !$0 } } ?? sampler.grid.count
    let progress = Progress(
      "sampling", total: count * drawnCells * options.settings.count, unit: "tokens",
      console: console)
    let advance: (Int) throws -> Void = { tokens in
      progress.advance(by: tokens)
      try Interruption.throwIfRequested()
    }
    if let path = options.shardsOut {
      let shards = try SampleShards(
        sampler, options: options.settings[0].options, count: count,
        shardSize: options.shardSize, batchSize: options.batchSize,
        toolVersion: SuiteVersion.current,
        deciding: [
          "seed": "\(seed.seed)", "first": "\(options.first)",
          "seeds": options.seeds.map { "\($0.values)" } ?? "",
          "starts": SampleShards.digest(starts), "window_step": "\(options.windowStep)",
          "precision": options.precision.rawValue,
          "given": isGiven.map { "\($0.map { $0 ? 1 : 0 })" } ?? "",
        ]
      ).run(
        in: path, isGiven: isGiven, requests,
        found: { progress.advance(by: $0 * drawnCells) }, progress: advance)
      progress.finish()
      for (path, _) in shards { try results.writer.path(path) }
      return
    }
    guard let folder else { return }
    let album = Album(
      options: options, sampler: sampler, starts: starts, isGiven: isGiven, folder: folder,
      writer: results.writer)
    try album.draw(count: count, requests, advance)
    progress.finish()
  }

  /// The starts of those samples that stand on the sheet; of code shards there is none.
  private var shownStarts: ShownStarts {
    let columns = options.shardsOut == nil ? Album.columns : 0
    return ShownStarts(options.first..<options.first + columns)
  }

  private func sampler(on device: Device) throws -> PictureSampler {
    let gptPath = try pathOrPiped(options.gpt, option: "--gpt", console: runtime.console)
    let gpt = try SecondStage.load(gptPath, on: device)
    let vqganPath = options.vqgan ?? gpt.codes.vqgan
    guard !vqganPath.isEmpty else {
      throw ValidationError("Missing --vqgan: \(gptPath) does not say where its VQGAN is.")
    }
    if options.guidance != 1, gpt.condition?.nullToken == nil {
      throw ConditionError.noGuidance(path: gpt.path)
    }
    let vqgan = try FirstStage.load(vqganPath, on: device)
    var sampler = try PictureSampler(
      gpt, vqgan,
      grid: try options.grid(trained: gpt.trainedGrid, factor: vqgan.config.downsampling))
    sampler.caches = options.cache
    sampler.windowStep = options.windowStep
    let side = min(gpt.trainedGrid.height, gpt.trainedGrid.width)
    guard options.windowStep == 1 || options.windowStep <= side / 2 else {
      throw ValidationError(
        "--window-step must be at most half the trained side, \(side / 2), got \(options.windowStep)."
      )
    }
    return sampler
  }

  /// The sample at a place of the run.
  private func request(_ place: Int, _ starts: [SampleStart]) -> SampleRequest {
    let number = options.first + place
    let start = starts[number % starts.count]
    let random =
      options.seeds.map { SamplingTask.streams(seed: $0.values[place], 0..<1)[0] }
      ?? SamplingTask.streams(seed: seed.seed, number..<number + 1)[0]
    return SampleRequest(
      number: number, random: random, condition: start.condition, codes: start.codes)
  }

  static let grid = "grid.png"
  static let objects = "objects.png"
}
