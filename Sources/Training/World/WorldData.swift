// The recorded steps of games, cut where they do not follow each other.
import Checksums
import Models
import Shards
import TensorCore

/// Why code shards hold no games.
package enum WorldDataError: Error, Equatable {
  case noColumn(path: String, column: String, known: [String])
  case notWhole(path: String, column: String)
  case value(path: String, column: String, row: Int, found: Int, expected: String)
  /// No row follows another.
  case nothingFollows(path: String, rows: Int)
  /// No piece is long enough for what is wanted.
  case tooShort(path: String, longest: Int, wanted: Int)
  /// Image shards that lack the image of a row.
  case noImage(path: String, name: String)
  case otherSize(path: String, found: String, expected: String)
}

extension WorldDataError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noColumn(let path, let column, let known):
      "\(path): no column \(column); there are \(known.joined(separator: ", ")). A world model needs "
        + "the codes of recordings by prep-atari"
    case .notWhole(let path, let column): "\(path): /\(column) holds no integers"
    case .value(let path, let column, let row, let found, let expected):
      "\(path): /\(column)[\(row)] is \(found), expected \(expected)"
    case .nothingFollows(let path, let rows):
      "\(path): none of \(rows) rows follows another; a world model needs successive frames of a "
        + "recording"
    case .tooShort(let path, let longest, let wanted):
      "\(path): at most \(longest) rows follow each other, expected \(wanted); take fewer --steps"
    case .noImage(let path, let name): "\(path): no row \(name), which is among the codes"
    case .otherSize(let path, let found, let expected):
      "\(path): images of \(found), the VQGAN makes \(expected) of these codes"
    }
  }
}

/// The steps of recorded games in memory.
///
/// A row is an image, the action chosen in it, and the reward and the end that this led to.
package struct WorldData: TransformerData {
  package let codes: CodeTable
  package let actions: [Int32]  // of each row
  package let rewards: [Int32]  // their classes: 0 below zero, 1 none, 2 above zero
  package let ends: [Int32]  // 0 or 1
  /// Rows that follow each other, in order; all rows are in one.
  package let pieces: [Range<Int>]
  /// The difference of the frame numbers of rows that follow each other.
  package let stride: Int
  /// Steps of a sequence at most.
  package var segment: Int
  /// The rows that a row follows, where sequences begin, and where their pieces end.
  private let starts: [(row: Int, end: Int)]

  /// Steps as they are.
  ///
  /// - Parameter frames: the number of each row's frame and of its recording.
  /// - Precondition: as many of each as rows of codes; some row follows another.
  package init(
    codes: CodeTable, actions: [Int32], rewards: [Int32], ends: [Int32],
    frames: [(trajectory: Int, frame: Int)], segment: Int
  ) {
    (self.codes, self.actions, self.rewards, self.ends) = (codes, actions, rewards, ends)
    self.segment = segment
    stride = Self.stride(frames)
    pieces = Self.pieces(frames, ends, stride: stride)
    starts = pieces.flatMap { piece in
      piece.dropLast().map { (row: $0, end: piece.upperBound) }
    }
  }

  /// Reads every row of the shards.
  ///
  /// - Parameters:
  ///   - limit: actions are below this; those of any model if left out.
  ///   - progress: called after each row.
  /// - Throws: `WorldDataError`, `ShardError`, and what `progress` throws.
  package init(
    _ shards: CodeShardSet, segment: Int, actionsBelow limit: Int? = nil,
    progress: () throws -> Void
  ) throws {
    let actions = try Self.column("action", of: shards)
    let limit = limit ?? Self.actionLimit
    if let index = actions.firstIndex(where: { !(0..<limit).contains($0) }) {
      let (reader, row) = try shards.locate(index)
      throw WorldDataError.value(
        path: reader.path, column: "action", row: row, found: actions[index],
        expected: "0 to \(limit - 1)")
    }
    let trajectories = try Self.column("trajectory", of: shards)
    let frames = try Self.column("frame", of: shards)
    let rewards = try Self.column("reward", of: shards)
    let ends = try Self.column("terminal", of: shards)
    self.init(
      codes: try CodeTable(shards, progress: progress), actions: actions.map { Int32($0) },
      rewards: rewards.map { Int32($0.signum() + 1) }, ends: ends.map { $0 == 0 ? 0 : 1 },
      frames: zip(trajectories, frames).map { (trajectory: $0, frame: $1) }, segment: segment)
    if starts.isEmpty {
      throw WorldDataError.nothingFollows(path: shards.paths[0], rows: shards.count)
    }
  }

  private static let actionLimit = 65_536

  private static func column(_ name: String, of shards: CodeShardSet) throws -> [Int] {
    let path = shards.paths[0]
    guard shards.labelNames.contains(name) else {
      throw WorldDataError.noColumn(path: path, column: name, known: shards.labelNames)
    }
    guard let values = try shards.labels(name).integers else {
      throw WorldDataError.notWhole(path: path, column: name)
    }
    return values
  }

  /// Actions that shards tell of: one more than the largest number.
  ///
  /// - Throws: `WorldDataError`, `ShardError`.
  package static func actionCount(of shards: CodeShardSet) throws -> Int {
    min(max(try column("action", of: shards).max() ?? 0, 0), actionLimit - 1) + 1
  }

  /// The commonest difference of successive frames of a recording, the smallest of equals.
  private static func stride(_ frames: [(trajectory: Int, frame: Int)]) -> Int {
    var counts: [Int: Int] = [:]
    for (before, now) in zip(frames, frames.dropFirst()) where before.trajectory == now.trajectory {
      let (difference, overflows) = now.frame.subtractingReportingOverflow(before.frame)
      if difference > 0, !overflows { counts[difference, default: 0] += 1 }
    }
    return counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? 1
  }

  private static func pieces(
    _ frames: [(trajectory: Int, frame: Int)], _ ends: [Int32], stride: Int
  ) -> [Range<Int>] {
    var pieces: [Range<Int>] = []
    var start = 0
    for row in frames.indices.dropFirst() {
      let (before, now) = (frames[row - 1], frames[row])
      let (difference, overflows) = now.frame.subtractingReportingOverflow(before.frame)
      if before.trajectory != now.trajectory || difference != stride || overflows
        || ends[row - 1] != 0
      {
        pieces.append(start..<row)
        start = row
      }
    }
    if !frames.isEmpty { pieces.append(start..<frames.count) }
    return pieces
  }

  // MARK: What a training asks for

  package var identity: String {
    var hash = SHA256()
    codes.add(to: &hash)
    for column in [actions, rewards, ends, pieces.map { Int32($0.lowerBound) }] {
      column.withUnsafeBytes { hash.update($0) }
    }
    return hexadecimal(hash.finalize())
  }

  /// Sequences of an epoch: one begins at every row that another follows.
  package var count: Int { starts.count }
  /// Codes of a sequence.
  package var itemLength: Int { segment * codes.rowLength }
  package var unigramEntropy: Double { codes.unigramEntropy }

  /// The sequence that begins at the start of a number, `segment` steps or up to the end of its
  /// piece.
  func sequence(_ number: Int) -> WorldSteps.Sequence {
    let (row, end) = starts[number]
    return sequence(row..<min(row + segment, end))
  }

  /// A sequence of a piece that is as likely as every other, whatever their lengths.
  func sequence(using random: inout RandomSource) -> WorldSteps.Sequence {
    let long = pieces.filter { $0.count > 1 }
    let piece = long[Int.random(in: 0..<long.count, using: &random)]
    let row = Int.random(in: piece.lowerBound..<piece.upperBound - 1, using: &random)
    return sequence(row..<min(row + segment, piece.upperBound))
  }

  /// The steps of some successive rows.
  package func sequence(_ rows: Range<Int>) -> WorldSteps.Sequence {
    WorldSteps.Sequence(
      codes: codes.codes(Array(rows)).elements, actions: Array(actions[rows]),
      rewards: Array(rewards[rows]), ends: Array(ends[rows]))
  }

  /// Whether a row's piece has the row so many behind it.
  package func hasRow(_ offset: Int, behind row: Int) -> Bool {
    pieces.first { $0.contains(row) }?.contains(row + offset) == true
  }

  /// The image of a row, `[h·w]`.
  package func image(_ row: Int) -> [Int32] { codes.codes([row]).elements }

  /// Rows with as many rows of their piece before and behind them, evenly spread.
  ///
  /// - Parameter path: of the shards, for the error.
  /// - Throws: `WorldDataError.tooShort`.
  package func starts(
    _ count: Int, before: Int, behind: Int, in path: String
  ) throws(WorldDataError) -> [Int] {
    let fitting = pieces.flatMap { piece in
      piece.dropFirst(before).dropLast(behind)
    }
    guard !fitting.isEmpty else {
      throw .tooShort(
        path: path, longest: pieces.map(\.count).max() ?? 0, wanted: before + 1 + behind)
    }
    return evenRows(count, of: fitting.count).map { fitting[$0] }
  }
}
