// Pictures from image shards and from picture files.
import Images
import Shards

/// A picture and what it is called.
package struct NamedPicture: Sendable {
  package let name: String
  package let picture: RGBImage

  package init(name: String, picture: RGBImage) {
    self.name = name
    self.picture = picture
  }
}

/// Rows of image shards, spread evenly over all of them, and picture files.
package struct PictureInputs {
  private let shards: ImageShardSet?
  private let names: [String]  // of all rows
  private let rows: [Int]
  private let files: [String]

  /// Sorts the paths by what the files hold: PNG or JPEG pictures, or else shards.
  ///
  /// - Parameter count: rows to take; picture files are taken all.
  /// - Throws: `ImageError` for pictures that cannot be read, `ShardError`, `ReconstructionError.noPictures`.
  package init(_ paths: [String], count: Int) throws {
    try self.init(paths) { evenRows(count, of: $0) }
  }

  /// - Parameter choose: the rows to take of a number of rows.
  init(_ paths: [String], choosing choose: (_ rows: Int) -> [Int]) throws {
    var files: [String] = []
    var shards: [String] = []
    for path in paths {
      if try Self.isPicture(path) { files.append(path) } else { shards.append(path) }
    }
    let set = shards.isEmpty ? nil : try ImageShardSet(shards)
    rows = set.map { choose($0.count) } ?? []
    names = try set?.names ?? []
    self.shards = set
    self.files = files
    if self.count == 0 { throw ReconstructionError.noPictures }
  }

  /// Pictures in all, the rows of shards first.
  package var count: Int { rows.count + files.count }

  /// Reads a picture.
  ///
  /// - Throws: `ImageError`, `ShardError`.
  package func picture(_ index: Int) throws -> NamedPicture {
    guard let shards, index < rows.count else {
      let path = files[index - rows.count]
      return NamedPicture(name: path, picture: try ImageDecoder.decode(contentsOf: path))
    }
    let row = rows[index]
    let picture = RGBImage(
      width: shards.width, height: shards.height, pixels: try shards.pixels(row))
    return NamedPicture(name: names[row], picture: picture)
  }

  /// Whether a file begins like a PNG or JPEG picture.
  static func isPicture(_ path: String) throws(ImageError) -> Bool {
    do throws(ImageError) {
      _ = try ImageDecoder.header(contentsOf: path)
      return true
    } catch {
      if case .notAnImage = error { return false }
      throw error
    }
  }
}
