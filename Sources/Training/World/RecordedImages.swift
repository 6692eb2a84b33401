// The recorded images of code shards' rows, where their image shards are given.
import Checkpoints
import Images
import Shards

/// What was recorded: the images that codes were made of, or else what their VQGAN makes of them.
package struct RecordedImages {
  package let data: WorldData
  private let stage: FirstStage
  private let grid: CodeGrid
  private let images: ImageShardSet?
  /// The row of the image shards of each row of codes; empty without.
  private let rows: [Int]
  private let names: [String]

  /// - Parameter images: image shards with an image for every row of codes, by their numbers; nil
  ///   for none.
  /// - Throws: `WorldDataError.noImage`, `otherSize`, `ShardError`.
  package init(
    of data: WorldData, codes: CodeShardSet, images: ImageShardSet?, decodedBy stage: FirstStage
  ) throws {
    (self.data, self.stage, self.grid, self.images) = (data, stage, codes.grid, images)
    let names = try codes.names
    self.names = names
    guard let images else {
      rows = []
      return
    }
    let factor = stage.config.downsampling
    let (height, width) = (grid.height * factor, grid.width * factor)
    guard images.height == height, images.width == width else {
      throw WorldDataError.otherSize(
        path: images.paths[0], found: "\(images.width)×\(images.height)",
        expected: "\(width)×\(height)")
    }
    var rowOfID: [Int64: Int] = [:]
    for (row, id) in try images.ids.enumerated() { rowOfID[id] = row }
    rows = try codes.ids.enumerated().map { row, id in
      guard let found = rowOfID[id] else {
        throw WorldDataError.noImage(path: images.paths[0], name: names[row])
      }
      return found
    }
  }

  /// Whether there are images beside what is decoded.
  package var areGiven: Bool { images != nil }

  /// The name of a row.
  package func name(_ row: Int) -> String { names[row] }

  /// The image of some codes, `[h·w]`.
  ///
  /// - Throws: `NotFiniteError`.
  package func decoded(_ codes: [Int32]) throws(NotFiniteError) -> RGBImage {
    try stage.images(codes, of: grid)[0]
  }

  /// What the VQGAN makes of a row.
  ///
  /// - Throws: `NotFiniteError`.
  package func reconstruction(_ row: Int) throws -> RGBImage { try decoded(data.image(row)) }

  /// The image of a row: as it was recorded where images are given.
  ///
  /// - Throws: `ShardError`, `NotFiniteError`.
  package func image(_ row: Int) throws -> RGBImage {
    guard let images else { return try reconstruction(row) }
    return RGBImage(
      width: images.width, height: images.height, pixels: try images.pixels(rows[row]))
  }
}
