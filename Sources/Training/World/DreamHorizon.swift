// How near dreams are to what was recorded, at one distance from their starts.
import Foundation
import Images
import Metrics

/// How near some images come to those that were recorded.
package struct Nearness: Equatable, Sendable {
  /// dB, of the mean squared error over all images.
  package let psnr: Double
  /// dB: a tenth, half and nine tenths of the images have less.
  package let psnrLow, psnrMedian, psnrHigh: Double
  /// Means; nil for images that are too small, or without LPIPS.
  package let ssim: Double?
  package let lpips: Double?

  /// What an exact copy counts as is `ReconstructionMetrics.exact`.
  package init(psnrs: [Double], ssims: [Double], lpips: [Double]) {
    func mean(_ values: [Double]) -> Double? {
      values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
    }
    let exact = ReconstructionMetrics.exact
    psnr = min(-10 * log10(mean(psnrs.map { pow(10, -$0 / 10) }) ?? 0), exact)
    let finite = psnrs.map { min($0, exact) }
    (psnrLow, psnrMedian, psnrHigh) =
      (finite.quantile(0.1), finite.quantile(0.5), finite.quantile(0.9))
    (ssim, self.lpips) = (mean(ssims), mean(lpips))
  }

  /// By names that end in what was measured, `psnr_copy`.
  fileprivate func metrics(_ suffix: String, trunk: String?) -> [Metric] {
    let all = [
      ("psnr", psnr), ("psnr_p10", psnrLow), ("psnr_p50", psnrMedian), ("psnr_p90", psnrHigh),
      ("ssim", ssim), ("lpips_\(trunk ?? "")", lpips),
    ]
    return all.compactMap { name, value in value.map { Metric(name + suffix, $0) } }
  }
}

/// The dreams of all starts at one distance from them.
package struct DreamHorizon: Equatable, Sendable {
  package let step: Int
  /// Fraction of the codes that are those of the recording.
  package var accuracy = 0.0
  /// That of the start's image, held.
  package var accuracyCopy = 0.0
  /// Fraction of the dreamt images that are legal.
  package var legal = 0.0
  /// Places at which they differ from the nearest real image, the mean.
  package var legalDistance = 0.0
  /// Fraction whose nearest real image shows the recorded room, and that of the start's image,
  /// held; nil where shards do not tell rooms.
  package var room: Double?
  package var roomCopy: Double?
  package var dream: Nearness
  /// Of the start's image, held.
  package var copy: Nearness
  /// Of dreams with random actions instead of the recorded ones.
  package var randomActions: Nearness
  /// Of what the VQGAN makes of the recorded codes; nil where it is what the others are compared
  /// with.
  package var ceiling: Nearness?
  /// The network of LPIPS.
  package var trunk: String?

  package init(
    step: Int, dream: Nearness, copy: Nearness, randomActions: Nearness, ceiling: Nearness?,
    trunk: String? = nil
  ) {
    (self.step, self.dream, self.copy) = (step, dream, copy)
    (self.randomActions, self.ceiling, self.trunk) = (randomActions, ceiling, trunk)
  }

  /// All that is known, by the names of the JSON object and of the columns of the CSV file.
  package var metrics: [Metric] {
    [
      Metric("accuracy", accuracy), Metric("accuracy_copy", accuracyCopy),
      Metric("legal", legal), Metric("legal_distance", legalDistance),
    ]
      + [("room", room), ("room_copy", roomCopy)].compactMap { name, value in
        value.map { Metric(name, $0) }
      }
      + dream.metrics("", trunk: trunk) + copy.metrics("_copy", trunk: trunk)
      + randomActions.metrics("_random_actions", trunk: trunk)
      + (ceiling?.metrics("_ceiling", trunk: trunk) ?? [])
  }
}

extension DreamHorizon: Encodable {
  package func encode(to encoder: any Swift.Encoder) throws {
    var values = ["step": Double(step)]
    for metric in metrics { values[metric.name] = metric.value }
    var container = encoder.singleValueContainer()
    try container.encode(values)
  }
}

extension [DreamHorizon] {
  /// A table with a line per horizon; all have the same columns.
  package var csv: String {
    guard let first else { return "" }
    let lines = map { horizon in
      (["\(horizon.step)"]
        + horizon.metrics.map { metric in
          metric.value.map { String(format: "%.7g", $0) } ?? ""
        }).joined(separator: ",")
    }
    return ((["step"] + first.metrics.map(\.name)).joined(separator: ",") + "\n")
      + lines.map { $0 + "\n" }.joined()
  }

  /// PSNR over the horizons: the median of the starts, with 10 to 90 % of them as a band.
  package func plot(title: String) -> RGBImage {
    func series(_ name: String, _ part: (DreamHorizon) -> Nearness?) -> BandPlot.Series? {
      let all = compactMap(part)
      guard all.count == count else { return nil }
      return BandPlot.Series(
        name: name, values: all.map(\.psnrMedian),
        band: (all.map(\.psnrLow), all.map(\.psnrHigh)))
    }
    let lines = [
      series("dream") { $0.dream }, series("copy") { $0.copy },
      series("reconstruction") { $0.ceiling },
    ]
    return BandPlot(
      lines.compactMap(\.self), positions: map { "\($0.step)" }, title: title,
      axis: "steps behind the start"
    ).rendered()
  }
}
