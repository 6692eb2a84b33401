// Images of any size to a size that a VQGAN takes.
import Images

/// How an image comes to sides that are multiples of a VQGAN's factor.
package struct ImageFitting: Sendable {
  private let factor: Int
  private let size: (width: Int, height: Int)?
  private let filter: ResizeFilter

  /// - Parameters:
  ///   - factor: pixels per code along one side.
  ///   - size: of every fitted image, pixels; nil cuts the least from each.
  ///   - filter: that images are scaled with.
  /// - Throws: `ReconstructionError.size` when the factor does not divide the size.
  package init(
    factor: Int, size: (width: Int, height: Int)? = nil, filter: ResizeFilter = .bicubic
  ) throws(ReconstructionError) {
    if let size, size.width % factor != 0 || size.height % factor != 0 {
      throw .size(width: size.width, height: size.height, factor: factor)
    }
    self.factor = factor
    self.size = size
    self.filter = filter
  }

  /// Scales the image until it covers the size and cuts its sides off; without a size, cuts its
  /// sides alone.
  ///
  /// - Returns: the image, and what was done to it in words; nil where nothing was.
  /// - Throws: `ReconstructionError.tooSmall`.
  package func fit(
    _ input: NamedImage
  ) throws(ReconstructionError) -> (image: NamedImage, change: String?) {
    let image = input.image
    let (width, height) =
      size ?? (image.width / factor * factor, image.height / factor * factor)
    guard width > 0, height > 0 else {
      throw .tooSmall(
        name: input.name, width: image.width, height: image.height, factor: factor)
    }
    guard width != image.width || height != image.height else { return (input, nil) }
    let fitted: RGBImage
    let verb: String
    if size == nil {
      fitted = image.centerCropped(width: width, height: height)
      verb = "cut to its middle"
    } else {
      fitted = image.fitted(width: width, height: height, mode: .crop, filter: filter)
      verb = "scaled and cut to"
    }
    return (
      NamedImage(name: input.name, image: fitted),
      "\(image.width)×\(image.height) \(verb) \(width)×\(height)"
    )
  }
}
