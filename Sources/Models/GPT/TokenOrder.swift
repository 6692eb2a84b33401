// The order in which the codes of a grid become a sequence.

import TensorCore

/// An order of the cells of a grid.
///
/// - Source: the reference's `permuter.py`.
package enum TokenOrder: String, Codable, CaseIterable, Sendable {
  /// Row by row.
  case raster
  /// Quarters of quarters.
  case zCurve = "z-curve"
  /// Around the middle, outwards.
  case spiralOut = "spiral-out"
  /// Along the border, inwards.
  case spiralIn = "spiral-in"
  /// Every second row and column first, in four passes at each scale.
  case subsample
  /// Row by row, every second row backwards.
  case alternate
  /// One fixed order sampled at random: NumPy's `RandomState(1).permutation`, as the reference
  /// samples it.
  case random

  /// The cells, as positions in raster order, in the order of their turn.
  package func cells(of grid: GridSize) -> [Int] {
    switch self {
    case .raster: Array(0..<grid.count)
    case .zCurve: Self.sorted(grid) { Self.interleaved($0, $1) }
    case .spiralIn: Self.spiral(grid)
    case .spiralOut: Self.spiral(grid).reversed()
    case .subsample: Self.subsampled(grid)
    case .alternate:
      (0..<grid.height).flatMap { row in
        let cells = row * grid.width..<(row + 1) * grid.width
        return row.isMultiple(of: 2) ? Array(cells) : cells.reversed()
      }
    case .random: MersenneTwister.permutation(grid.count, seed: 1)
    }
  }

  private static func sorted(_ grid: GridSize, by key: (_ row: Int, _ column: Int) -> Int) -> [Int]
  {
    (0..<grid.count).sorted {
      key($0 / grid.width, $0 % grid.width) < key($1 / grid.width, $1 % grid.width)
    }
  }

  /// The bits of row and column in turns, the column's lowest.
  private static func interleaved(_ row: Int, _ column: Int) -> Int {
    (0..<31).reduce(0) { sum, bit in
      sum | (column >> bit & 1) << (2 * bit) | (row >> bit & 1) << (2 * bit + 1)
    }
  }

  /// From the bottom right up, to the left, down, to the right, and so on inwards.
  private static func spiral(_ grid: GridSize) -> [Int] {
    var (top, left, bottom, right) = (0, 0, grid.height - 1, grid.width - 1)
    var cells: [Int] = []
    func add(_ rows: some Sequence<Int>, _ columns: some Sequence<Int>) {
      for row in rows { for column in columns { cells.append(row * grid.width + column) } }
    }
    while top <= bottom, left <= right {
      add((top...bottom).reversed(), right...right)
      add(top...top, (left..<right).reversed())
      if left < right { add((top...bottom).dropFirst(), left...left) }
      if top < bottom { add(bottom...bottom, (left..<right).dropFirst()) }
      (top, left, bottom, right) = (top + 1, left + 1, bottom - 1, right - 1)
    }
    return cells
  }

  /// The four cells of each 2×2 block apart: first all top left ones, and so on, each quarter again
  /// in this order.
  private static func subsampled(_ grid: GridSize) -> [Int] {
    func order(_ rows: [Int], _ columns: [Int]) -> [Int] {
      guard rows.count > 1 || columns.count > 1 else {
        return rows.flatMap { row in columns.map { row * grid.width + $0 } }
      }
      func half(_ positions: [Int], _ phase: Int) -> [Int] {
        positions.indices.filter { $0 % 2 == phase }.map { positions[$0] }
      }
      return [(0, 0), (0, 1), (1, 0), (1, 1)].flatMap {
        order(half(rows, $0.0), half(columns, $0.1))
      }
    }
    return order(Array(0..<grid.height), Array(0..<grid.width))
  }
}
