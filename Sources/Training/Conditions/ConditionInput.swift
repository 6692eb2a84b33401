// The condition of one image, and its tokens in a window.
import Models
import Shards

/// What one image is to show.
package enum ConditionInput: Equatable, Sendable {
  /// Tokens that are the same in every window: a label.
  case tokens([Int32])
  /// A grid of codes over the whole image.
  case grid([Int32], GridSize)
  case scene(Scene)
  /// The image without its condition.
  case dropped
}

extension GPTCondition {
  /// The condition tokens of every row of code shards, beside their codes.
  ///
  /// - Throws: `ShardError`, `ConditionError`, `CodesMismatch` where a row has no such condition.
  package func table(of shards: CodeShardSet) throws -> CodeTable {
    let tokens = try tokens(of: shards)
    return CodeTable(
      try (0..<shards.count).flatMap(tokens), rowLength: length, codebookSize: self.tokens)
  }

  /// The condition tokens of code shards.
  ///
  /// - Returns: reads those of one row, `length` of them; throws as `table`.
  /// - Throws: as `table`.
  package func tokens(of shards: CodeShardSet) throws -> (_ row: Int) throws -> [Int32] {
    let input = try reader(of: shards)
    let trained = shards.grid.size
    let whole = GridWindow(row: 0, column: 0, size: trained)
    return { row in
      placed([try input(row)], before: whole, of: trained, trained: trained).tokens[0]
    }
  }

  /// The grid of condition tokens over a whole image.
  ///
  /// - Parameters: grid: of the image's codes; trained: that of the model.
  /// - Returns: nil for conditions that lie in no grid, and where the two grids' ratio leaves a
  ///   rest.
  package func grid(over grid: GridSize, trained: GridSize) -> GridSize? {
    guard let own = self.grid, grid.height * own.height % trained.height == 0,
      grid.width * own.width % trained.width == 0
    else { return nil }
    return GridSize(
      height: grid.height * own.height / trained.height,
      width: grid.width * own.width / trained.width)
  }

  /// The tokens before a window, for several images.
  ///
  /// - Parameters: grid: of the whole image; trained: that of the model.
  package func placed(
    _ inputs: [ConditionInput], before window: GridWindow, of grid: GridSize, trained: GridSize
  ) -> PositionedTokens {
    var positions = (0..<Int32(length)).map { $0 }
    var cells: [Int] = []  // of the condition's grid, by position
    if let own = self.grid, let whole = self.grid(over: grid, trained: trained) {
      let part = GridWindow(
        row: window.row * own.height / trained.height,
        column: window.column * own.width / trained.width,
        size: GridSize(height: min(own.height, whole.height), width: min(own.width, whole.width)))
      positions = []
      for row in 0..<part.size.height {
        for column in 0..<part.size.width {
          cells.append((part.row + row) * whole.width + part.column + column)
          positions.append(Int32(row * own.width + column))
        }
      }
    }
    let tokens = inputs.map { input -> [Int32] in
      switch (input, kind) {
      case (.tokens(let tokens), _): tokens
      case (.grid(let codes, _), _): cells.map { codes[$0] }
      case (.scene(let scene), .objects(let objects)):
        objects.sceneTokens.tokens(objects.sceneTokens.scene(scene, in: window, of: grid))
      case (.scene, _): preconditionFailure("a scene for \(title)")
      case (.dropped, _):
        if let nullToken {
          Array(repeating: Int32(nullToken), count: positions.count)
        } else {
          preconditionFailure("\(title) was never dropped")
        }
      }
    }
    return PositionedTokens(tokens: tokens, positions: positions)
  }
}
