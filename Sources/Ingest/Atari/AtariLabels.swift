import Corpora
import Shards

/// The labels of one row.
package struct AtariLabels: Equatable, Sendable {
  package var trajectory: Int
  /// Number of the state; of a stack, its last.
  package var frame: Int
  /// What the player did in front of the (last) state.
  package var action: AtariAction
  /// Points won from the (first) state on until the next stored one.
  package var reward: Int
  /// Points of the game so far, after the (last) state's action.
  package var score: Int
  /// Whether the game ended before the next stored state.
  package var terminal: Bool
  /// The room that the (last) state shows; nil where rooms are not told apart, 0 for an unknown one.
  package var room: Int32?

  /// A number that the row keeps whatever the options: trajectory · 2³² + frame.
  package var id: Int64 { Int64(trajectory) << 32 | Int64(frame) }

  /// The row's name, such as `revenge/10/512`.
  func name(game: String) -> String { "\(game)/\(trajectory)/\(frame)" }
}

extension [AtariLabels] {
  /// The labels as a shard stores them, one value a row.
  var columns: [(name: String, column: ShardColumn)] {
    let rooms = compactMap(\.room)
    return [
      ("trajectory", .int64(map { Int64($0.trajectory) })),
      ("frame", .int64(map { Int64($0.frame) })),
      ("action", .uint8(map(\.action.rawValue))),
      ("reward", .int64(map { Int64($0.reward) })),
      ("score", .int64(map { Int64($0.score) })),
      ("terminal", .bool(map(\.terminal))),
    ] + (rooms.count == count && !rooms.isEmpty ? [("room", .int32(rooms))] : [])
  }
}
