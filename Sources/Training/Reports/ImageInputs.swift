// Images from image shards and from image files.
import Images
import Metrics
import Shards

/// An image and what it is called.
package struct NamedImage: Sendable {
  package let name: String
  package let image: RGBImage

  package init(name: String, image: RGBImage) {
    self.name = name
    self.image = image
  }
}

/// Rows of image shards, spread evenly over all of them, and image files.
package struct ImageInputs {
  private let shards: ImageShardSet?
  private let names: [String]  // of all rows
  private let rows: [Int]
  private let files: [String]
  private let reading: ImageReading
  private var scenes: FrameScenes?

  /// Sorts the paths by what the files hold: PNG or JPEG images, or else shards.
  ///
  /// - Parameters:
  ///   - count: rows to take; image files are taken all.
  ///   - reading: how image files are read.
  /// - Throws: `ImageError` for images that cannot be read, `ShardError`,
  ///   `ReconstructionError.noImages`.
  package init(
    _ paths: [String], count: Int, reading: ImageReading = ImageReading()
  ) throws {
    try self.init(paths, reading: reading) { evenRows(count, of: $0) }
    scenes = try shards?.scenes()
  }

  /// - Parameter choose: the rows to take of a number of rows.
  init(
    _ paths: [String], reading: ImageReading, choosing choose: (_ rows: Int) -> [Int]
  ) throws {
    var files: [String] = []
    var shards: [String] = []
    for path in paths {
      if try Self.isImage(path, limits: reading.limits) {
        files.append(path)
      } else {
        shards.append(path)
      }
    }
    let set = shards.isEmpty ? nil : try ImageShardSet(shards)
    rows = set.map { choose($0.count) } ?? []
    names = try set?.names ?? []
    self.shards = set
    self.files = files
    self.reading = reading
    if self.count == 0 { throw ReconstructionError.noImages }
  }

  /// Images in all, the rows of shards first.
  package var count: Int { rows.count + files.count }

  /// Reads an image.
  ///
  /// - Throws: `ImageError`, `ShardError`.
  package func image(_ index: Int) throws -> NamedImage {
    guard let shards, index < rows.count else {
      let path = files[index - rows.count]
      return NamedImage(name: path, image: try reading.image(contentsOf: path))
    }
    let row = rows[index]
    let image = RGBImage(
      width: shards.width, height: shards.height, pixels: try shards.pixels(row))
    return NamedImage(name: names[row], image: image)
  }

  /// What stands still in an image of `image(_:)`; nil where nobody knows.
  package func background(of index: Int, _ image: NamedImage) -> NamedImage? {
    guard index < rows.count, let pixels = scenes?.background(of: image.image.pixels) else {
      return nil
    }
    return NamedImage(
      name: image.name,
      image: RGBImage(width: image.image.width, height: image.image.height, pixels: pixels))
  }

  /// Whether a file begins like a PNG or JPEG image.
  static func isImage(_ path: String, limits: ImageLimits) throws(ImageError) -> Bool {
    do throws(ImageError) {
      _ = try ImageDecoder.header(contentsOf: path, limits: limits)
      return true
    } catch {
      if case .notAnImage = error { return false }
      throw error
    }
  }
}
