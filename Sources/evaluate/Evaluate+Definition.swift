// What defines the measures, for the printed line.
import CommandSupport
import Images
import Training

extension Evaluate {
  /// What two numbers must have in common to be compared.
  ///
  /// - Parameter report: the measures, which add to it.
  func definition(
    _ evaluation: Evaluation, _ report: EvaluationReport,
    decodedBy stage: FirstStage?
  ) -> [(key: String, value: DefinitionValue)] {
    var items: [(String, DefinitionValue)] = [("tool", .text(Self.tool))]
    if let extractor = evaluation.extractor {
      items.append(("features", .text(String(features.prefix { $0 != "=" }))))
      items.append(("weights sha256", .text(extractor.digest)))
      if extractor.source != .latents { items.append(("resize", .text(extractor.convention))) }
    } else if evaluation.comparesPixels {
      items.append(("features", .text("pixels \(PixelFeatures.side)×\(PixelFeatures.side)")))
      items.append(("resize", .text(PixelFeatures.resize.rawValue)))
    }
    if let perceptual = evaluation.perceptual {
      items.append(("lpips trunk", .text(perceptual.trunk)))
      items.append(("lpips sha256", .text(perceptual.digests.joined(separator: " "))))
    }
    if let stage { items.append(("vqgan sha256", .text(stage.fingerprint))) }
    items += report.definition
    if report.values.contains(where: { $0.interval != nil }) {
      items.append(("bootstrap", .number(UInt64(bootstrap))))
    }
    items.append(("reference", Self.text(of: evaluation.reference)))
    if candidate != nil { items.append(("candidate", Self.text(of: evaluation.candidate))) }
    if evaluation.reference.hasFiles || evaluation.candidate.hasFiles {
      items.append(("upright", .flag(photos.upright)))
    }
    if let training = evaluation.training, let copies {
      items.append(("copies of", .text("\(training.count) grids of \(copies)")))
    }
    items.append(("seed", .number(seed.seed)))
    return items
  }

  static let tool = "swift-vqgan evaluate \(SuiteVersion.current)"

  /// What one side is, with everything that tells it from others.
  private static func text(of side: EvaluationSide) -> DefinitionValue {
    if let statistics = side.statistics {
      let origin = statistics.origin.map { "of \($0.count) images by \($0.tool)" }
      return .text(
        "\(side.kind) \(side.path), \(origin ?? "origin unknown"), sha256 \(side.digest ?? "")")
    }
    let count = side.count < side.total ? "\(side.count) of \(side.total)" : "\(side.count)"
    return .text("\(count) from \(side.kind) \(side.path)")
  }
}
