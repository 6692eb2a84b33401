// What a training measures of its reconstructions as sets of images, beside the validation.
import Images
import Metrics
import Models
import TensorCore

/// The settings of the evaluations of a training; measures are those of `evaluate`.
package struct EvaluationSettings: Codable, Equatable, Sendable {
  package var every: Int  // steps
  package var count = EvaluationSettings.defaultCount  // images of the validation shards, at most
  /// As `--features` of `evaluate` has it.
  package var features = "latents"
  package var resize = FeatureResize.tf
  package var lpips: [String] = []  // files, as --lpips of evaluate has them

  package static let defaultCount = 256

  package init(every: Int) { self.every = every }

  enum CodingKeys: String, CodingKey {
    case every, features, resize, lpips
    case count = "images"
  }

  /// What makes these settings impossible, in a sentence.
  package var problem: String? {
    if !(1...1_000_000_000).contains(every) { return "every is \(every); it must be positive" }
    if !(2...1_000_000).contains(count) { return "images is \(count), expected 2 to 1000000" }
    if features != "none", FeatureSource(features) == nil {
      return "features is \"\(features)\", expected inception=FILE, lite0=FILE, latents or none"
    }
    if lpips.count > 2 { return "lpips holds \(lpips.count) files, expected two at most" }
    if features == "none", lpips.isEmpty { return "features is \"none\" and there is no lpips" }
    return nil
  }
}

/// Measures reconstructions of the same images again and again.
struct VQGANEvaluator {
  private let settings: EvaluationSettings
  private let source: FeatureSource?
  /// Nil for latents, whose network is the one that is trained.
  private let extractor: FeatureExtractor?
  private let perceptual: PerceptualMeasure?
  private let seed: UInt64
  private let device: Device
  /// Features of the originals, which stay the same.
  private var originals: FeatureTable?

  /// - Parameter seed: of the subsets of the kernel distance and the directions of MIND.
  /// - Throws: errors of the files of weights.
  init(_ settings: EvaluationSettings, seed: UInt64, on device: Device) throws {
    self.settings = settings
    (self.seed, self.device) = (seed, device)
    source = FeatureSource(settings.features)
    extractor =
      source == .latents
      ? nil
      : try source.map {
        try FeatureExtractor($0, stage: nil, resize: settings.resize, on: device)
      }
    perceptual = settings.lpips.isEmpty ? nil : try PerceptualMeasure(settings.lpips, on: device)
  }

  /// The columns of `metrics.csv`, which `measure` fills.
  var columns: [String] {
    (source.map { [$0.fidName, $0.kidName, "mind"] } ?? []).map { "val/\($0)" }
      + (perceptual.map { ["val/lpips_\($0.trunk)"] } ?? [])
  }

  /// Checks that images can be measured.
  ///
  /// - Throws: `MetricsError.tooFew`, `EvaluationError.size`.
  func require(images: Int, width: Int, height: Int, of path: String) throws {
    guard images > 1 else {
      throw MetricsError.tooFew(measure: "--evaluate-every", found: images, needed: 2)
    }
    try perceptual?.requireSize(width: width, height: height, of: path, image: 0)
  }

  /// Images that are measured at once.
  static let batch = 8

  /// The measures of the reconstructions of images of one size; what cannot be computed, as of
  /// features that are not finite, is no number.
  ///
  /// - Parameter shouldStop: asked before each batch; `nil` is returned once it says yes.
  mutating func measure(
    _ model: VQGAN, on images: [RGBImage], unless shouldStop: () -> Bool
  ) throws -> [Metric]? {
    let stage = FirstStage(
      model, fingerprints: VQGANFingerprints(vqgan: "", codes: "", decoder: ""), path: "")
    let reconstructor = try Reconstructor(stage, on: device)
    let extractor =
      source == .latents
      ? try FeatureExtractor(.latents, stage: stage, resize: settings.resize, on: device)
      : self.extractor
    let width = extractor?.width ?? 1
    var (first, second) = (FeatureTable(width: width), FeatureTable(width: width))
    var distances: [Double] = []
    for start in stride(from: 0, to: images.count, by: Self.batch) {
      if shouldStop() { return nil }
      let batch = Array(images[start..<min(start + Self.batch, images.count)])
      let named = batch.enumerated().map { NamedImage(name: "image \(start + $0)", image: $1) }
      let made = try reconstructor.reconstruct(named).images
      if let extractor {
        if originals == nil { first.append(try extractor.features(of: batch)) }
        second.append(try extractor.features(of: made))
      }
      if let perceptual { distances += perceptual(tensor(batch), tensor(made)) }
    }
    var values: [Double] = []
    if extractor != nil {
      let reference = originals ?? first
      if source != .latents { originals = reference }
      values = [
        (try? FrechetDistance.between(reference, second)) ?? .nan,
        (try? KernelDistance(reference, second, seed: seed).mean) ?? .nan,
        (try? SlicedDistance.between(reference, second, seed: seed)) ?? .nan,
      ]
    }
    if perceptual != nil { values.append(distances.reduce(0, +) / Double(distances.count)) }
    return zip(columns, values).map { Metric($0, $1) }
  }

  private func tensor(_ images: [RGBImage]) -> Tensor {
    Tensor(
      pixels: images.flatMap(\.pixels), count: images.count, height: images[0].height,
      width: images[0].width, on: device)
  }
}
