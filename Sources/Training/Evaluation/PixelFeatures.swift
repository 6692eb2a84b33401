// Images as their own features, where no network is at hand.
import Images

/// What MIND compares without features: the pixels of the image, made small.
package enum PixelFeatures {
  /// Pixels of a side.
  package static let side = 32
  package static let width = 3 * side * side
  package static let resize = FeatureResize.clean
  package static let mindName = "mind_pixels"

  /// Planes of red, green and blue, levels from 0 to 1, of images of any sizes: `[count, width]`.
  static func features(of images: [RGBImage]) -> [Float] {
    images.flatMap { image in
      image.planes(side: side, resize: resize).map { $0 / 255 }
    }
  }
}
