// How near reconstructions come to their images.
import Images
import Metrics

/// The quality of one reconstruction, or the mean over several; encodes as in the JSON of
/// `reconstruct`.
package struct ReconstructionMetrics: Encodable, Equatable, Sendable {
  /// Peak signal-to-noise ratio, dB; 99 stands for an exact copy, so that means stay finite.
  package var psnr: Double
  /// Structural similarity, 1 for an exact copy; nil for images with a side below 11 pixels.
  package var ssim: Double?
  /// Mean absolute error, levels of 255.
  package var meanAbsoluteError: Double
  /// Of frames of few colours: IoU of the rare ones; nil for others.
  package var rareIoU: Double?
  /// Of one frame whose background is known: IoU of what moves.
  package var movingIoU: Double?
  /// Of several: the fraction of those in which something moves that have more than half of it.
  package var movingRecovered: Double?
  /// Of several: how many have rare colours, and in how many something moves.
  package var rareFrames, movingFrames: Int?

  private enum CodingKeys: String, CodingKey {
    case psnr, ssim
    case meanAbsoluteError = "mae"
    case rareIoU = "rare_iou"
    case movingIoU = "moving_iou"
    case movingRecovered = "moving_recovered"
    case rareFrames = "rare_frames"
    case movingFrames = "moving_frames"
  }

  /// What an exact copy counts as, dB.
  package static let exact = 99.0

  /// Compares two images of one size.
  ///
  /// - Parameter background: what stands still in the original.
  package init(
    of reconstruction: RGBImage, against original: RGBImage, background: RGBImage? = nil
  ) {
    psnr = min(ImageQuality.psnr(reconstruction, original), Self.exact)
    ssim = ImageQuality.ssim(reconstruction, original)
    meanAbsoluteError = ImageQuality.meanAbsoluteError(reconstruction, original)
    let frame = SpriteFrame(
      original.pixels, width: original.width, background: background?.pixels)
    if let scores = frame?.scores(of: reconstruction.pixels) {
      (rareIoU, movingIoU) = (scores.rareIoU, scores.movingIoU)
    }
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
    var sprites = SpriteSummary()
    for one in all {
      sprites.add(SpriteScores(rareIoU: one.rareIoU, movingIoU: one.movingIoU))
    }
    (rareIoU, movingRecovered) = (sprites.rareIoU, sprites.movingRecovered)
    if rareIoU != nil { rareFrames = sprites.rareFrames }
    if movingRecovered != nil { movingFrames = sprites.movingFrames }
  }
}
