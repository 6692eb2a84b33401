// Pictures through a VQGAN and back.
import Images
import Models
import TensorCore

/// Encodes and decodes pictures.
package struct Reconstructor {
  private let stage: FirstStage
  private let device: Device

  /// - Parameter stage: a VQGAN on `device`.
  /// - Throws: `EncodingError.channels`.
  package init(_ stage: FirstStage, on device: Device) throws(EncodingError) {
    try stage.requireColourPictures()
    self.stage = stage
    self.device = device
  }

  /// - Parameter pictures: of one size, whose sides the VQGAN's factor divides; at least one.
  /// - Returns: the reconstructions, and the codes of all of them.
  package func reconstruct(_ pictures: [RGBImage]) -> (pictures: [RGBImage], codes: [Int32]) {
    guard let first = pictures.first else { return ([], []) }
    let (width, height) = (first.width, first.height)
    let images = Tensor(
      pixels: pictures.flatMap(\.pixels), count: pictures.count, height: height, width: width,
      on: device)
    let (reconstructions, codes) = stage.model.reconstructWithCodes(images)
    return (reconstructions.rgbImages(), codes.elements)
  }
}

extension Tensor {
  /// Pictures of images `[N, 3, H, W]`, clamped to [-1, 1].
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
