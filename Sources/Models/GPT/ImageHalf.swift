// Halves of grids.

/// The half of an image that is given; the other one is sampled.
package enum ImageHalf: String, CaseIterable, Sendable {
  case top, bottom, left, right

  /// The cells of this half, `[H·W]`.
  ///
  /// Top and bottom are counted in codes, as the reference does: of a grid of odd height half a row
  /// belongs to them. Left and right are whole columns, rounded down.
  package func cells(of grid: GridSize) -> [Bool] {
    (0..<grid.count).map { cell in
      switch self {
      case .top: cell < grid.count / 2
      case .bottom: cell >= grid.count - grid.count / 2
      case .left: cell % grid.width < grid.width / 2
      case .right: cell % grid.width >= grid.width - grid.width / 2
      }
    }
  }
}
