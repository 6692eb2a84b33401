// What every code looks like.
import Images
import Shards
import TensorCore

/// Every code of a codebook, decoded where it stands in a grid of codes.
///
/// What a code means depends on its neighbours, so a code is shown in the first grid that has it. A
/// code that no grid has is decoded among copies of itself.
package struct CodebookPatches {
  /// Images of one code's size, f×f pixels, by code.
  package let images: [RGBImage]

  /// The side of the grid that is filled with an unused code; its patch is the centre, away from
  /// the borders.
  private static let gridSide = 5
  private static let batchSize = 32

  /// Decodes the grids that show each code first and cuts the code's position out of them.
  ///
  /// - Parameters:
  ///   - stage: the VQGAN of the codes, on any device.
  ///   - progress: called with the codes decoded since the last call; what it throws ends the work.
  /// - Throws: `EncodingError.channels`, `ShardError`, and what `progress` throws.
  package init(
    of stage: FirstStage, in shards: CodeShardSet,
    progress: (_ codes: Int) throws -> Void = { _ in }
  ) throws {
    try stage.requireColourImages()
    let (f, depth) = (stage.config.downsampling, stage.config.depth)
    var images = [RGBImage?](repeating: nil, count: stage.config.codes * depth)
    func decode(
      _ grids: [(codes: [Int32], shown: [Position])], height: Int, width: Int
    ) throws {
      for start in stride(from: 0, to: grids.count, by: Self.batchSize) {
        let batch = grids[start..<min(start + Self.batchSize, grids.count)]
        let indices = IndexTensor(batch.flatMap(\.codes), shape: [batch.count, height, width])
        for (image, grid) in zip(try stage.images(of: indices), batch) {
          for position in grid.shown {
            images[position.code] = image.cropped(
              x: position.index % width / depth * f, y: position.index / width * f, width: f,
              height: f)
          }
          try progress(grid.shown.count)
        }
      }
    }
    let used = try Self.firstGrids(shards)
    try decode(used, height: shards.grid.height, width: shards.grid.width)
    let side = Self.gridSide
    let unused = images.indices.filter { images[$0] == nil }.map { entry in
      let (level, code) = (entry / stage.config.codes, Int32(entry % stage.config.codes))
      return (
        codes: (0..<side * side * depth).map { $0 % depth == level ? code : 0 },
        shown: [Position(code: entry, index: side * side / 2 * depth)]
      )
    }
    try decode(unused, height: side, width: side * depth)
    self.images = images.compactMap { $0 }
  }

  /// Where in a grid a code stands, in raster order.
  private struct Position {
    let code, index: Int
  }

  /// The grids that have a code that none before them had, with the positions of these codes.
  private static func firstGrids(_ shards: CodeShardSet) throws -> [(
    codes: [Int32], shown: [Position]
  )] {
    let (depth, entries) = (shards.grid.depth, shards.grid.codebookSize)
    func entry(_ codes: [Int32], _ index: Int) -> Int {
      index % depth * entries + Int(codes[index])
    }
    var seen: Set<Int> = []
    return try (0..<shards.count).compactMap { row in
      let codes = try shards.codes(row)
      let new = codes.indices.filter { seen.insert(entry(codes, $0)).inserted }
      return new.isEmpty ? nil : (codes, new.map { Position(code: entry(codes, $0), index: $0) })
    }
  }

  /// The patches in a nearly square grid.
  ///
  /// - Parameter order: codes from the top left.
  package func sheet(in order: [Int], caption: String) -> RGBImage {
    let columns = Int(Double(order.count).squareRoot().rounded(.up))
    return ContactSheet(
      order.map { images[$0] }, columns: columns, caption: caption, smallestSide: 16
    ).rendered()
  }
}
