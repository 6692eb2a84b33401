// How photos are read, as the options of several commands say.

/// How image files become images.
package struct ImageReading: Equatable, Sendable {
  package var limits: ImageLimits
  /// Whether photos are turned as their EXIF orientation says.
  package var turnsUpright: Bool

  package init(limits: ImageLimits = .standard, turnsUpright: Bool = false) {
    self.limits = limits
    self.turnsUpright = turnsUpright
  }

  /// The image in a file's bytes.
  ///
  /// - Parameter path: the name that errors carry.
  package func image(_ bytes: [UInt8], path: String) throws(ImageError) -> RGBImage {
    try image(bytes, path: path, needs: .everything).pixels
  }

  /// What is needed of the image in a file's bytes.
  package func image(
    _ bytes: [UInt8], path: String, needs: ImageNeeds
  ) throws(ImageError) -> DecodedImage {
    try ImageDecoder.decode(bytes, path: path, limits: limits, needs: needs) { _, _ in
      turnsUpright ? EXIFOrientation(of: bytes) : .upright
    }
  }

  /// The image in a file.
  package func image(contentsOf path: String) throws(ImageError) -> RGBImage {
    try image(try ImageDecoder.bytes(of: path, limits: limits), path: path)
  }
}
