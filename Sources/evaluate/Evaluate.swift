// evaluate: how near a set of images comes to another.
import ArgumentParser
import CommandSupport
import DurableFiles
import Images
import Ingest
import Metrics
import ModelCommands
import Shards
import TensorCore
import Training

@main
struct Evaluate: ModelCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Measures how near a set of images comes to a reference.",
    usage: """
      evaluate REFERENCE CANDIDATE --features inception=FILE [--resize tf|torch|clean] [--json]
      evaluate REFERENCE CANDIDATE --paired [--lpips FILE]
      evaluate REFERENCE CODES --vqgan RUN [--features latents] [--sprites]
      evaluate REFERENCE --features inception=FILE --save-statistics FILE.npz
      """,
    discussion: """
      Either side is an image shard, a folder of shards or of PNG and JPEG files, code shards \
      (decoded by --vqgan), or a .npz of mu and sigma. Prints one line: the measures, then \
      everything that defines them.
      """,
    version: SuiteVersion.ofModelCommand)

  @Argument(help: "What is true: shards, a folder of images, codes, or statistics.")
  var reference: String
  @Argument(help: "What is measured against it; none to save the statistics of REFERENCE.")
  var candidate: String?

  @Option(help: ArgumentHelp("VQGAN of code shards and of latents.", valueName: "path"))
  var vqgan: String?

  @Option(
    help: ArgumentHelp(
      "What distances are measured on: inception=FILE, lite0=FILE, latents or none.",
      valueName: "kind"))
  var features = "none"

  @Option(
    help: """
      How images come to the size of the network: as in TTUR, ADM and torch-fidelity; in \
      pytorch-fid; in clean-fid (default: tf).
      """
  )
  var resize: FeatureResize?

  @Option(
    help: ArgumentHelp(
      "Measures, with commas: fid, kid, prdc, is, mind, codes, psnr, ssim, lpips; all that can be "
        + "taken if left out.",
      valueName: "list"))
  var metrics: String?

  @Flag(help: "Images pair up row by row: PSNR, SSIM and, with --lpips, LPIPS too.")
  var paired = false

  @Option(
    help: ArgumentHelp(
      "LPIPS: one file of VGG16 and heads, or twice: AlexNet or SqueezeNet, and the heads.",
      valueName: "file"))
  var lpips: [String] = []

  @Option(
    help: ArgumentHelp(
      "Codes that a model was trained on: how near the candidate's codes come to them.",
      valueName: "codes"))
  var copies: String?

  @Option(
    help: ArgumentHelp(
      "Write the samples that come nearest to --copies, each beside its training image.",
      valueName: "file.png"))
  var sheet: String?

  @Option(
    help: ArgumentHelp(
      "Write a line for every sample: the row of --copies it comes nearest to, and how near.",
      valueName: "file.jsonl"))
  var nearest: String?

  @Flag(help: "Compare the sprites of samples with those of the recorded frames of REFERENCE.")
  var sprites = false

  @Option(
    help: ArgumentHelp(
      "A colour that only the player has, such as c84848; found by --sprites if left out.",
      valueName: "rrggbb"))
  var playerColour: HexColour?

  @Option(
    help: ArgumentHelp("Images of each side, spread evenly; all if left out.", valueName: "images"))
  var count: Int?

  @Option(
    help: ArgumentHelp(
      "Resampled sets for 95 % intervals, at least 2; 0 for none.",
      valueName: "sets"))
  var bootstrap = 0

  @Option(
    help: ArgumentHelp(
      "Write the candidate's mu and sigma here too, with what they were made by.",
      valueName: "file.npz"))
  var saveStatistics: String?

  @OptionGroup(title: "Input") var photos: PhotoOptions
  @OptionGroup var seed: SeedOption
  @OptionGroup(title: "Runtime") var runtime: RuntimeOptions
  @OptionGroup var results: ResultOptions

  func validate() throws {
    _ = try source()
    _ = try measures()
    if let count, !(1...10_000_000).contains(count) {
      throw ValidationError("--count must be in 1...10000000, got \(count).")
    }
    guard bootstrap == 0 || (2...10_000).contains(bootstrap) else {
      throw ValidationError(
        "--bootstrap must be 0 or in 2...10000, got \(bootstrap): one set has no deviation.")
    }
    guard lpips.count <= 2 else { throw ValidationError("--lpips takes one file or two.") }
    if !lpips.isEmpty && !paired { throw ValidationError("--lpips needs --paired.") }
    if saveStatistics != nil, try source() == nil {
      throw ValidationError("--save-statistics needs --features.")
    }
    if resize != nil, try source().map({ $0 == .latents }) ?? true {
      throw ValidationError(
        "--resize goes with --features inception=FILE or lite0=FILE: others take images as they "
          + "are, or have a size of their own.")
    }
    try requireCandidate()
    for (option, value) in [("--sheet", sheet), ("--nearest", nearest)]
    where value != nil && copies == nil { throw ValidationError("\(option) needs --copies.") }
    if playerColour != nil, !sprites {
      throw ValidationError("--player-colour needs --sprites.")
    }
    guard sheet?.hasSuffix(".png") ?? true else {
      throw ValidationError("--sheet: name a file that ends with .png.")
    }
    if sheet != nil, vqgan == nil {
      throw ValidationError("--sheet needs --vqgan, which decodes the codes.")
    }
    guard saveStatistics?.hasSuffix(".npz") ?? true else {
      throw ValidationError("--save-statistics: name a file that ends with .npz.")
    }
  }

  /// Throws where there is no candidate but for statistics, or none whose statistics could be
  /// saved.
  private func requireCandidate() throws {
    let saved = candidate ?? reference
    if saveStatistics != nil, saved.hasSuffix(".npz"), !DurableFile.isFolder(saved) {
      throw ValidationError(
        "--save-statistics: \(saved) holds statistics already; name images or codes"
          + (candidate == nil ? "." : " as the candidate, or REFERENCE alone."))
    }
    guard candidate == nil else { return }
    guard saveStatistics != nil else {
      throw ValidationError(
        "Name a candidate, or --save-statistics to keep those of \(reference) alone.")
    }
    if paired || sprites || copies != nil || metrics != nil || bootstrap > 0 {
      throw ValidationError(
        "Without a candidate nothing is measured: --save-statistics takes no --metrics, --paired, "
          + "--sprites, --copies or --bootstrap.")
    }
  }

  private func source() throws -> FeatureSource? {
    if features == "none" { return nil }
    guard let source = FeatureSource(features) else {
      throw ValidationError(
        "--features must be inception=FILE, lite0=FILE, latents or none, got '\(features)'.")
    }
    return source
  }

  private func measures() throws -> Set<EvaluationMeasure>? {
    guard let metrics else { return nil }
    return Set(
      try metrics.split(separator: ",").map { name in
        guard let measure = EvaluationMeasure(rawValue: String(name)) else {
          let known = EvaluationMeasure.allCases.map(\.rawValue).joined(separator: ", ")
          throw ValidationError("--metrics: '\(name)' is none of \(known).")
        }
        if measure.isPaired, !paired { throw ValidationError("--metrics \(name) needs --paired.") }
        if measure == .lpips, lpips.isEmpty {
          throw ValidationError("--metrics lpips needs --lpips.")
        }
        if measure.needsFeatures, try source() == nil {
          throw ValidationError("--metrics \(name) needs --features.")
        }
        if measure == .is, try source()?.hasLogits == false {
          throw ValidationError(
            "--metrics is needs --features inception=FILE: others have no logits.")
        }
        return measure
      })
  }

  func execute() throws {
    let console = runtime.console
    for path in [sheet, nearest, saveStatistics].compactMap(\.self) {
      try OutputFile.requireNew(path)
    }
    for path in [nearest, saveStatistics].compactMap(\.self) {
      try OutputFile.watchFolder(of: path)
    }
    let device = try runtime.startComputing()
    let stage = try vqgan.map { try FirstStage.load($0, on: device) }
    let sides = try [reference, candidate].compactMap(\.self).map {
      try EvaluationSide($0, count: count, stage: stage, reading: photos.reading)
    }
    var evaluation = Evaluation(
      reference: sides[0], candidate: sides[sides.count - 1], on: device)
    evaluation.extractor = try source().map {
      try FeatureExtractor($0, stage: stage, resize: resize ?? .tf, on: device)
    }
    if !lpips.isEmpty { evaluation.perceptual = try PerceptualMeasure(lpips, on: device) }
    evaluation.isPaired = paired
    evaluation.wanted = try measures()
    evaluation.training = try copies.map { path in
      try CodeShardSet(try InputPaths.shards([path]))
    }
    (evaluation.sheetPath, evaluation.nearestPath) = (sheet, nearest)
    (evaluation.looksForSprites, evaluation.player) = (sprites, playerColour?.colour)
    (evaluation.seed, evaluation.resamples) = (seed.seed, bootstrap)
    (evaluation.statisticsPath, evaluation.tool) = (saveStatistics, Self.tool)
    Interruption.install()
    let progress = Progress(
      "evaluating", total: candidate == nil ? sides[0].count : evaluation.work, unit: "images",
      console: console)
    func advance(by images: Int) throws {
      progress.advance(by: images)
      try Interruption.throwIfRequested()
    }
    var report =
      if candidate == nil, let saveStatistics {
        try evaluation.saveReferenceStatistics(to: saveStatistics, progress: advance)
      } else {
        try evaluation.run(progress: advance)
      }
    progress.finish()
    report.definition = definition(evaluation, report, decodedBy: stage)
    if let player = report.player { report.definition.append(("player", .text(player))) }
    for warning in report.warnings { console.warn(warning) }
    try results.writer.write(report, text: report.text)
  }
}

/// A colour as its six digits.
struct HexColour: ExpressibleByArgument {
  let colour: SIMD3<Int32>

  init?(argument: String) {
    guard argument.utf8.count == 6, argument.allSatisfy(\.isHexDigit),
      let value = Int32(argument, radix: 16)
    else { return nil }
    colour = SIMD3(value >> 16, value >> 8 & 255, value & 255)
  }
}

extension FeatureResize: ExpressibleByArgument {}
