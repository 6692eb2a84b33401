// How large an image may claim to be before anything is allocated for it.

/// Limits that a header must keep before anything is allocated.
package struct ImageLimits: Equatable, Sendable {
  /// Most pixels of an image, width times height.
  package var maxPixels: Int
  /// Most pixels of one side.
  package var maxSide: Int
  /// Most scans of a progressive JPEG; encoders write about ten.
  package var maxScans: Int

  package init(maxPixels: Int, maxSide: Int, maxScans: Int) {
    self.maxPixels = maxPixels
    self.maxSide = maxSide
    self.maxScans = maxScans
  }

  /// The size above which Pillow refuses an image (half a gigabyte of RGB), libpng's longest side
  /// (JPEG's is 65,500), 100 scans.
  package static let standard = ImageLimits(
    maxPixels: 178_956_970, maxSide: 1_000_000, maxScans: 100)

  /// Most bytes of an encoded file: eight a pixel, what an uncompressed 16-bit RGBA image has.
  var maxFileBytes: Int { maxPixels * 8 + 65_536 }

  func allow(width: Int, height: Int) -> Bool {
    guard width <= maxSide, height <= maxSide else { return false }
    let (area, overflow) = width.multipliedReportingOverflow(by: height)
    return !overflow && area <= maxPixels
  }
}
