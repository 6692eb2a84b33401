// Coordinates as conditions.
import Models
import Shards

/// How far down in the whole image each position of a grid is.
package struct CoordinatesCondition: ConditionPayload {
  package let vocabulary: Int
  /// The grid before an image of the trained size.
  package let grid: GridSize

  var name: GPTCondition.Name { .coordinates }
  var size: GridSize? { grid }
  var title: String { "coordinates" }

  func reader(of shards: CodeShardSet) throws -> (_ row: Int) throws -> ConditionInput {
    let frames = try ImageFrames(shards)
    return { .grid(frames.coordinates($0, grid, tokens: vocabulary), grid) }
  }

  /// How far down each position of a grid is in the whole image, as tokens.
  ///
  /// A pixel's coordinate is its number in reading order over the number of all; a position has the
  /// mean of its pixels.
  /// - Parameters:
  ///   - part: of the whole image that the grid covers.
  ///   - factor: pixels per position along one side.
  ///   - whole: size of the whole image, pixels.
  /// - Source: the reference's `CoordStage`; a coordinate of 1 would be one token too high there.
  package static func tokens(
    _ grid: GridSize, factor: Int, top: Int = 0, left: Int = 0, whole: GridSize, vocabulary: Int
  ) -> [Int32] {
    (0..<grid.count).map { cell in
      // The mean over a square of y · W + x is that of its middle.
      let y = Double(top + cell / grid.width * factor) + Double(factor - 1) / 2
      let x = Double(left + cell % grid.width * factor) + Double(factor - 1) / 2
      let position = (y * Double(whole.width) + x) / Double(whole.count)
      let token = (position * Double(vocabulary)).rounded(.toNearestOrEven)
      return Int32(min(max(token, 0), Double(vocabulary - 1)))
    }
  }

}

extension CoordinatesCondition {
  /// Coordinates of every code of shards.
  package init(of shards: CodeShardSet) {
    self.init(vocabulary: 1024, grid: shards.grid.positions)
  }

  // In files the grid is one of codes of no VQGAN.

  package init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: GPTCondition.CodingKeys.self)
    let codes = try values.decode(CodeGrid.self, forKey: .grid)
    try values.requireVocabulary(codes.codebookSize)
    self.init(vocabulary: codes.codebookSize, grid: codes.size)
  }

  package func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: GPTCondition.CodingKeys.self)
    try values.encode(vocabulary, forKey: .vocabulary)
    try values.encode(
      CodeGrid(height: grid.height, width: grid.width, codebookSize: vocabulary, fingerprint: ""),
      forKey: .grid)
  }
}
