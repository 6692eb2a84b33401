/// Reads the text of a trajectory, version 1 or 2 of the data set.
///
/// The two versions differ in blanks after commas and in `True`/`False` against 0/1; forks of the
/// data set add headers twice, line ends of Windows, `null` scores and extra columns. All of that
/// is read. A row that still makes no sense becomes a fault and costs that row alone.
///
/// - Source: github.com/yobibyte/atarigrandchallenge, its README and issues.
package struct AtariTrajectoryParser {
  /// The file, for messages.
  private let path: String
  private var trajectory = AtariTrajectory()
  private var order = AtariColumnOrder()
  private var seenHeader = false
  /// Sum of the rewards of the good rows so far.
  private var sum = 0
  private var scoreMismatch: (line: Int, score: Int, sum: Int, count: Int)?
  private var missingScores: (line: Int, count: Int)?
  private var extraColumns: (line: Int, count: Int)?

  private init(path: String) { self.path = path }

  /// The trajectory in `bytes`.
  ///
  /// - Throws: `.missingColumn` when a header lacks a column, `.noRows` when there is no row at
  ///   all.
  /// - Complexity: linear in the number of bytes.
  package static func parse(
    _ bytes: [UInt8], path: String
  ) throws(AtariCorpusError) -> AtariTrajectory {
    var parser = AtariTrajectoryParser(path: path)
    let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
    var rest = bytes[...]
    if rest.starts(with: byteOrderMark) { rest = rest.dropFirst(byteOrderMark.count) }
    var line = 0
    while !rest.isEmpty {
      let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
      line += 1
      try parser.read(TrajectoryField.split(rest[rest.startIndex..<end]), line: line)
      rest = end < rest.endIndex ? rest[(end + 1)...] : []
    }
    return try parser.finished()
  }

  private mutating func read(
    _ fields: [TrajectoryField], line: Int
  ) throws(AtariCorpusError) {
    if fields.count == 1, fields[0].bytes.isEmpty { return }
    let isText = fields[0].integer == nil
    if isText, fields.contains(where: { $0.text.lowercased() == AtariColumn.frame.rawValue }) {
      do {
        order = try AtariColumnOrder(header: fields)
      } catch {
        throw .missingColumn(path: path, line: line, column: error.column.rawValue)
      }
      seenHeader = true
      return
    }
    let isPreamble = !seenHeader && trajectory.rows.isEmpty && trajectory.faults.isEmpty
    if isPreamble, fields.count == 1 || isText {
      trajectory.metadata.append(fields.map(\.text).joined(separator: ","))
      return
    }
    switch row(fields, line: line) {
    case .success(let row): trajectory.rows.append(row)
    case .failure(let fault): trajectory.faults.append(fault.fault)
    }
  }

  private struct Failure: Error { let fault: InvalidAtariRow }

  private mutating func row(
    _ fields: [TrajectoryField], line: Int
  ) -> Result<AtariTransition, Failure> {
    var frame: Int?
    func fault(_ reason: InvalidAtariRow.Reason) -> Result<AtariTransition, Failure> {
      .failure(
        Failure(fault: InvalidAtariRow(path: path, line: line, frame: frame, reason: reason)))
    }
    func number(_ position: Int) -> Int? { fields[position].integer }

    guard fields.count >= order.needed else {
      if order.frame < fields.count { frame = number(order.frame) }
      return fault(.missingColumns(found: fields.count, expected: order.needed))
    }
    guard let found = number(order.frame) else {
      return fault(.notANumber(column: .frame, text: fields[order.frame].text))
    }
    frame = found
    guard (0...Int(Int32.max)).contains(found) else { return fault(.frameOutOfRange) }
    if let previous = trajectory.rows.last?.frame, found <= previous {
      return fault(.frameOrder(after: previous))
    }
    guard let reward = number(order.reward) else {
      return fault(.notANumber(column: .reward, text: fields[order.reward].text))
    }
    guard let terminal = fields[order.terminal].flag else {
      return fault(.notAFlag(text: fields[order.terminal].text))
    }
    guard let code = number(order.action) else {
      return fault(.notANumber(column: .action, text: fields[order.action].text))
    }
    guard let action = UInt8(exactly: code).flatMap(AtariAction.init(rawValue:)) else {
      return fault(.unknownAction(code))
    }
    let (total, overflows) = sum.addingReportingOverflow(reward)
    let running = overflows ? sum : total
    let score: Int
    if fields[order.score].isNull {
      score = running
      missingScores = (missingScores?.line ?? line, (missingScores?.count ?? 0) + 1)
    } else if let recorded = number(order.score) {
      score = recorded
    } else {
      return fault(.notANumber(column: .score, text: fields[order.score].text))
    }

    sum = running
    note(score: score, line: line)
    if fields.count > order.named {
      extraColumns = (extraColumns?.line ?? line, (extraColumns?.count ?? 0) + 1)
    }
    noteStyle(fields)
    return .success(
      AtariTransition(
        frame: found, action: action, reward: reward, score: score, terminal: terminal)
    )
  }

  private mutating func note(score: Int, line: Int) {
    guard score != sum else { return }
    if let first = scoreMismatch {
      scoreMismatch = (first.line, first.score, first.sum, first.count + 1)
    } else {
      scoreMismatch = (line, score, sum, 1)
    }
  }

  /// Version 1 writes `0, 0, 0, False, 3`: the blank after the first comma shows as a gap between
  /// the fields' bytes.
  private mutating func noteStyle(_ fields: [TrajectoryField]) {
    guard !trajectory.isVersion1Text else { return }
    let hasBlank = fields[1].bytes.startIndex > fields[0].bytes.endIndex + 1
    trajectory.isVersion1Text = hasBlank || fields[order.terminal].integer == nil
  }

  private consuming func finished() throws(AtariCorpusError) -> AtariTrajectory {
    guard !trajectory.rows.isEmpty || !trajectory.faults.isEmpty else { throw .noRows(path: path) }
    if let (line, score, sum, count) = scoreMismatch {
      trajectory.notes.append(.scoreMismatch(line: line, score: score, sum: sum, count: count))
    }
    if let (line, count) = missingScores {
      trajectory.notes.append(.missingScores(line: line, count: count))
    }
    if let (line, count) = extraColumns {
      trajectory.notes.append(.extraColumns(line: line, count: count))
    }
    return trajectory
  }
}
