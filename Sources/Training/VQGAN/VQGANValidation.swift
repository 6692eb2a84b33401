// The VQGAN on images that it was not trained on.
import Foundation
import Models
import Shards
import TensorCore

/// Mean figures over validation images.
package struct VQGANValidation: Equatable, Sendable {
  /// Mean |x - x̂| plus the weighted perceptual distance.
  package var rec: Double
  package var perceptual: Double
  package var quant: Double
  /// dB, pixels in 0…255, reconstruction clamped and rounded; the mean over the images.
  package var psnr: Double
  /// Codes that the images use.
  package var codesUsed: Int
  /// Share of the pixels whose most likely label is theirs; nil for images, whose `psnr` is told.
  package var agreement: Double?

  /// Every figure with the name under which it is logged.
  package var named: [(name: String, value: Double)] {
    [
      ("val/rec_loss", rec), ("val/p_loss", perceptual), ("val/quant_loss", quant),
      agreement.map { ("val/pixel_agreement", $0) } ?? ("val/psnr", psnr),
      ("val/codes_used", Double(codesUsed)),
    ]
  }

  /// The names of the figures.
  package static let names = [
    "val/rec_loss", "val/p_loss", "val/quant_loss", "val/psnr", "val/pixel_agreement",
    "val/codes_used",
  ]
}

extension VQGANTrainer {
  /// Figures over the given batches of images; with averaged weights they are theirs.
  package func validate(_ batches: [ImageBatch], on device: Device) -> VQGANValidation {
    let model = average?.model ?? model
    var result = VQGANValidation(rec: 0, perceptual: 0, quant: 0, psnr: 0, codesUsed: 0)
    var used: Set<Int32> = []
    let total = Double(batches.reduce(0) { $0 + $1.count })
    withoutGradients {
      for batch in batches {
        let input = batch.input(on: device)
        let share = Double(batch.count) / total
        var none: RandomSource?
        let quantized = model.quantize(model.latents(of: input, dropout: &none))
        let output = model.decode(quantized.latents, dropout: &none)
        result.quant += share * Double(quantized.loss.item())
        used.formUnion(quantized.indices.elements)
        guard case .values(let images) = input else {
          guard case .labels(let labels) = input else { continue }
          result.rec += share * Double(output.labelCrossEntropy(labels).item())
          let found = output.largestChannels().elements
          let right = zip(found, labels.elements).count { $0 == $1 }
          result.agreement =
            (result.agreement ?? 0) + share * Double(right) / Double(max(found.count, 1))
          continue
        }
        let reconstruction = output.plain()
        let p = perceptual.map { Double($0(images, reconstruction).mean().item()) } ?? 0
        result.rec +=
          share
          * (Double(reconstruction.meanAbsoluteDifference(from: images).item())
            + Double(objective.perceptualWeight) * p)
        result.perceptual += share * p
        if case .bytes(let pixels) = batch.values {
          result.psnr += share * meanPSNR(pixels, reconstruction.pixels(), images: batch.count)
        } else {
          result.psnr +=
            share * meanPSNR(images.grey(), reconstruction.grey(), images: batch.count)
        }
      }
    }
    result.codesUsed = used.count
    return result
  }
}

/// The mean over the images of their PSNR, dB; 99 for an exact copy.
private func meanPSNR(_ a: [UInt8], _ b: [UInt8], images: Int) -> Double {
  let size = a.count / images
  return (0..<images).reduce(0.0) { sum, image in
    let range = image * size..<(image + 1) * size
    let squares = range.reduce(0) { $0 + (Int(a[$1]) - Int(b[$1])) * (Int(a[$1]) - Int(b[$1])) }
    guard squares > 0 else { return sum + 99 }
    return sum + 10 * log10(255 * 255 * Double(size) / Double(squares))
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
      return decode(quantized.latents, dropout: &none).largestChannels().elements.map {
        UInt8(clamping: $0)
      }
    }
  }
}
