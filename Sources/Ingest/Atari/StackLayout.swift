import Images

/// How several game states stand in one image.
package enum StackLayout: String, CaseIterable, Sendable {
  /// Side by side, the oldest at the left.
  case horizontal
  /// Row by row from the top left, as square as the count allows; cells that stay empty are black.
  case grid

  /// Columns and rows of cells for `count` states.
  package func cells(for count: Int) -> (columns: Int, rows: Int) {
    switch self {
    case .horizontal:
      return (count, 1)
    case .grid:
      let columns = (1...max(1, count)).first { $0 * $0 >= count } ?? count
      return (columns, (count + columns - 1) / columns)
    }
  }
}
