// Positions in time, row and column, by rotation; and what each position sees.
import Foundation
import TensorCore

extension WorldConfig {
  /// What a token of whole steps sees.
  var attentionMask: AttentionMask {
    switch mask {
    case .banded: .banded(step: step, context: context)
    case .causal: .causal(prefix: 0)
    case .blockCausal: .blockCausal(step: step)
    }
  }

  /// The angles of successive tokens, `[count][headWidth / 2]`; nil for learned positions.
  ///
  /// A third of the channels of a head turns with the row, a third with the column, the rest with
  /// the step; only differences count, so a step may have any number. Rows and columns are counted
  /// from 1, an action stands at 0.
  ///
  /// - Parameter start: of the first token, `step · P +` its place in the step.
  /// - Source: Su et al. 2021, in three dimensions.
  func rotation(from start: Int, count: Int, on device: Device) -> Rotation? {
    guard positions == .rotary else { return nil }
    let pairs = width / heads / 2
    let space = rates(pairs / 3)
    let time = rates(pairs - 2 * space.count)
    let angles = (start..<start + count).map { token -> [Double] in
      let (number, place) = (Double(token / step), token % step)
      let isAction = place == codes
      let row = isAction ? 0 : Double(place / gridWidth + 1)
      let column = isAction ? 0 : Double(place % gridWidth + 1)
      return time.map { $0 * number } + space.map { $0 * row } + space.map { $0 * column }
    }
    return Rotation(angles: angles, on: device)
  }

  private func rates(_ pairs: Int) -> [Double] {
    (0..<pairs).map { pow(10_000, -Double($0) / Double(pairs)) }
  }
}
