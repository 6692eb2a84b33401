// sample-gpt: images from a GPT and its VQGAN.
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
    abstract: "Samples images from a trained GPT.",
    usage: """
      sample-gpt --gpt RUN --count 16 --out images
      sample-gpt --gpt RUN --from-image photo.png --half top --temperature 0.5,1,2 --out completed
      train-gpt ... | sample-gpt --count 16 --out images
      """,
    discussion: "Prints the path of every image, then that of grid.png with all of them.",
    version: SuiteVersion.ofModelCommand)

  @OptionGroup(title: "Sampling") var options: SampleOptions
  @OptionGroup(title: "What is given") var given: InputOptions
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
    let inputs = try given.inputs(of: sampler, on: device)
    let wanted = options.seeds?.values.count ?? options.count
    let end = options.first + (wanted ?? 16)
    let count = wanted ?? (given.isAnything ? inputs.count(below: end) : 16)
    try sampler.requireMemory(
      forBatch: min(options.batchSize, count) * (options.guidance == 1 ? 1 : 2))
    let sample = { position in try inputs.sample(options.first + position, random: random(position))
    }

    Interruption.install()
    let progress = Progress(
      "sampling", total: count * inputs.drawnCount * options.settings.count, unit: "tokens",
      console: console)
    let advance: (Int) throws -> Void = { tokens in
      progress.advance(by: tokens)
      try Interruption.throwIfRequested()
    }
    if let path = options.shardsOut {
      let job = try SampleShards(
        sampler, options: options.settings[0], count: count,
        shardSize: options.shardSize, batchSize: options.batchSize,
        toolVersion: SuiteVersion.current,
        deciding: [
          "seed": "\(seed.seed)", "first": "\(options.first)",
          "seeds": options.seeds.map { "\($0.values)" } ?? "",
          "starts": inputs.digest(below: end),
          "window_step": "\(options.windowStep)",
          "precision": options.precision.rawValue,
          "given": inputs.mask.map { "\($0.map { $0 ? 1 : 0 })" } ?? "",
        ])
      let shards = try Interruption.telling(
        console, "the same command continues at the first missing shard"
      ) {
        try job.run(
          in: path, sample, checking: ShardCheckConsole(console).show,
          found: { progress.advance(by: $0 * inputs.drawnCount) }, progress: advance)
      }
      progress.finish()
      for (path, _) in shards { try results.writer.path(path) }
      return
    }
    guard let folder else { return }
    try Interruption.telling(console, folder.hasResults ? "finished images stay" : nil) {
      try SampleWriter(
        options: options, sampler: sampler, inputs: inputs, folder: folder, writer: results.writer
      ).draw(count: count, sample, advance)
    }
    progress.finish()
  }

  private func sampler(on device: Device) throws -> ImageSampler {
    let gptPath = try pathOrPiped(options.gpt, option: "--gpt", console: runtime.console)
    let gpt = try SecondStage.load(gptPath, on: device)
    if options.guidance != 1, gpt.condition?.nullToken == nil {
      throw ConditionError.noGuidance(path: gpt.path)
    }
    let vqgan = try FirstStage.load(
      try options.vqgan ?? gpt.codes.storedVQGAN(of: gptPath, option: "--vqgan"), on: device)
    var grid = try options.grid(trained: gpt.codes.positions, factor: vqgan.config.downsampling)
    grid.width *= gpt.codes.depth
    let sampler = try ImageSampler(
      gpt, vqgan, grid: grid,
      caches: options.cache, windowStep: options.windowStep)
    let side = min(gpt.codes.positions.height, gpt.codes.positions.width)
    guard options.windowStep == 1 || options.windowStep <= side / 2 else {
      throw ValidationError(
        "--window-step must be at most half the trained side, \(side / 2), got \(options.windowStep)."
      )
    }
    return sampler
  }

  /// The random numbers of the sample at a position of the run.
  private func random(_ position: Int) -> RandomSource {
    if let seeds = options.seeds {
      return SamplingTask.streams(seed: seeds.values[position], 0..<1)[0]
    }
    let number = options.first + position
    return SamplingTask.streams(seed: seed.seed, number..<number + 1)[0]
  }

  static let grid = "grid.png"
  static let objects = "objects.png"
}
