// The comparison of two sets of images.
import Checkpoints
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
  /// Whether it needs features.
  package var needsFeatures: Bool { [.fid, .kid, .prdc, .is, .mind].contains(self) }
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
  package var seed: UInt64 = 0
  package var resamples = 0
  /// Where the candidate's moments are written to.
  package var statisticsPath: String?
  package let device: Device

  private static let batch = 8
  /// Below, the Fréchet distance of Inception's features is mostly bias.
  package static let fewImages = 2048

  package init(reference: EvaluationSide, candidate: EvaluationSide, on device: Device) {
    self.reference = reference
    self.candidate = candidate
    self.device = device
  }

  /// Images that are read in all, pairs counted again.
  package var work: Int {
    (extractor == nil ? 0 : reference.count + candidate.count) + (isPaired ? reference.count : 0)
  }

  /// Features of one side.
  ///
  /// - Throws: errors of reading, `EvaluationError.size`, `MetricsError.notFinite`.
  package func features(
    of side: EvaluationSide, progress: (_ images: Int) throws -> Void
  ) throws -> FeatureTable? {
    guard let extractor, side.count > 0 else { return nil }
    var table = FeatureTable(width: extractor.width)
    var size: (width: Int, height: Int)?
    for start in stride(from: 0, to: side.count, by: Self.batch) {
      let images = try side.images(start..<min(start + Self.batch, side.count))
      if extractor.source == .latents {
        for (offset, image) in images.enumerated() {
          let expected = size ?? (image.width, image.height)
          size = expected
          guard (image.width, image.height) == expected else {
            throw EvaluationError.size(
              path: side.path, image: start + offset, found: "\(image.width)×\(image.height)",
              expected: "\(expected.width)×\(expected.height) as the others: latents need one size")
          }
        }
        try extractor.requireSize(width: images[0].width, height: images[0].height, of: side.path)
      }
      table.append(try extractor.features(of: images))
      try progress(images.count)
    }
    if let image = table.firstNotFinite {
      throw MetricsError.notFinite(what: "\(side.path): the features of image \(image)")
    }
    return table
  }

  /// Takes all measures.
  ///
  /// - Parameter progress: called with images that are done since the last call, 0 between long
  ///   computations; what it throws ends the work.
  /// - Throws: as `features`, `EvaluationError`, `MetricsError`.
  package func run(progress: (_ images: Int) throws -> Void) throws -> EvaluationReport {
    var report = EvaluationReport()
    report.counts = (reference.count, candidate.count)
    if isPaired { try measurePairs(&report, progress) }
    if extractor != nil {
      let first = try features(of: reference, progress: progress)
      let second = try features(of: candidate, progress: progress)
      if let statisticsPath, let second {
        let moments = try FeatureMoments(second)
        try StatisticsFile(mean: moments.mean, covariance: moments.covariance.elements)
          .write(to: statisticsPath)
      }
      try measure(first, second, &report, progress)
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
    if report.values.isEmpty {
      throw EvaluationError.noMeasure(
        reason: "nothing to measure: give --features, --paired, or code shards")
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
    guard let sheetPath else { return }
    try candidate.closestPairs(found, in: training, pairs: Self.pairsOnSheet)?
      .writePNG(to: sheetPath)
    report.sheet = sheetPath
  }

  private func wants(_ measure: EvaluationMeasure) -> Bool { wanted?.contains(measure) ?? true }

  /// Measures that compare sets.
  private func measure(
    _ first: FeatureTable?, _ second: FeatureTable?, _ report: inout EvaluationReport,
    _ progress: (Int) throws -> Void
  ) throws {
    guard let extractor else { return }
    for (side, table) in [(reference, first), (candidate, second)] {
      if let statistics = side.statistics, statistics.mean.count != extractor.width {
        throw EvaluationError.width(
          path: side.path, found: statistics.mean.count, expected: extractor.width)
      }
      if let table, table.count > 1, (1..<table.count).allSatisfy({ table[$0] == table[0] }) {
        report.warnings.append("\(side.path): all images have the same features")
      }
    }
    var bootstrap = Bootstrap(resamples: resamples, seed: seed)
    /// Measures of statistics are left out with a warning, or an error where they are asked for.
    func attempt(_ measure: EvaluationMeasure, _ body: (FeatureTable, FeatureTable) throws -> Void)
      throws
    {
      guard wants(measure) else { return }
      guard let first, let second else {
        let problem = EvaluationError.statisticsAlone(
          path: first == nil ? reference.path : candidate.path, measures: measure.rawValue)
        if wanted != nil { throw problem }
        report.warnings.append("\(problem)")
        return
      }
      do {
        try body(first, second)
      } catch let error as MetricsError {
        if wanted != nil { throw error }
        report.warnings.append("\(error)")
      }
      try progress(0)
    }
    try attempt(.kid) { first, second in
      let kid = try KernelDistance(first, second, seed: seed) { try progress(0) }
      report.values.append(
        MeasuredValue(name: extractor.kidName, value: kid.mean, deviation: kid.deviation))
    }
    if wants(.fid) { try measureFrechet(first, second, extractor, &bootstrap, &report) }
    try attempt(.prdc) { first, second in
      let found = try PrecisionRecall(reference: first, candidate: second) { try progress(0) }
      for (name, value) in [
        ("precision", found.precision), ("recall", found.recall), ("density", found.density),
        ("coverage", found.coverage),
      ] { report.values.append(MeasuredValue(name: name, value: value)) }
    }
    if let second, let logits = extractor.logits(of: second) {
      try attempt(.is) { _, _ in
        let score = try InceptionScore(logits: logits, seed: seed)
        report.values.append(
          MeasuredValue(name: "is", value: score.mean, deviation: score.deviation))
      }
    }
    try attempt(.mind) { first, second in
      let mind = try SlicedDistance.between(first, second, seed: seed)
      report.values.append(MeasuredValue(name: "mind", value: mind))
    }
  }

  private func measureFrechet(
    _ first: FeatureTable?, _ second: FeatureTable?, _ extractor: FeatureExtractor,
    _ bootstrap: inout Bootstrap, _ report: inout EvaluationReport
  ) throws {
    var value = MeasuredValue(name: extractor.source.fidName, value: 0)
    if let first, let second {
      value = MeasuredValue(
        name: value.name, value: try FrechetDistance.between(first, second))
      if resamples > 0 {
        value.interval = try bootstrap.halfWidth(of: (first.count, second.count)) {
          try FrechetDistance.between(first.rows($0), second.rows($1))
        }
      }
    } else {
      let moments = try [(reference, first), (candidate, second)].map { side, table in
        try side.statistics ?? (try table.map { try FeatureMoments($0) })
          ?? FeatureMoments(FeatureTable(width: extractor.width))
      }
      value = MeasuredValue(
        name: value.name, value: try FrechetDistance.between(moments[0], moments[1]))
    }
    report.values.append(value)
    let fewest = [first, second].compactMap { $0?.count }.min() ?? .max
    if fewest < Self.fewImages {
      report.warnings.append(
        "\(fewest) images: \(value.name) is biased upwards below \(Self.fewImages); compare "
          + "\(extractor.kidName), or \(value.name) of as many images")
    }
  }

  /// Measures of pairs.
  private func measurePairs(
    _ report: inout EvaluationReport, _ progress: (Int) throws -> Void
  ) throws {
    guard reference.count == candidate.count, reference.count > 0 else {
      throw EvaluationError.counts(reference: reference.count, candidate: candidate.count)
    }
    var (psnr, ssim, uniform, lpips): ([Double], [Double], [Double], [Double]) = ([], [], [], [])
    for index in 0..<reference.count {
      let original = try reference.images(index..<index + 1)[0]
      let image = try candidate.images(index..<index + 1)[0]
      guard image.width == original.width, image.height == original.height else {
        throw EvaluationError.size(
          path: candidate.path, image: index, found: "\(image.width)×\(image.height)",
          expected: "\(original.width)×\(original.height), as its reference")
      }
      psnr.append(min(ImageQuality.psnr(image, original), ReconstructionMetrics.exact))
      if wants(.ssim) {
        if let value = ImageQuality.ssim(image, original) { ssim.append(value) }
        if let value = ImageQuality.uniformSSIM(image, original) { uniform.append(value) }
      }
      if let perceptual, wants(.lpips) {
        try perceptual.requireSize(
          width: image.width, height: image.height, of: reference.path, image: index)
        let tensors = [original, image].map {
          Tensor(pixels: $0.pixels, count: 1, height: $0.height, width: $0.width, on: device)
        }
        lpips += perceptual(tensors[0], tensors[1])
      }
      try progress(1)
    }
    var bootstrap = Bootstrap(resamples: resamples, seed: seed)
    for (name, values, measure) in [
      ("psnr", psnr, EvaluationMeasure.psnr), ("ssim", ssim, .ssim),
      ("ssim_uniform7", uniform, .ssim), ("lpips_\(perceptual?.trunk ?? "")", lpips, .lpips),
    ] where wants(measure) && !values.isEmpty {
      report.values.append(
        MeasuredValue(
          name: name, value: values.reduce(0, +) / Double(values.count),
          interval: resamples > 0 ? bootstrap.halfWidth(ofMean: values) : nil))
    }
  }
}
