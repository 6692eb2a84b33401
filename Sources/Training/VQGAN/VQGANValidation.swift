// The VQGAN on images that it was not trained on.
import Images
import Metrics
import Models
import RowMaps
import Shards
import TensorCore

/// Means over validation images.
package struct VQGANValidation: Equatable, Sendable {
  /// The reconstruction loss of the training, with the weighted perceptual distance; all pixels
  /// alike.
  package var rec = 0.0
  package var perceptual = 0.0
  package var quant = 0.0
  /// dB, pixels in 0…255, reconstruction clamped and rounded; the mean over the images.
  package var psnr = 0.0
  /// Codes that the images use.
  package var codesUsed = 0
  /// Fraction of the pixels whose most likely label is theirs; nil for images, which have `psnr`.
  package var agreement: Double?
  /// Of frames of recorded games; nil, and without columns, for other images.
  package var sprites: SpriteSummary?
  /// What label maps in the colours of a palette have besides; nil for others.
  package var colors: ColorAgreement?

  /// - Parameter palette: of the model, whose colours are measured too.
  package init(palette: Palette? = nil) {
    colors = palette.map { ColorAgreement(colors: $0.count) }
  }

  /// Those of `sprites`.
  package static let spriteColumns = ["val/rare_iou", "val/moving_recovered"]

  /// In the order of their columns.
  package var metrics: [Metric] {
    [
      Metric("val/rec_loss", rec), Metric("val/p_loss", perceptual),
      Metric("val/quant_loss", quant),
      Metric("val/psnr", agreement == nil || colors != nil ? psnr : nil),
      Metric("val/pixel_agreement", agreement),
      Metric("val/codes_used", Double(codesUsed)),
    ] + (colors?.metrics ?? [])
      + (sprites.map {
        zip(Self.spriteColumns, [$0.rareIoU, $0.movingRecovered]).map { Metric($0, $1) }
      } ?? [])
  }
}

extension VQGANTrainer {
  /// Means over the given batches; with averaged weights they are those of the average.
  ///
  /// - Parameters:
  ///   - frames: what the sprites of all images are judged by, nil for one without a palette; nil
  ///     if they are not.
  ///   - shouldStop: asked before each batch; `nil` is returned once it says yes.
  package func validate(
    _ batches: [ImageBatch], sprites frames: [SpriteFrame?]? = nil, on device: Device,
    unless shouldStop: () -> Bool = { false }
  ) -> VQGANValidation? {
    let model = average?.model ?? model
    let palette = model.config.palette
    var result = VQGANValidation(palette: palette)
    var images = 0  // so far
    var used: Set<Int32> = []
    let total = Double(batches.reduce(0) { $0 + $1.count })
    var isStopped = false
    if frames != nil { result.sprites = SpriteSummary() }
    withoutGradients {
      for batch in batches {
        isStopped = shouldStop()
        if isStopped { return }
        let input = batch.input(on: device)
        let fraction = Double(batch.count) / total
        let first = images
        images += batch.count
        var none: RandomSource?
        let quantized = model.quantize(model.latents(of: input, dropout: &none))
        let output = model.decode(quantized.latents, dropout: &none)
        result.quant += fraction * Double(quantized.loss.item())
        for level in quantized.levels { used.formUnion(level.entries) }
        guard case .values(let originals) = input else {
          guard case .labels(let labels) = input else { continue }
          result.rec += fraction * Double(objective.reconstructionLoss(output, of: input).item())
          let found = output.largestLabels()
          let right = zip(found, labels.elements).count { Int32($0) == $1 }
          result.agreement =
            (result.agreement ?? 0) + fraction * Double(right) / Double(max(found.count, 1))
          if case .bytes(let wanted) = batch.values {
            result.colors?.add(found, of: wanted, images: batch.count)
            if let one = palette?.pixels(of: wanted), let other = palette?.pixels(of: found) {
              result.psnr += fraction * meanPSNR(one, other, images: batch.count)
            }
          }
          continue
        }
        let reconstruction = output.plain()
        let p = perceptual.map { Double($0(originals, reconstruction).mean().item()) } ?? 0
        result.rec +=
          fraction
          * (Double(objective.reconstructionLoss(reconstruction, of: input).item())
            + Double(objective.perceptualWeight) * p)
        result.perceptual += fraction * p
        if case .bytes(let pixels) = batch.values {
          let found = reconstruction.pixels()
          result.psnr += fraction * meanPSNR(pixels, found, images: batch.count)
          let size = found.count / batch.count
          for (item, frame) in (frames?[first..<images] ?? []).enumerated() {
            guard let frame else { continue }
            result.sprites?.add(
              frame.scores(of: Array(found[item * size..<(item + 1) * size])))
          }
        } else {
          result.psnr +=
            fraction * meanPSNR(originals.grey(), reconstruction.grey(), images: batch.count)
        }
      }
    }
    result.codesUsed = used.count
    return isStopped ? nil : result
  }
}

/// The mean over the images of their PSNR, dB.
private func meanPSNR(_ a: [UInt8], _ b: [UInt8], images: Int) -> Double {
  let size = a.count / images
  return (0..<images).reduce(0.0) { sum, image in
    let range = image * size..<(image + 1) * size
    let psnr = ImageQuality.psnr(a[range], b[range])
    return sum + (psnr.isFinite ? psnr : ReconstructionMetrics.exact)
  } / Double(images)
}

extension Tensor {
  /// One channel in [-1, 1], clamped, as 8-bit grey.
  fileprivate func grey() -> [UInt8] {
    elements().map { UInt8((max(-1, min(1, $0)) + 1) * 127.5 + 0.5) }
  }
}

extension VQGAN {
  /// The labels of maps after encoding and decoding, `[N, H, W]`.
  func reconstructedLabels(_ batch: ImageBatch, on device: Device) -> [UInt8] {
    withoutGradients {
      var none: RandomSource?
      let quantized = quantize(latents(of: batch.input(on: device), dropout: &none))
      return decode(quantized.latents, dropout: &none).largestLabels()
    }
  }
}
