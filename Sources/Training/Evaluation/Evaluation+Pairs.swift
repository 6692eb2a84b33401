// Measures of images against their own originals.
import Images
import Metrics
import TensorCore

extension Evaluation {
  /// PSNR, SSIM and LPIPS of pairs.
  ///
  /// - Throws: errors of the files, `EvaluationError.counts`, `unpaired`, `size`, `notFinite`.
  func measurePairs(
    _ report: inout EvaluationReport, _ progress: (Int) throws -> Void
  ) throws {
    // As many of sides of other sizes lie at other positions; namesakes are equally many.
    guard reference.total == candidate.total, reference.total > 0 else {
      throw EvaluationError.counts(reference: reference.total, candidate: candidate.total)
    }
    let candidate = try candidate.paired(with: reference)
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
        let found = ImageQuality.ssim(image, original)
        if wanted != nil, found == nil {
          throw EvaluationError.size(
            path: reference.path, image: index, found: "\(image.width)×\(image.height)",
            expected: "at least 11 pixels a side for ssim")
        }
        if let found { ssim.append(found) }
        if let value = ImageQuality.uniformSSIM(image, original) { uniform.append(value) }
      }
      if let perceptual, wants(.lpips) {
        try perceptual.requireSize(
          width: image.width, height: image.height, of: reference.path, image: index)
        let tensors = [original, image].map {
          Tensor(pixels: $0.pixels, count: 1, height: $0.height, width: $0.width, on: device)
        }
        let found = perceptual(tensors[0], tensors[1])
        guard found.allSatisfy(\.isFinite) else {
          throw EvaluationError.notFinite(
            what: "\(candidate.path): lpips_\(perceptual.trunk) of image \(index)",
            weights: perceptual.paths)
        }
        lpips += found
      }
      try progress(1)
    }
    for (name, values, side) in [("ssim", ssim, 11), ("ssim_uniform7", uniform, 7)]
    where wants(.ssim) && values.count < reference.count {
      report.warnings.append(
        "\(name): without \(reference.count - values.count) of \(reference.count) images, which "
          + "are smaller than its window of \(side)×\(side) pixels")
    }
    let bootstrap = Bootstrap(resamples: resamples, seed: seed)
    var lone: [String] = []  // measures of one image
    for (name, values, measure) in [
      ("psnr", psnr, EvaluationMeasure.psnr), ("ssim", ssim, .ssim),
      ("ssim_uniform7", uniform, .ssim), ("lpips_\(perceptual?.trunk ?? "")", lpips, .lpips),
    ] where wants(measure) && !values.isEmpty {
      var own = bootstrap  // the interval of a measure does not depend on the others
      if values.count == 1 { lone.append(name) }
      report.values.append(
        MeasuredValue(
          name: name, value: values.reduce(0, +) / Double(values.count),
          interval: resamples > 0 ? own.halfWidth(ofMean: values) : nil))
    }
    if resamples > 0, !lone.isEmpty {
      report.warnings.append("\(lone.joined(separator: ", ")): no interval, of 1 image")
    }
  }
}
