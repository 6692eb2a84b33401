// The comparison of two sets of images.
import Checkpoints
import DurableFiles
import Images
import Metrics
import Models
import Shards
import TensorCore

/// What can be measured.
package enum EvaluationMeasure: String, CaseIterable, Sendable {
  case fid, kid, prdc, `is`, mind, codes, psnr, ssim, lpips

  /// Whether it compares image by image.
  package var isPaired: Bool { [.psnr, .ssim, .lpips].contains(self) }
  /// Whether it needs the features of a network; MIND takes pixels where there are none.
  package var needsFeatures: Bool { [.fid, .kid, .prdc, .is].contains(self) }
}

/// Compares a candidate's images with a reference's.
package struct Evaluation {
  package let reference: EvaluationSide
  package let candidate: EvaluationSide
  package var extractor: FeatureExtractor?
  package var perceptual: PerceptualMeasure?
  package var isPaired = false
  /// Asked for by name: what cannot be measured is then an error, not a warning.
  package var wanted: Set<EvaluationMeasure>?
  /// Codes of a training, of which the candidate's may be copies.
  package var training: CodeShardSet?
  /// Where the sheet of the samples that come nearest to it is written to.
  package var sheetPath: String?
  /// Where the list of all samples with the grids they come nearest to is written to.
  package var nearestPath: String?
  /// Whether the candidate's sprites are compared with those of the reference, recordings of a game.
  package var looksForSprites = false
  /// A colour that the player has alone; nil for the one that `SpriteAtlas` finds.
  package var player: SIMD3<Int32>?
  package var seed: UInt64 = 0
  package var resamples = 0
  /// Where the candidate's moments are written to.
  package var statisticsPath: String?
  /// What is written there as their tool, with its version.
  package var tool = ""
  package let device: Device

  private static let batch = 8
  /// Below, the Fréchet distance of Inception's features is mostly bias.
  package static let fewImages = 2048

  /// Whether MIND compares pixels: without features; beside pairs or sprites, or of codes that
  /// nothing decodes, only if it is named.
  package var comparesPixels: Bool {
    extractor == nil
      && (wanted?.contains(.mind)
        ?? !(isPaired || looksForSprites || reference.isUndecoded || candidate.isUndecoded))
  }

  package init(reference: EvaluationSide, candidate: EvaluationSide, on device: Device) {
    self.reference = reference
    self.candidate = candidate
    self.device = device
  }

  /// Images that are read in all, pairs counted again.
  package var work: Int {
    (extractor == nil && !comparesPixels ? 0 : reference.count + candidate.count)
      + (isPaired ? reference.count : 0)
      + (looksForSprites ? candidate.count : 0)
  }

  /// Features of one side, or the pixels that MIND compares.
  ///
  /// - Parameter sizes: of images, `16×12`, each once; latents of another size than the first one
  ///   are refused.
  /// - Throws: errors of reading, `EvaluationError.size`, `notFinite`.
  private func features(
    of side: EvaluationSide, sizes: inout [String], progress: (_ images: Int) throws -> Void
  ) throws -> FeatureTable? {
    guard extractor != nil || comparesPixels, side.count > 0 else { return nil }
    var table = FeatureTable(width: extractor?.width ?? PixelFeatures.width)
    for start in stride(from: 0, to: side.count, by: Self.batch) {
      let images = try side.images(start..<min(start + Self.batch, side.count))
      for (offset, image) in images.enumerated() {
        let size = "\(image.width)×\(image.height)"
        if sizes.contains(size) { continue }
        sizes.append(size)
        guard let extractor, extractor.source == .latents else { continue }
        guard sizes.count == 1 else {
          throw EvaluationError.size(
            path: side.path, image: start + offset, found: size,
            expected: "\(sizes[0]) as the others: latents need one size")
        }
        try extractor.requireSize(width: image.width, height: image.height, of: side.path)
      }
      table.append(try extractor?.features(of: images) ?? PixelFeatures.features(of: images))
      try progress(images.count)
    }
    if let image = table.firstNotFinite {
      throw EvaluationError.notFinite(
        what: "\(side.path): the features of image \(image)",
        weights: extractor.map { [$0.path] } ?? [])
    }
    return table
  }

  /// Writes the statistics of the reference's features, and measures nothing.
  ///
  /// - Throws: as `features`, `MetricsError.tooFew`, `EvaluationError.statisticsAlone`.
  package func saveReferenceStatistics(
    to path: String, progress: (_ images: Int) throws -> Void
  ) throws -> EvaluationReport {
    var sizes: [String] = []
    guard let extractor,
      let table = try features(of: reference, sizes: &sizes, progress: progress)
    else {
      throw EvaluationError.statisticsAlone(path: reference.path, measures: "--save-statistics")
    }
    var report = EvaluationReport()
    report.counts = (reference.count, 0)
    report.warnings = reference.warnings
    try statistics(of: table, by: extractor).write(to: path)
    report.statistics = path
    return report
  }

  private func statistics(
    of table: FeatureTable, by extractor: FeatureExtractor
  ) throws -> StatisticsFile {
    let moments = try FeatureMoments(table)
    return StatisticsFile(
      mean: moments.mean, covariance: moments.covariance.elements,
      origin: StatisticsOrigin(
        resize: extractor.convention, weights: extractor.digest, count: table.count, tool: tool))
  }

  /// Refuses statistics of other features, as far as their file tells.
  ///
  /// - Throws: `EvaluationError.width`, `otherStatistics`.
  private func requireStatistics(
    of side: EvaluationSide, from extractor: FeatureExtractor
  ) throws(EvaluationError) {
    guard let statistics = side.statistics else { return }
    guard statistics.mean.count == extractor.width else {
      throw .width(path: side.path, found: statistics.mean.count, expected: extractor.width)
    }
    guard let origin = statistics.origin else { return }
    let weights = origin.weights == extractor.olderDigest ? extractor.digest : origin.weights
    for (property, found, expected, option) in [
      ("resize", origin.resize, extractor.convention, "give --resize \(origin.resize)"),
      (
        "weights with SHA-256", weights, extractor.digest,
        "give --features with the weights that they were made with"
      ),
    ] where found != expected {
      throw .otherStatistics(
        path: side.path, property: property, found: found, expected: expected, option: option)
    }
  }

  /// Takes all measures.
  ///
  /// - Parameter progress: called with images that are done since the last call, 0 between long
  ///   computations; what it throws ends the work.
  /// - Throws: as `features`, `EvaluationError`, `MetricsError`.
  package func run(progress: (_ images: Int) throws -> Void) throws -> EvaluationReport {
    var report = EvaluationReport()
    report.counts = (reference.measured, candidate.measured)
    for side in [reference, candidate] {
      for warning in side.warnings { report.warn(warning) }
      if let extractor { try requireStatistics(of: side, from: extractor) }
      if side.isUndecoded, extractor == nil, wanted == nil, !isPaired, !looksForSprites {
        report.warn(
          "\(side.path): codes; \(PixelFeatures.mindName) is left out without the VQGAN that decodes "
            + "them, --vqgan RUN")
      }
    }
    if isPaired { try measurePairs(&report, progress) }
    if extractor != nil || comparesPixels {
      var sizes: [String] = []
      let first = try features(of: reference, sizes: &sizes, progress: progress)
      let second = try features(of: candidate, sizes: &sizes, progress: progress)
      if extractor == nil, sizes.count > 1 {
        report.warn(
          "\(PixelFeatures.mindName): images of \(sizes.count) sizes, such as \(sizes[0]) and "
            + "\(sizes[1]), are all made \(PixelFeatures.side)×\(PixelFeatures.side)")
      }
      if let statisticsPath, let second, let extractor {
        try statistics(of: second, by: extractor).write(to: statisticsPath)
      }
      try measureSets(first, second, &report, progress)
    }
    var haveCodes = false
    for (name, side) in [("reference", reference), ("candidate", candidate)] where wants(.codes) {
      guard let histogram = try side.codes() else { continue }
      haveCodes = true
      report.values += [
        MeasuredValue(name: "\(name)_codes_used", value: Double(histogram.used)),
        MeasuredValue(name: "\(name)_perplexity", value: histogram.perplexity),
        MeasuredValue(name: "\(name)_entropy_bits", value: histogram.entropy),
        MeasuredValue(
          name: "\(name)_codes_covering_99", value: Double(histogram.codes(covering: 0.99))),
      ]
    }
    if wanted?.contains(.codes) == true, !haveCodes {
      throw EvaluationError.noMeasure(
        reason: "--metrics codes: neither \(reference.path) nor \(candidate.path) holds codes")
    }
    if let training { try measureCopies(of: training, &report, progress) }
    if looksForSprites { try measureSprites(&report, progress) }
    if report.values.isEmpty {
      throw report.leftOut.first { $0 is MetricsError } ?? report.leftOut.first
        ?? EvaluationError.noMeasure(
          reason: "nothing to measure: give --features, --paired, --sprites, or code shards")
    }
    return report
  }

  /// Pairs on the sheet of copies.
  private static let pairsOnSheet = 16

  /// The fractions of verbatim copies and of 2×2 blocks that the training has nowhere, and the
  /// distance to the nearest training grid as a fraction of the codes: smallest and median.
  private func measureCopies(
    of training: CodeShardSet, _ report: inout EvaluationReport, _ progress: (Int) throws -> Void
  ) throws {
    guard let found = try candidate.nearestGrids(in: training, progress: progress) else {
      throw EvaluationError.notCodes(path: candidate.path)
    }
    let summary = CopySummary(found, positions: training.grid.count)
    report.values.append(MeasuredValue(name: "copies_verbatim", value: summary.verbatim))
    if let blocks = summary.newBlocks {
      report.values.append(MeasuredValue(name: "copies_new_blocks", value: blocks))
    }
    report.values += [
      MeasuredValue(name: "copies_distance_min", value: summary.quantiles[0]),
      MeasuredValue(name: "copies_distance_median", value: summary.quantiles[3]),
    ]
    if let nearestPath {
      try DurableFile.write(try candidate.lines(found), to: nearestPath)
      report.nearest = nearestPath
    }
    guard let sheetPath else { return }
    try candidate.closestPairs(found, in: training, pairs: Self.pairsOnSheet)?
      .writePNG(to: sheetPath)
    report.sheet = sheetPath
  }

  func wants(_ measure: EvaluationMeasure) -> Bool { wanted?.contains(measure) ?? true }
}
