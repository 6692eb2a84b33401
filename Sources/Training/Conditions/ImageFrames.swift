// Which part of a larger image each row is.
import Models
import Shards

/// The position of stored images in the scaled images that they were cut from, by the columns that
/// prep-coco and prep-images write; images without these columns are whole.
struct ImageFrames {
  private struct Frame {
    var left, top, width, height: Int  // of the part, and of the whole, pixels
  }

  private let frames: [Frame]?
  private let grid: GridSize
  private let downsampling: Int

  init(_ shards: CodeShardSet) throws {
    grid = shards.grid.positions
    downsampling = max(shards.header.downsampling, 1)
    let names = ["crop_x", "crop_y", "scaled_width", "scaled_height"]
    guard names.allSatisfy(shards.labelNames.contains) else {
      frames = nil
      return
    }
    let columns = try names.map { try shards.integers($0) }
    frames = (0..<shards.count).map {
      Frame(
        left: columns[0][$0], top: columns[1][$0], width: columns[2][$0], height: columns[3][$0])
    }
  }

  func coordinates(_ row: Int, _ grid: GridSize, tokens: Int) -> [Int32] {
    let factor = max(downsampling * self.grid.height / grid.height, 1)
    let frame =
      frames?[row]
      ?? Frame(left: 0, top: 0, width: factor * grid.width, height: factor * grid.height)
    return CoordinatesCondition.tokens(
      grid, factor: factor, top: frame.top, left: frame.left,
      whole: GridSize(height: frame.height, width: frame.width), vocabulary: tokens)
  }

  /// The objects of every row, in fractions of the whole image.
  func scenes(_ shards: CodeShardSet, categories: [Int]) throws -> [Scene] {
    let positions = Dictionary(
      categories.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    return try shards.objects.enumerated().map { row, objects in
      let (width, height) = (
        Double(downsampling * grid.width), Double(downsampling * grid.height)
      )
      let frame =
        frames?[row] ?? Frame(left: 0, top: 0, width: Int(width), height: Int(height))
      func box(_ x: Double, _ y: Double, _ w: Double, _ h: Double) -> UnitBox {
        UnitBox(
          x: (Double(frame.left) + x) / Double(frame.width),
          y: (Double(frame.top) + y) / Double(frame.height),
          width: w / Double(frame.width), height: h / Double(frame.height))
      }
      return Scene(
        objects: objects.compactMap { object in
          guard let category = positions[Int(object.category)] else { return nil }
          return SceneObject(
            category: category,
            box: box(
              Double(object.x), Double(object.y), Double(object.width), Double(object.height)),
            isGroup: object.isCrowd)
        }, crop: box(0, 0, width, height))
    }
  }
}
