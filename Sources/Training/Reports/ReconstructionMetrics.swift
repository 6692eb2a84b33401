// How near reconstructions come to their images.
import Images

/// The quality of one reconstruction, or the mean over several; encodes as in the JSON of
/// `reconstruct`.
package struct ReconstructionMetrics: Encodable, Equatable, Sendable {
  /// Peak signal-to-noise ratio, dB; 99 stands for an exact copy, so that means stay finite.
  package var psnr: Double
  /// Structural similarity, 1 for an exact copy; nil for images with a side below 11 pixels.
  package var ssim: Double?
  /// Mean absolute error, levels of 255.
  package var meanAbsoluteError: Double

  private enum CodingKeys: String, CodingKey {
    case psnr, ssim
    case meanAbsoluteError = "mae"
  }

  /// What an exact copy counts as, dB.
  package static let exact = 99.0

  /// Compares two images of one size.
  package init(of reconstruction: RGBImage, against original: RGBImage) {
    psnr = min(ImageQuality.psnr(reconstruction, original), Self.exact)
    ssim = ImageQuality.ssim(reconstruction, original)
    meanAbsoluteError = ImageQuality.meanAbsoluteError(reconstruction, original)
  }

  /// The mean of each metric over the images that have it.
  ///
  /// - Parameter all: at least one.
  package init(meanOf all: [ReconstructionMetrics]) {
    precondition(!all.isEmpty, "the mean of no metrics")
    func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
    let similarities = all.compactMap(\.ssim)
    psnr = mean(all.map(\.psnr))
    ssim = similarities.isEmpty ? nil : mean(similarities)
    meanAbsoluteError = mean(all.map(\.meanAbsoluteError))
  }
}
