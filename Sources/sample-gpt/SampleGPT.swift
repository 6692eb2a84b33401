// sample-gpt: pictures from a GPT and its VQGAN.
import ArgumentParser
import CommandSupport
import Images
import Shards
import TensorCore
import Training

@main
struct SampleGPT: SuiteCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample-gpt",
    abstract: "Draws pictures from a trained GPT.",
    usage: """
      sample-gpt --gpt RUN --count 16 --out pictures
      train-gpt ... | sample-gpt --count 16 --out pictures
      """,
    discussion: "Prints the path of every picture, then that of grid.png with all of them.",
    version: SuiteVersion.current)

  @OptionGroup(title: "Sampling") var options: SampleOptions
  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup var results: ResultOptions

  func execute() throws {
    let console = runtime.console
    let folder = try OutputFolder(options.out) { name in
      name == Self.grid || name.hasPrefix("sample-") && name.hasSuffix(".png")
    }
    if let path = options.codesOut { try OutputFile.requireNew(path) }
    let device = try RuntimeOptions.startComputing(
      threads: runtime.threadCount, engine: runtime.engine?.rawValue, precision: options.precision)
    let gptPath = try pathOrPiped(options.gpt, option: "--gpt", console: console)
    let gpt = try SecondStage.load(gptPath, on: device)
    let vqganPath = options.vqgan ?? gpt.codes.vqgan
    guard !vqganPath.isEmpty else {
      throw ValidationError("Missing --vqgan: \(gptPath) does not say where its VQGAN is.")
    }
    let sampler = try PictureSampler(
      gpt, try FirstStage.load(vqganPath, on: device), options: options.sampling, seed: seed.seed)
    try sampler.requireMemory(forBatch: min(options.batchSize, options.count))
    let shard = try options.codesOut.map {
      try CodeShardWriter($0, header: sampler.header(toolVersion: SuiteVersion.current))
    }

    Interruption.install()
    let progress = Progress(
      "sampling", total: options.count * sampler.codes.count, unit: "tokens", console: console)
    var sheet: [RGBImage] = []
    for start in stride(from: 0, to: options.count, by: options.batchSize) {
      let numbers = start..<min(start + options.batchSize, options.count)
      let samples = try sampler.samples(numbers) { tokens in
        progress.advance(by: tokens)
        try Interruption.throwIfRequested()
      }
      for (number, sample) in zip(numbers, samples) {
        let name = sampler.name(of: number)
        let path = folder("\(name).png")
        try sample.picture.writePNG(to: path)
        try results.writer.path(path)
        shard?.append(sample.codes, id: Int64(number), name: name)
        if sheet.count < Self.picturesOnSheet { sheet.append(sample.picture) }
      }
    }
    progress.finish()
    if let finished = try shard?.finish() { console.note("codes: \(finished.path)") }
    let grid = folder(Self.grid)
    let columns = Int(Double(sheet.count).squareRoot().rounded(.up))
    try ContactSheet(sheet, columns: columns).rendered().writePNG(to: grid)
    try results.writer.path(grid)
  }

  private static let grid = "grid.png"

  /// More would make a page that nobody can open.
  private static let picturesOnSheet = 256
}
