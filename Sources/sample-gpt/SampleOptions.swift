// The options of sample-gpt.
import ArgumentParser
import CommandSupport
import Ingest
import Models
import TensorCore
import Training

/// How `sample-gpt` samples.
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

  @Option(help: "Images to sample; of several images or labels one each (default: 16).")
  var count: Int?

  @Option(help: "Number of the first image; image i of a seed is always the same.")
  var first = 0

  @Option(help: "A seed for each image, in place of --seed and --count.")
  var seeds: NumberList<UInt64>?

  @Option(help: "Divides the logits; below 1 is more certain. Several make a sheet.")
  var temperature = NumberList<Double>([1])

  @Option(help: "Sample among the k most probable codes only. Several make a sheet.")
  var topK: NumberList<Int>?

  @Option(help: "Sample among the most probable codes up to this fraction of the probability only.")
  var topP: Double?

  @Flag(help: "Always take the most probable code; every image is then the same.")
  var greedy = false

  @Option(help: "How much more than in training the condition counts; 1 is as in training.")
  var guidance: Double = 1

  @Option(
    help: ArgumentHelp(
      "Pixels of an image, such as 512x256; the trained size if left out.", valueName: "size"),
    transform: ImageSize.init(argument:))
  var size: ImageSize?

  @Option(help: "The trained size times this, or --size times this.") var scale: Double = 1

  @Option(help: "Codes by which the window moves at once in images larger than the trained size.")
  var windowStep = 1

  @Option(
    help: ArgumentHelp(
      "How the weights of linear layers are read: float32, bf16, or int8; fewer bits are faster.",
      valueName: "precision"))
  var precision = Precision.float32

  @Option(help: "Images sampled at once; changes what they show by rounding at most.")
  var batchSize = 16

  @Flag(
    inversion: .prefixedNo,
    help:
      "Use a KV cache: in float32 the same codes, several times faster."
  )
  var cache = true

  @Option(help: ArgumentHelp("Folder for the images; made when missing.", valueName: "folder"))
  var out: String?

  @Option(help: ArgumentHelp("New code shard to write the codes to as well.", valueName: "file"))
  var codesOut: String?

  @Option(
    help: ArgumentHelp(
      "Folder of code shards in place of images; the same command again continues.",
      valueName: "folder"))
  var shardsOut: String?

  @Option(help: "Samples of a shard of --shards-out.") var shardSize = 2048

  @Option(
    help: ArgumentHelp(
      "New animated PNG of the first images filling up.", valueName: "file"))
  var animate: String?

  func validate() throws {
    let counts = [
      ("--count", count ?? 1), ("--batch-size", batchSize), ("--shard-size", shardSize),
      ("--window-step", windowStep),
    ]
    for (name, value) in counts + (topK?.values ?? []).map({ ("--top-k", $0) })
    where !(1...10_000_000).contains(value) {
      throw ValidationError("\(name) must be in 1...10000000, got \(value).")
    }
    guard (0...1_000_000_000).contains(first) else {
      throw ValidationError("--first must be in 0...1000000000, got \(first).")
    }
    for temperature in temperature.values where !(temperature > 0 && temperature.isFinite) {
      throw ValidationError(
        "--temperature must be above 0, got \(temperature); use --greedy for no randomness.")
    }
    if let codesOut, !codesOut.hasSuffix(".h5") {
      throw ValidationError("--codes-out is a code shard; its name ends in .h5, got \(codesOut).")
    }
    if let topP, !(topP > 0 && topP <= 1) {
      throw ValidationError("--top-p must be above 0 and at most 1, got \(topP).")
    }
    guard guidance >= 0, guidance.isFinite else {
      throw ValidationError("--guidance must not be negative, got \(guidance).")
    }
    guard scale > 0, scale <= 64 else {
      throw ValidationError("--scale must be above 0 and at most 64, got \(scale).")
    }
    let names = settings.map(\.suffix)
    guard Set(names).count == names.count else {
      throw ValidationError("--temperature and --top-k name the same setting twice.")
    }
    if seeds != nil, count != nil {
      throw ValidationError(
        "--seeds and --count exclude each other: there is an image for each seed.")
    }
    try validateOutputs()
  }

  private func validateOutputs() throws {
    guard shardsOut == nil else {
      guard out == nil, codesOut == nil, animate == nil, settings.count == 1 else {
        throw ValidationError(
          "--shards-out writes codes alone: leave --out, --codes-out and --animate away and give one "
            + "--temperature and --top-k.")
      }
      return
    }
    guard out != nil else {
      throw ValidationError("Missing --out: name a folder for the images.")
    }
    if let animate, !animate.hasSuffix(".png") {
      throw ValidationError("--animate is an animated PNG; its name ends in .png, got \(animate).")
    }
  }

  /// Every temperature with every k.
  var settings: [SamplingOptions] {
    temperature.values.flatMap { temperature in
      (topK?.values.map { Optional($0) } ?? [nil]).map { topK in
        SamplingOptions(
          temperature: temperature, topK: topK, topP: topP, isGreedy: greedy, guidance: guidance)
      }
    }
  }

  /// The grid that the options ask for.
  ///
  /// - Parameter factor: pixels per code along one side.
  func grid(trained: GridSize, factor: Int) throws -> GridSize {
    func codes(_ pixels: Int) throws -> Int {
      let scaled = (Double(pixels) * scale / Double(factor)).rounded()
      guard scaled >= 1, scaled <= 4096 else {
        throw ValidationError(
          "\(pixels) pixels times \(scale) are \(scaled) codes, expected 1...4096.")
      }
      return Int(scaled)
    }
    if let size, scale == 1, size.width % factor != 0 || size.height % factor != 0 {
      throw ValidationError("--size \(size): this VQGAN needs multiples of \(factor) pixels.")
    }
    return GridSize(
      height: try codes(size?.height ?? trained.height * factor),
      width: try codes(size?.width ?? trained.width * factor))
  }
}

/// Of one row of a sheet.
extension SamplingOptions {
  /// For people.
  var label: String { "T \(temperature.formatted)" + (topK.map { " k \($0)" } ?? "") }

  /// For names of files.
  var suffix: String { "-T\(temperature.formatted)" + (topK.map { "-k\($0)" } ?? "") }
}

extension Double {
  /// Without `.0`.
  fileprivate var formatted: String {
    self == rounded() && abs(self) < 1e9 ? "\(Int(self))" : "\(self)"
  }
}
