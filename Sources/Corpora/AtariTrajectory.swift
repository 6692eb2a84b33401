/// The rows of one `trajectories/GAME/ID.txt`, with what was odd about them.
package struct AtariTrajectory: Equatable, Sendable {
  /// The text before the header, such as `db traj id : 10`.
  package var metadata: [String] = []
  /// Good rows, frames strictly ascending.
  package var rows: [AtariTransition] = []
  /// Rows that cannot be used, in file order.
  package var faults: [InvalidAtariRow] = []
  /// Facts worth a warning that cost no row.
  package var notes: [AtariTrajectoryNote] = []
  /// Whether the text is written as in version 1 of the data set: blanks after commas, or `True`
  /// and `False`.
  package var isVersion1Text = false

  package init() {}

  /// The highest frame number that a row names, good or not; `nil` without any.
  ///
  /// Numbers out of range do not count.
  package var lastFrame: Int? {
    let faulty = faults.lazy.filter { $0.reason != .frameOutOfRange }.compactMap(\.frame).max()
    return [rows.last?.frame, faulty].compactMap { $0 }.max()
  }
}

/// Why one row of a trajectory cannot be used.
package struct InvalidAtariRow: Equatable, Sendable {
  package enum Reason: Equatable, Sendable {
    case missingColumns(found: Int, expected: Int)
    case notANumber(column: AtariColumn, text: String)
    case notAFlag(text: String)
    case unknownAction(Int)
    case frameOrder(after: Int)
    case frameOutOfRange
  }

  package var path: String
  /// Line in the file, counted from 1.
  package var line: Int
  /// The row's frame, when that much could be read.
  package var frame: Int?
  package var reason: Reason
}

extension InvalidAtariRow: CustomStringConvertible {
  package var description: String {
    let location = "\(path):\(line)"
    return switch reason {
    case .missingColumns(let found, let expected):
      "\(location): \(found) columns, expected \(expected) (frame,reward,score,terminal,action)"
    case .notANumber(let column, let text):
      "\(location): \(column.rawValue) is \"\(text)\", expected an integer"
    case .notAFlag(let text):
      "\(location): terminal is \"\(text)\", expected 0, 1, True or False"
    case .unknownAction(let action):
      "\(location): action is \(action), expected 0…17"
    case .frameOrder(let previous):
      "\(location): frame is \(frame ?? -1) after \(previous), expected a higher number"
    case .frameOutOfRange:
      "\(location): frame is \(frame ?? -1), expected 0…2147483647"
    }
  }
}

/// A fact about a trajectory that is worth a warning and costs no row.
package enum AtariTrajectoryNote: Equatable, Sendable {
  /// Scores that are not the running sum of the rewards; `line` is the first of `count` rows.
  case scoreMismatch(line: Int, score: Int, sum: Int, count: Int)
  /// Rows whose score is `null`; the running sum of the rewards stands in for it.
  case missingScores(line: Int, count: Int)
  /// Rows with more fields than the header names; the rest was ignored.
  case extraColumns(line: Int, count: Int)
}

extension AtariTrajectoryNote: CustomStringConvertible {
  package var description: String {
    switch self {
    case .scoreMismatch(let line, let score, let sum, let count):
      "line \(line): score is \(score), the rewards sum to \(sum) (\(count) such rows; kept as recorded)"
    case .missingScores(let line, let count):
      "line \(line): no score in \(count) rows; the sum of the rewards stands in for it"
    case .extraColumns(let line, let count):
      "line \(line): more columns than expected in \(count) rows; the rest was ignored"
    }
  }
}
