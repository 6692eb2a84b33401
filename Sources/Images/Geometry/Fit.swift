// Bringing an image of any size to the size that a model takes.

/// How an image becomes one of another shape.
package enum FitMode: String, CaseIterable, Sendable {
  /// Scale until it covers the target, cut the rest off evenly: nothing distorted, sides lost.
  case crop
  /// Scale until it fits inside the target, fill the rest evenly with a colour.
  case pad
  /// Scale each side on its own: distorted.
  case stretch
}

/// Where the pixels of an image go when it is fitted to a size: first scaled, then cut or padded.
package struct FitGeometry: Equatable, Sendable {
  /// Size of the fitted image, pixels.
  package let width, height: Int
  /// Size of the whole scaled image, pixels.
  package let scaledWidth, scaledHeight: Int
  /// Column and row of the fitted image where the scaled one begins; negative where it is cut.
  package let x, y: Int
  /// Ratio of scaled to original columns and rows.
  package let scaleX, scaleY: Double

  /// The geometry of bringing an image to a size.
  ///
  /// A scaled side is rounded to the nearest pixel, halves to even, and is at least 1. Of an odd
  /// rest the larger half lies at the right and the bottom (albumentations' `SmallestMaxSize` and
  /// `CenterCrop`, which the published models were trained with).
  package init(
    from source: (width: Int, height: Int), to target: (width: Int, height: Int), mode: FitMode
  ) {
    let ratioX = Double(target.width) / Double(source.width)
    let ratioY = Double(target.height) / Double(source.height)
    width = target.width
    height = target.height
    switch mode {
    case .stretch:
      scaledWidth = target.width
      scaledHeight = target.height
    case .crop:
      let ratio = max(ratioX, ratioY)
      scaledWidth = max(target.width, Self.scaled(source.width, by: ratio))
      scaledHeight = max(target.height, Self.scaled(source.height, by: ratio))
    case .pad:
      let ratio = min(ratioX, ratioY)
      scaledWidth = min(target.width, max(1, Self.scaled(source.width, by: ratio)))
      scaledHeight = min(target.height, max(1, Self.scaled(source.height, by: ratio)))
    }
    x = (width - scaledWidth) / 2
    y = (height - scaledHeight) / 2
    scaleX = Double(scaledWidth) / Double(source.width)
    scaleY = Double(scaledHeight) / Double(source.height)
  }

  /// Another part of the equally scaled image.
  ///
  /// - Parameter window: the part, inside `scaledWidth` × `scaledHeight`.
  package func window(_ window: PixelRect) -> FitGeometry {
    precondition(
      window.x >= 0 && window.y >= 0 && window.width > 0 && window.height > 0
        && window.x + window.width <= scaledWidth && window.y + window.height <= scaledHeight,
      "\(window) is not inside \(scaledWidth)x\(scaledHeight)")
    return FitGeometry(self, window: window)
  }

  private init(_ whole: FitGeometry, window: PixelRect) {
    (width, height) = (window.width, window.height)
    (scaledWidth, scaledHeight) = (whole.scaledWidth, whole.scaledHeight)
    (x, y) = (-window.x, -window.y)
    (scaleX, scaleY) = (whole.scaleX, whole.scaleY)
  }

  private static func scaled(_ side: Int, by ratio: Double) -> Int {
    Int((Double(side) * ratio).rounded(.toNearestOrEven))
  }

  /// Where a point of the original image lies in the fitted one, pixels; may lie outside it.
  package func map(x: Double, y: Double) -> (x: Double, y: Double) {
    (x * scaleX + Double(self.x), y * scaleY + Double(self.y))
  }

  /// The part of the scaled image that the fitted one shows.
  var visible: PixelRect {
    PixelRect(
      x: max(0, -x), y: max(0, -y), width: min(width, scaledWidth),
      height: min(height, scaledHeight))
  }

  /// The part of an image that the fitted one is made of.
  ///
  /// - Parameter size: of the whole image as it was decoded, pixels.
  func source(in size: (width: Int, height: Int), filter: ResizeFilter) -> PixelRect {
    let shown = visible
    let columns = inputRange(
      of: shown.x..<shown.x + shown.width, input: size.width, output: scaledWidth, filter: filter)
    let rows = inputRange(
      of: shown.y..<shown.y + shown.height, input: size.height, output: scaledHeight,
      filter: filter)
    return PixelRect(
      x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
  }
}

extension RGBImage {
  /// The image at exactly `width` x `height`.
  ///
  /// - Parameter color: fills the margin of `.pad`.
  package func fitted(
    width: Int, height: Int, mode: FitMode, filter: ResizeFilter = .bicubic,
    color: RGBColor = .black
  ) -> RGBImage {
    fitted(
      FitGeometry(from: (self.width, self.height), to: (width, height), mode: mode),
      filter: filter, color: color)
  }

  /// The image in a geometry that was made for its size.
  package func fitted(
    _ fit: FitGeometry, filter: ResizeFilter = .bicubic, color: RGBColor = .black
  ) -> RGBImage {
    DecodedImage(self).fitted(fit, filter: filter, color: color)
  }
}

extension DecodedImage {
  /// The image in a geometry that was made for its size, one of those for which it was decoded.
  package func fitted(
    _ fit: FitGeometry, filter: ResizeFilter = .bicubic, color: RGBColor = .black
  ) -> RGBImage {
    let shown = resized(
      width: fit.scaledWidth, height: fit.scaledHeight, filter: filter, region: fit.visible)
    guard shown.width < fit.width || shown.height < fit.height else { return shown }
    return shown.padded(
      left: fit.x, top: fit.y, right: fit.width - fit.x - shown.width,
      bottom: fit.height - fit.y - shown.height, color: color)
  }
}

extension LabelMap {
  /// The map in a geometry that was made for its size; 0 fills the margin of `.pad`.
  package func fitted(_ fit: FitGeometry) -> LabelMap {
    let shown = resizedNearest(
      width: fit.scaledWidth, height: fit.scaledHeight, region: fit.visible)
    guard shown.width < fit.width || shown.height < fit.height else { return shown }
    return shown.padded(
      left: fit.x, top: fit.y, right: fit.width - fit.x - shown.width,
      bottom: fit.height - fit.y - shown.height, value: 0)
  }
}
