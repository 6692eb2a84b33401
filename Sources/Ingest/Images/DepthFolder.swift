import Images

/// The depth maps of a folder, one for each image: `NAME.png` for an image `NAME.jpg`, in the same
/// folders below it.
struct DepthFolder: Sendable {
  private let folder: ImageFolder
  private let limits: ImageLimits

  /// - Parameter followsLinks: whether links to maps may point out of the folder.
  /// - Throws: `ImageError`.
  init(_ path: String, followsLinks: Bool, limits: ImageLimits) throws(ImageError) {
    self.limits = limits
    folder = try ImageFolder(path, followsLinks: followsLinks)
  }

  /// - Parameter path: the value of `--depth`; nil without.
  static func note(_ path: String?, in record: inout IngestRecord) {
    record.note("--depth", path ?? "none")
    guard path != nil else { return }
    record.remark("depth", "0 the least of the whole image, 65535 the greatest")
    record.remark("depth_filter", ResizeFilter.bilinear.rawValue)
  }

  /// The map of an image, of the image's size.
  ///
  /// - Parameter name: the image's name in the shard.
  func map(of name: String, for image: DecodedImage) throws(InvalidImage) -> DepthMap {
    let start = name.lastIndex(of: "/").map(name.index(after:)) ?? name.startIndex
    let stem = name[start...].lastIndex(of: ".").map { name[..<$0] } ?? name[...]
    let file = "\(stem).png"
    do throws(ImageError) {
      let path = folder.path(of: file)
      let map = try ImageDecoder.decodeDepth(
        try folder.bytes(of: file, limits: limits), path: path, limits: limits)
      guard (map.width, map.height) == (image.width, image.height) else {
        throw .wrongSize(
          path: path, width: map.width, height: map.height, expectedWidth: image.width,
          expectedHeight: image.height)
      }
      return map
    } catch {
      throw InvalidImage(error)
    }
  }
}
