import Models
import Testing

@Suite struct TokenOrderTests {
  /// What the reference's permuter.py gives for 4×4 codes.
  static let expected: [TokenOrder: [Int]] = [
    .raster: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    .alternate: [0, 1, 2, 3, 7, 6, 5, 4, 8, 9, 10, 11, 15, 14, 13, 12],
    .zCurve: [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15],
    .subsample: [0, 2, 8, 10, 1, 3, 9, 11, 4, 6, 12, 14, 5, 7, 13, 15],
    .spiralOut: [9, 5, 6, 10, 14, 13, 12, 8, 4, 0, 1, 2, 3, 7, 11, 15],
    .random: [3, 13, 7, 2, 6, 10, 4, 1, 14, 0, 15, 9, 8, 12, 11, 5],
  ]

  @Test(arguments: expected.keys)
  func ordersAreThoseOfTheReference(order: TokenOrder) {
    #expect(order.cells(of: GridSize(height: 4, width: 4)) == Self.expected[order])
  }

  @Test(
    arguments: TokenOrder.allCases, [(1, 1), (1, 5), (5, 1), (3, 5), (13, 13), (20, 13), (16, 16)])
  func everyCellHasOneTurn(order: TokenOrder, size: (Int, Int)) {
    let grid = GridSize(height: size.0, width: size.1)
    #expect(order.cells(of: grid).sorted() == Array(0..<grid.count), "\(order) \(grid)")
  }

  @Test func spiralsAreEachOthersReverse() {
    let grid = GridSize(height: 6, width: 4)
    #expect(TokenOrder.spiralIn.cells(of: grid) == TokenOrder.spiralOut.cells(of: grid).reversed())
  }
}
