// Measures of one set of images against another.
import Metrics

extension Evaluation {
  /// Distances of sets; what cannot be measured is left out with a warning, or an error where it is
  /// asked for by name.
  ///
  /// - Parameters: first, second: features of reference and candidate, nil of statistics.
  /// - Throws: `EvaluationError`, `MetricsError`.
  func measureSets(
    _ first: FeatureTable?, _ second: FeatureTable?, _ report: inout EvaluationReport,
    _ progress: (Int) throws -> Void
  ) throws {
    for (side, table) in [(reference, first), (candidate, second)] {
      // Networks round the last images of a set differently, where they are fewer at once.
      if let table, table.count > 1, table.isConstant(within: extractor == nil ? 0 : 1e-4) {
        report.warn(
          "\(side.path): all images have the same \(extractor == nil ? "pixels" : "features")")
      }
    }
    if let extractor {
      try attempt(.kid, &report, progress) { report in
        let (first, second) = try both(first, second, for: .kid)
        let name = extractor.kidName
        let kid = try KernelDistance(first, second, seed: seed) { try progress(0) }
        let interval = try intervals([name], first, second, &report, progress) {
          [try KernelDistance.ofAll($0, $1)]
        }
        report.values.append(
          MeasuredValue(
            name: name, value: kid.mean, deviation: kid.deviation, interval: interval.first))
        for (text, subsets) in [("subset", kid.subsets), ("spread subset", kid.spread)]
        where text == "subset" || subsets != kid.subsets {
          report.definition += [
            ("\(name) \(text)s", .number(UInt64(subsets.count))),
            ("\(name) \(text) size", .number(UInt64(subsets.size))),
          ]
        }
      }
      try attempt(.fid, &report, progress) { report in
        try measureFrechet(first, second, extractor, &report, progress)
      }
      try attempt(.prdc, &report, progress) { report in
        let (first, second) = try both(first, second, for: .prdc)
        func values(_ first: FeatureTable, _ second: FeatureTable) throws -> [Double] {
          let found = try PrecisionRecall(reference: first, candidate: second) { try progress(0) }
          return [found.precision, found.recall, found.density, found.coverage]
        }
        let names = ["precision", "recall", "density", "coverage"]
        let found = try values(first, second)
        report.definition.append(("prdc k", .number(UInt64(PrecisionRecall.neighbour))))
        let intervals = try intervals(names, first, second, &report, progress, values)
        for (index, name) in names.enumerated() {
          report.values.append(
            MeasuredValue(
              name: name, value: found[index],
              interval: intervals.isEmpty ? nil : intervals[index]))
        }
      }
      if extractor.source.hasLogits {
        try attempt(.is, &report, progress) { report in
          guard let second, let logits = extractor.logits(of: second) else {
            throw EvaluationError.statisticsAlone(path: candidate.path, measures: "is")
          }
          let score = try InceptionScore(logits: logits, seed: seed)
          report.definition.append(("is splits", .number(UInt64(InceptionScore.splits))))
          var value = MeasuredValue(name: "is", value: score.mean, deviation: score.deviation)
          if resamples > 0 {
            var bootstrap = Bootstrap(resamples: resamples, seed: seed)
            value.interval = try bootstrap.halfWidth(of: logits.count) {
              try progress(0)
              return try InceptionScore(logits: logits.rows($0), seed: seed).mean
            }
          }
          report.values.append(value)
        }
      }
    }
    try attempt(.mind, &report, progress) { report in
      let (first, second) = try both(first, second, for: .mind)
      let name = extractor == nil ? PixelFeatures.mindName : "mind"
      let distance = try SlicedDistance.between(first, second, seed: seed)
      report.definition.append(("mind directions", .number(UInt64(SlicedDistance.directions))))
      if min(first.count, second.count) < 2 {
        report.warnings.append("\(name): 1 image on a side is no set; it tells little")
      }
      let interval = try intervals([name], first, second, &report, progress) {
        [try SlicedDistance.between($0, $1, seed: seed)]
      }
      report.values.append(
        MeasuredValue(name: name, value: distance, interval: interval.first))
    }
  }

  private func attempt(
    _ measure: EvaluationMeasure, _ report: inout EvaluationReport,
    _ progress: (Int) throws -> Void, _ body: (inout EvaluationReport) throws -> Void
  ) throws {
    guard wants(measure) else { return }
    do {
      try body(&report)
    } catch let error where wanted == nil && (error is MetricsError || error is EvaluationError) {
      report.warnings.append("\(error)")
      report.leftOut.append(error)
    }
    try progress(0)
  }

  /// The features of both sides.
  ///
  /// - Throws: `EvaluationError.statisticsAlone`, `statisticsWithoutFeatures` where one of them has
  ///   none.
  private func both(
    _ first: FeatureTable?, _ second: FeatureTable?, for measure: EvaluationMeasure
  ) throws(EvaluationError) -> (FeatureTable, FeatureTable) {
    guard let first, let second else {
      let path = first == nil ? reference.path : candidate.path
      throw extractor == nil
        ? .statisticsWithoutFeatures(path: path, measures: measure.rawValue)
        : .statisticsAlone(path: path, measures: measure.rawValue)
    }
    return (first, second)
  }

  /// Half the widths of the intervals of measures; none without resamples and, with a warning,
  /// where subsets have too few images.
  private func intervals(
    _ names: [String], _ first: FeatureTable, _ second: FeatureTable,
    _ report: inout EvaluationReport, _ progress: (Int) throws -> Void,
    _ measures: (FeatureTable, FeatureTable) throws -> [Double]
  ) throws -> [Double] {
    guard resamples > 0 else { return [] }
    var bootstrap = Bootstrap(resamples: resamples, seed: seed)
    do {
      return try bootstrap.halfWidths(of: (first.count, second.count)) {
        try progress(0)
        return try measures(first.rows($0), second.rows($1))
      }
    } catch let error as MetricsError {
      report.warnings.append(
        "\(names.joined(separator: ", ")): no interval, of halves of the images: \(error)")
      return []
    }
  }

  private func measureFrechet(
    _ first: FeatureTable?, _ second: FeatureTable?, _ extractor: FeatureExtractor,
    _ report: inout EvaluationReport, _ progress: (Int) throws -> Void
  ) throws {
    let name = extractor.source.fidName
    var value = MeasuredValue(name: name, value: 0)
    if let first, let second {
      value = MeasuredValue(name: name, value: try FrechetDistance.between(first, second))
      value.interval = try intervals([name], first, second, &report, progress) {
        [try FrechetDistance.between($0, $1)]
      }.first
    } else {
      let moments = try [(reference, first), (candidate, second)].map { side, table in
        try side.moments ?? (try table.map { try FeatureMoments($0) })
          ?? FeatureMoments(FeatureTable(width: extractor.width))
      }
      value = MeasuredValue(name: name, value: try FrechetDistance.between(moments[0], moments[1]))
      if resamples > 0 {
        report.warnings.append("\(name): no interval, statistics have no images to resample")
      }
    }
    report.values.append(value)
    let known = [reference, candidate].map(\.measured).filter { $0 > 0 }
    if let fewest = known.min(), fewest < Self.fewImages {
      report.warnings.append(
        "\(fewest) images: \(name) is biased upwards below \(Self.fewImages); compare "
          + "\(extractor.kidName), or \(name) of as many images")
    }
  }
}
