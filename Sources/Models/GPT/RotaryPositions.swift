// Positions in two dimensions, by rotation.
import Foundation
import TensorCore

/// Rotary positions of a grid of codes behind condition tokens, which are not turned.
///
/// One half of the channels of a head turns with the row, the other with the column, each pair at a
/// rate of its own.
/// - Source: Su et al. 2021; in two dimensions as in LlamaGen (Sun et al. 2024).
package struct RotaryPositions: Codable, Equatable, Sendable {
  /// Codes of a row of the trained grid.
  package var width: Int
  /// Tokens before the first code.
  package var start: Int
  /// The cell of every turn; nil, and no key in the file, for raster order.
  package var order: TokenOrder?
  /// Rows of the trained grid.
  package var height: Int

  package init(height: Int, width: Int, start: Int, order: TokenOrder? = nil) {
    (self.height, self.width, self.start, self.order) = (height, width, start, order)
  }

  /// The angles of positions, `[T][headWidth / 2]`.
  package func rotation(
    _ positions: [Int32], headWidth: Int, on device: Device = .default
  ) -> Rotation {
    let cells = order.map { $0.cells(of: GridSize(height: height, width: width)) }
    let pairs = headWidth / 4
    let rates = (0..<pairs).map { pow(10_000, -Double($0) / Double(pairs)) }
    let angles = positions.map { position -> [Double] in
      let turn = Int(position) - start
      guard turn >= 0 else { return Array(repeating: 0, count: 2 * pairs) }
      let cell = cells.map { turn < $0.count ? $0[turn] : turn } ?? turn
      // Counted from 1: a code in the corner differs from a condition token.
      let (row, column) = (Double(cell / width + 1), Double(cell % width + 1))
      return rates.map { $0 * row } + rates.map { $0 * column }
    }
    return Rotation(angles: angles, on: device)
  }
}
