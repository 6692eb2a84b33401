// Images of which no more is decoded than somebody looks at.

/// What is made of an image; it decides how much of it is decoded.
package struct ImageNeeds: Sendable {
  /// What is fitted of an upright image of this size; all that there is without.
  package let windows: (@Sendable (_ width: Int, _ height: Int) -> [FitGeometry])?
  package let filter: ResizeFilter
  /// Whether an image that is much too large may be decoded at a half, a quarter or an eighth of
  /// its size, which is faster and changes its pixels.
  package let mayBeReduced: Bool

  package static let everything = ImageNeeds(filter: .nearest, windows: nil)

  package init(
    filter: ResizeFilter, mayBeReduced: Bool = false,
    windows: (@Sendable (_ width: Int, _ height: Int) -> [FitGeometry])?
  ) {
    self.windows = windows
    self.filter = filter
    self.mayBeReduced = mayBeReduced
  }

  /// How much smaller an image may be decoded: 1, 2, 4 or 8.
  ///
  /// Each factor of two asks for an image that is 1.6 times too large, so that what is decoded is
  /// enlarged by a quarter at most.
  func reduction(for windows: [FitGeometry]) -> Int {
    guard mayBeReduced, let scale = windows.map({ max($0.scaleX, $0.scaleY) }).max() else {
      return 1
    }
    return [8, 4, 2].first { 0.8 * Double($0) * scale <= 1 } ?? 1
  }

  /// The part of an image that windows show, with what the filter looks at beside them.
  ///
  /// - Parameter size: of the whole image as it is decoded.
  func part(of size: (width: Int, height: Int), for windows: [FitGeometry]) -> PixelRect {
    let parts = windows.map { $0.source(in: size, filter: filter) }
    return parts.dropFirst().reduce(
      parts.first ?? PixelRect(x: 0, y: 0, width: size.width, height: size.height)
    ) { $0.union($1) }
  }
}

/// An image of which a part may have been decoded, at the size of its file or at a smaller one.
package struct DecodedImage: Sendable {
  /// Size of the upright image as its file tells it, pixels.
  package let width, height: Int
  /// What was decoded.
  package let pixels: RGBImage
  /// Size of the whole image as it was decoded, pixels.
  let whole: (width: Int, height: Int)
  /// Where `pixels` lie in it.
  let part: PixelRect

  /// All of an image.
  package init(_ image: RGBImage) {
    self.init(
      width: image.width, height: image.height, pixels: image,
      whole: (image.width, image.height),
      part: PixelRect(x: 0, y: 0, width: image.width, height: image.height))
  }

  init(
    width: Int, height: Int, pixels: RGBImage, whole: (width: Int, height: Int), part: PixelRect
  ) {
    precondition((pixels.width, pixels.height) == (part.width, part.height))
    self.width = width
    self.height = height
    self.pixels = pixels
    self.whole = whole
    self.part = part
  }

  /// The image as it looked to the camera's holder; of one that is turned all was decoded.
  func upright(_ orientation: EXIFOrientation) -> DecodedImage {
    if orientation == .upright { return self }
    let all = DecodedImage(pixels.upright(orientation))
    return DecodedImage(
      width: orientation.exchangesSides ? height : width,
      height: orientation.exchangesSides ? width : height, pixels: all.pixels, whole: all.whole,
      part: all.part)
  }
}
