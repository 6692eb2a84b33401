// The condition of one picture, and its tokens in a window.
import Models

/// What one picture is to show.
package enum ConditionInput: Equatable, Sendable {
  /// Tokens that are the same in every window: a label.
  case tokens([Int32])
  /// A grid of codes over the whole picture.
  case grid([Int32], GridSize)
  case scene(Scene)
  /// The picture without its condition.
  case dropped
}

extension GPTCondition {
  /// The grid of condition codes that belongs to a grid of codes.
  ///
  /// - Returns: nil where the two grids' ratio leaves a rest.
  package func conditionGrid(of grid: GridSize, trained: GridSize) -> GridSize? {
    guard let own = self.grid else { return GridSize(height: 1, width: 1) }
    guard grid.height * own.height % trained.height == 0,
      grid.width * own.width % trained.width == 0
    else { return nil }
    return GridSize(
      height: grid.height * own.height / trained.height,
      width: grid.width * own.width / trained.width)
  }

  /// The tokens before a window, for several pictures.
  ///
  /// - Parameters: grid: of the whole picture; trained: that of the model.
  package func placed(
    _ inputs: [ConditionInput], before window: GridWindow, of grid: GridSize, trained: GridSize
  ) -> PlacedTokens {
    var places = (0..<Int32(length)).map { $0 }
    var cells: [Int] = []  // of the condition's grid, by place
    if let own = self.grid, let whole = conditionGrid(of: grid, trained: trained) {
      let part = GridWindow(
        row: window.row * own.height / trained.height,
        column: window.column * own.width / trained.width,
        size: GridSize(height: min(own.height, whole.height), width: min(own.width, whole.width)))
      places = []
      for row in 0..<part.size.height {
        for column in 0..<part.size.width {
          cells.append((part.row + row) * whole.width + part.column + column)
          places.append(Int32(row * own.width + column))
        }
      }
    }
    let tokens = inputs.map { input -> [Int32] in
      switch input {
      case .tokens(let tokens): tokens
      case .grid(let codes, _): cells.map { codes[$0] }
      case .scene(let scene):
        sceneTokens.tokens(sceneTokens.scene(scene, in: window, of: grid))
      case .dropped: Array(repeating: Int32(nullToken ?? 0), count: places.count)
      }
    }
    return PlacedTokens(tokens: tokens, places: places)
  }

  /// How far down each place of a grid is in the whole picture, as tokens.
  ///
  /// A pixel's coordinate is its number in reading order over the number of all; a place has the mean of its pixels.
  /// - Parameters:
  ///   - part: of the whole picture that the grid covers.
  ///   - factor: pixels per place along one side.
  ///   - whole: size of the whole picture, pixels.
  /// - Source: the reference's `CoordStage`; a coordinate of 1 would be one token too high there.
  package static func coordinates(
    _ grid: GridSize, factor: Int, top: Int = 0, left: Int = 0, whole: GridSize, tokens: Int
  ) -> [Int32] {
    (0..<grid.count).map { cell in
      // The mean over a square of y · W + x is that of its middle.
      let y = Double(top + cell / grid.width * factor) + Double(factor - 1) / 2
      let x = Double(left + cell % grid.width * factor) + Double(factor - 1) / 2
      let place = (y * Double(whole.width) + x) / Double(whole.count)
      let token = (place * Double(tokens)).rounded(.toNearestOrEven)
      return Int32(min(max(token, 0), Double(tokens - 1)))
    }
  }
}
