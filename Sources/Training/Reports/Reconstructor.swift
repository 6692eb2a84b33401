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

  /// - Parameter images: of one size, whose sides the VQGAN's factor divides.
  /// - Returns: the reconstructions, and the codes of all of them.
  /// - Throws: `EncodingError.color`, `NotFiniteError`.
  package func reconstruct(
    _ images: [NamedImage]
  ) throws -> (images: [RGBImage], codes: [Int32]) {
    if images.isEmpty { return ([], []) }
    let input = try stage.input(
      images.map(\.image), named: { images[$0].name }, on: device)
    let (output, codes) = try stage.reconstruct(input)
    return (stage.config.images(of: output), codes.elements)
  }
}
