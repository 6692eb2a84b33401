import Foundation
import Models
import Shards
import Testing
import Training

@Suite struct ConditionTests {
  @Test("Coordinates are the reference's", arguments: [(4, 4), (2, 6)])
  func coordinates(size: (Int, Int)) {
    let (grid, factor) = (GridSize(height: size.0, width: size.1), 16)
    let (height, width) = (grid.height * factor, grid.width * factor)
    let found = CoordinatesCondition.tokens(
      grid, factor: factor, whole: GridSize(height: height, width: width), vocabulary: 1024)
    // The mean of arange(h · w) / (h · w) over each square, times 1024, rounded.
    for cell in 0..<grid.count {
      var sum = 0.0
      for y in 0..<factor {
        for x in 0..<factor {
          let pixel =
            (cell / grid.width * factor + y) * width + cell % grid.width * factor + x
          sum += Double(pixel) / Double(height * width)
        }
      }
      let expected = (1024 * sum / Double(factor * factor)).rounded(.toNearestOrEven)
      #expect(found[cell] == Int32(expected), "cell \(cell)")
    }
    let last = CoordinatesCondition.tokens(
      GridSize(height: 1, width: 1), factor: 1, top: 99, left: 99,
      whole: GridSize(height: 100, width: 100), vocabulary: 4)
    #expect(last == [3])  // not 4, as in the reference
  }

  @Test("A window has the condition codes below it, each at its own position")
  func windowsOfConditionCodes() {
    let codes = CodeGrid(height: 2, width: 4, codebookSize: 9, fingerprint: "")
    // Twice as many codes in a row as the condition has: f = 8 above f = 16, in one direction.
    let condition = GPTCondition(
      .codes(ConditionCodes(input: "images", grid: codes)), nullToken: 9)
    let trained = GridSize(height: 4, width: 8)
    let grid = GridSize(height: 8, width: 16)
    let whole = condition.grid(over: grid, trained: trained)
    #expect(whole == GridSize(height: 4, width: 8))
    #expect(condition.grid(over: GridSize(height: 5, width: 8), trained: trained) == nil)
    let all = (0..<32).map { Int32($0 % 9) }
    let window = GridWindow(row: 2, column: 6, size: trained)
    let placed = condition.placed(
      [.grid(all, GridSize(height: 4, width: 8)), .dropped], before: window, of: grid,
      trained: trained)
    let cells = (1...2).flatMap { row in (3..<7).map { row * 8 + $0 } }
    #expect(placed.tokens == [cells.map { all[$0] }, Array(repeating: 9, count: 8)])
    #expect(placed.positions == (0..<8).map { $0 })

    // A narrower grid leaves positions out.
    let small = GridSize(height: 4, width: 4)
    let part = condition.placed(
      [.grid([1, 2, 3, 4], GridSize(height: 2, width: 2))],
      before: GridWindow(row: 0, column: 0, size: small), of: small, trained: trained)
    #expect(part.tokens == [[1, 2, 3, 4]])
    #expect(part.positions == [0, 1, 4, 5])
  }

  /// Texts as earlier versions wrote them.
  @Test(
    "Files keep their flat form",
    arguments: [
      #"{"column":"room","kind":"label","null_token":3,"vocabulary":3}"#,
      #"{"grid":{"grid_height":2,"grid_width":3,"n_embed":9,"vqgan":"v","vqgan_fingerprint":"f"},"#
        + #""input":"depth","kind":"codes","vocabulary":9}"#,
      #"{"grid":{"grid_height":2,"grid_width":3,"n_embed":8,"vqgan":"","vqgan_fingerprint":""},"#
        + #""kind":"coordinates","vocabulary":8}"#,
      #"{"categories":[7,2],"kind":"boxes","objects":4,"vocabulary":8192}"#,
      #"{"kind":"points","objects":30,"vocabulary":100}"#,
    ])
  func files(text: String) throws {
    let condition = try JSONDecoder().decode(GPTCondition.self, from: Data(text.utf8))
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    #expect(String(decoding: try encoder.encode(condition), as: UTF8.self) == text)
    #expect(condition.problem == nil)
  }

  @Test(
    "What belongs to a kind must be there and agree",
    arguments: [
      #"{"kind":"label","vocabulary":3}"#,
      #"{"kind":"codes","vocabulary":9,"input":"depth"}"#,
      #"{"grid":{"grid_height":2,"grid_width":3,"n_embed":9,"vqgan":"v","vqgan_fingerprint":"f"},"#
        + #""input":"depth","kind":"codes","vocabulary":8}"#,
      #"{"kind":"boxes","vocabulary":8192}"#, #"{"kind":"words","vocabulary":8192}"#,
    ])
  func incompleteFiles(text: String) {
    #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(GPTCondition.self, from: Data(text.utf8))
    }
  }
}
