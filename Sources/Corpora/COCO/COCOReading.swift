/// How an annotation file is read.
package struct COCOReading {
  /// Keep the annotations of these images only; `nil` keeps all.
  ///
  /// The list of images is complete in any case.
  package var images: Set<Int64>?
  /// Whether the first broken record ends the reading; otherwise it is counted and left out.
  package var isStrict: Bool
  /// Called a few times a second with the bytes read and the file's size; what it throws ends the
  /// reading.
  package var progress: ((_ bytes: Int, _ size: Int) throws -> Void)?

  package init(
    images: Set<Int64>? = nil, isStrict: Bool = false,
    progress: ((_ bytes: Int, _ size: Int) throws -> Void)? = nil
  ) {
    self.images = images
    self.isStrict = isStrict
    self.progress = progress
  }

  func keeps(_ image: Int64) -> Bool { images?.contains(image) ?? true }
}
