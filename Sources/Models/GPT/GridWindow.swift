// Which part of a grid the model sees when it samples one code of it.

/// The extent of a grid of codes.
package struct GridSize: Hashable, Sendable {
  package var height, width: Int

  package init(height: Int, width: Int) {
    (self.height, self.width) = (height, width)
  }

  /// Codes of the grid.
  package var count: Int { height * width }
}

extension GridSize: CustomStringConvertible {
  package var description: String { "\(height)×\(width)" }
}

/// The part of a grid that the model sees at once, never larger than the grid that it was trained
/// on.
///
/// Along each side the window has its middle at the cell, and stops at the borders of the grid:
/// with trained side s and grid side n it begins at `min(max(i - s/2, 0), n - s)`. For s = 16 these
/// are the reference's local positions i up to 8, 8, and 16 - (n - i) in the last seven rows. A
/// grid that is smaller than the trained one is seen whole; the reference computes with positions
/// that are not there.
/// - Source: reference's `sample_conditional.py`.
package struct GridWindow: Hashable, Sendable {
  package let row, column: Int  // of the first cell
  package let size: GridSize

  package init(row: Int, column: Int, size: GridSize) {
    (self.row, self.column, self.size) = (row, column, size)
  }

  /// The window for sampling the cell at `row`, `column`.
  ///
  /// - Parameters:
  ///   - step: the window moves by so many positions at once: its beginning is rounded down to a
  ///     multiple, unless it is at the far border. The reference moves it by one.
  ///   - depth: cells of a position, which stand one after the other.
  package init(
    around row: Int, _ column: Int, of grid: GridSize, seenBy trained: GridSize, step: Int = 1,
    depth: Int = 1
  ) {
    func start(_ position: Int, _ side: Int, _ seen: Int) -> Int {
      let last = max(side - seen, 0)
      let middle = min(max(position - seen / 2, 0), last)
      return middle == last ? last : middle / step * step
    }
    self.init(
      row: start(row, grid.height, trained.height),
      column: start(column / depth, grid.width / depth, trained.width / depth) * depth,
      size: GridSize(
        height: min(grid.height, trained.height), width: min(grid.width, trained.width)))
  }
}
