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
      """,
    discussion: """
      Either side is an image shard, a folder of shards or of PNG and JPEG files, code shards \
      (decoded by --vqgan), or a .npz of mu and sigma. Prints one line: the measures, then \
      everything that defines them.
      """,
    version: SuiteVersion.ofModelCommand)

  @Argument(help: "What is true: shards, a folder of images, codes, or statistics.")
  var reference: String
  @Argument(help: "What is measured against it.") var candidate: String

  @Option(help: ArgumentHelp("VQGAN of code shards and of latents.", valueName: "path"))
  var vqgan: String?

  @Option(
    help: ArgumentHelp(
      "What distances are measured on: inception=FILE, lite0=FILE, latents or none.",
      valueName: "kind"))
  var features = "none"

  @Option(
    help: """
      How images come to the size of the network: that of TTUR, ADM and torch-fidelity; of \
      pytorch-fid; of clean-fid.
      """
  )
  var resize = FeatureResize.tf

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
      "Resampled sets for 95 % intervals; 0 for none.",
      valueName: "sets"))
  var bootstrap = 0

  @Option(
    help: ArgumentHelp("Write the candidate's mu and sigma here too.", valueName: "file.npz"))
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
    guard (0...10_000).contains(bootstrap) else {
      throw ValidationError("--bootstrap must be in 0...10000, got \(bootstrap).")
    }
    guard lpips.count <= 2 else { throw ValidationError("--lpips takes one file or two.") }
    if !lpips.isEmpty && !paired { throw ValidationError("--lpips needs --paired.") }
    if saveStatistics != nil, try source() == nil {
      throw ValidationError("--save-statistics needs --features.")
    }
    if sheet != nil, copies == nil { throw ValidationError("--sheet needs --copies.") }
    if playerColour != nil, !sprites {
      throw ValidationError("--player-colour needs --sprites.")
    }
    guard sheet?.hasSuffix(".png") ?? true else {
      throw ValidationError("--sheet: name a file that ends with .png.")
    }
    guard saveStatistics?.hasSuffix(".npz") ?? true else {
      throw ValidationError("--save-statistics: name a file that ends with .npz.")
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
    for path in [sheet, saveStatistics].compactMap(\.self) { try OutputFile.requireNew(path) }
    if let saveStatistics { try OutputFile.watchFolder(of: saveStatistics) }
    let device = try runtime.startComputing()
    let stage = try vqgan.map { try FirstStage.load($0, on: device) }
    let sides = try [reference, candidate].map {
      try EvaluationSide($0, count: count, stage: stage, reading: photos.reading)
    }
    var evaluation = Evaluation(reference: sides[0], candidate: sides[1], on: device)
    evaluation.extractor = try source().map {
      try FeatureExtractor($0, stage: stage, resize: resize, on: device)
    }
    if !lpips.isEmpty { evaluation.perceptual = try PerceptualMeasure(lpips, on: device) }
    evaluation.isPaired = paired
    evaluation.wanted = try measures()
    evaluation.training = try copies.map { path in
      try CodeShardSet(try InputPaths.shards([path]))
    }
    evaluation.sheetPath = sheet
    (evaluation.looksForSprites, evaluation.player) = (sprites, playerColour?.colour)
    (evaluation.seed, evaluation.resamples) = (seed.seed, bootstrap)
    evaluation.statisticsPath = saveStatistics
    Interruption.install()
    let progress = Progress("evaluating", total: evaluation.work, unit: "images", console: console)
    var report = try evaluation.run { images in
      progress.advance(by: images)
      try Interruption.throwIfRequested()
    }
    progress.finish()
    report.definition = definition(evaluation, report.definition, decodedBy: stage)
    if let player = report.player { report.definition.append(("player", .text(player))) }
    for warning in report.warnings { console.warn(warning) }
    try results.writer.write(report, text: report.text)
  }

  /// What two numbers must have in common to be compared.
  ///
  /// - Parameter measured: what the measures add to it.
  private func definition(
    _ evaluation: Evaluation, _ measured: [(key: String, value: DefinitionValue)],
    decodedBy stage: FirstStage?
  ) -> [(key: String, value: DefinitionValue)] {
    func side(_ side: EvaluationSide) -> DefinitionValue {
      .text(
        side.count > 0
          ? "\(side.count) from \(side.kind) \(side.path)" : "\(side.kind) \(side.path)")
    }
    var items: [(String, DefinitionValue)] = [
      ("tool", .text("swift-vqgan evaluate \(SuiteVersion.current)"))
    ]
    if let extractor = evaluation.extractor {
      items.append(("features", .text(String(features.prefix { $0 != "=" }))))
      items.append(("weights sha256", .text(extractor.digest)))
      if extractor.source != .latents { items.append(("resize", .text(resize.rawValue))) }
    } else if evaluation.comparesPixels {
      items.append(("features", .text("pixels \(PixelFeatures.side)×\(PixelFeatures.side)")))
      items.append(("resize", .text(PixelFeatures.resize.rawValue)))
    }
    if let perceptual = evaluation.perceptual {
      items.append(("lpips trunk", .text(perceptual.trunk)))
      items.append(("lpips sha256", .text(perceptual.digests.joined(separator: " "))))
    }
    if let stage { items.append(("vqgan sha256", .text(stage.fingerprint))) }
    items += measured
    if bootstrap > 0 { items.append(("bootstrap", .number(UInt64(bootstrap)))) }
    items.append(("reference", side(evaluation.reference)))
    items.append(("candidate", side(evaluation.candidate)))
    if let training = evaluation.training, let copies {
      items.append(("copies of", .text("\(training.count) grids of \(copies)")))
    }
    items.append(("seed", .number(seed.seed)))
    return items
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
