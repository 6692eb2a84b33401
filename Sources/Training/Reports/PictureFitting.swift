// Pictures of any size to a size that a VQGAN takes.
import Images

/// How a picture comes to sides that are multiples of a VQGAN's factor.
package struct PictureFitting: Sendable {
  private let factor: Int
  private let size: (width: Int, height: Int)?

  /// - Parameters:
  ///   - factor: pixels per code along one side.
  ///   - size: of every fitted picture, pixels; nil cuts the least from each.
  /// - Throws: `ReconstructionError.size` when the factor does not divide the size.
  package init(
    factor: Int, size: (width: Int, height: Int)? = nil
  ) throws(ReconstructionError) {
    if let size, size.width % factor != 0 || size.height % factor != 0 {
      throw .size(width: size.width, height: size.height, factor: factor)
    }
    self.factor = factor
    self.size = size
  }

  /// Scales the picture until it covers the size and cuts its sides off; without a size, cuts its sides alone.
  ///
  /// - Returns: the picture, and what was done to it in words; nil where nothing was.
  /// - Throws: `ReconstructionError.tooSmall`.
  package func fit(
    _ input: NamedPicture
  ) throws(ReconstructionError) -> (picture: NamedPicture, change: String?) {
    let picture = input.picture
    let (width, height) =
      size ?? (picture.width / factor * factor, picture.height / factor * factor)
    guard width > 0, height > 0 else {
      throw .tooSmall(
        name: input.name, width: picture.width, height: picture.height, factor: factor)
    }
    guard width != picture.width || height != picture.height else { return (input, nil) }
    let fitted: RGBImage
    let verb: String
    if size == nil {
      fitted = picture.centerCropped(width: width, height: height)
      verb = "cut to its middle"
    } else {
      fitted = picture.fitted(width: width, height: height, mode: .crop)
      verb = "scaled and cut to"
    }
    return (
      NamedPicture(name: input.name, picture: fitted),
      "\(picture.width)×\(picture.height) \(verb) \(width)×\(height)"
    )
  }
}
