// Images through a VQGAN and back.
import Images
import Models
import TensorCore

/// Encodes and decodes images.
package struct Reconstructor {
  private let stage: FirstStage
  private let device: Device

  /// - Parameter stage: a VQGAN on `device`.
  /// - Throws: `EncodingError.channels`.
  package init(_ stage: FirstStage, on device: Device) throws(EncodingError) {
    try stage.requireColourImages()
    self.stage = stage
    self.device = device
  }

  /// - Parameter images: of one size, whose sides the VQGAN's factor divides; at least one.
  /// - Returns: the reconstructions, and the codes of all of them.
  package func reconstruct(_ images: [RGBImage]) -> (images: [RGBImage], codes: [Int32]) {
    guard let first = images.first else { return ([], []) }
    let (width, height) = (first.width, first.height)
    let images = Tensor(
      pixels: images.flatMap(\.pixels), count: images.count, height: height, width: width,
      on: device)
    let (reconstructions, codes) = stage.model.reconstructWithCodes(images)
    return (reconstructions.rgbImages(), codes.elements)
  }
}

extension Tensor {
  /// Images of images `[N, 3, H, W]`, clamped to [-1, 1].
  func rgbImages() -> [RGBImage] {
    let (count, height, width) = (shape[0], shape[2], shape[3])
    let pixels = pixels()
    let size = height * width * 3
    return (0..<count).map { item in
      RGBImage(
        width: width, height: height, pixels: Array(pixels[item * size..<(item + 1) * size]))
    }
  }
}
