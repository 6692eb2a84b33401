// The metrics of a run: metrics.csv for people and scripts, a TensorBoard event file beside it.
import Checksums
import DurableFiles
import Foundation

/// One number of a run; `nil` is an empty cell.
package struct Metric: Equatable, Sendable {
  package let name: String
  package let value: Double?

  package init(_ name: String, _ value: Double?) {
    self.name = name
    self.value = value
  }
}

/// What the rows of a step hold.
package enum MetricsPart: String, Codable, CaseIterable, Sendable {
  /// What the step itself has: all columns that are not `val/…`.
  case step
  case validation
  /// The measures of reconstructions as sets of images, in columns `val/…` too.
  case evaluation
}

/// Appends a run's metrics, one line per call, so that a crash loses at most the line that was
/// being written.
package final class MetricsLog {
  /// Metrics of the last step of the run that goes on, where its validation is still due.
  ///
  /// `nil` where nothing is due; `relog` completes them.
  package private(set) var reopened: [Metric]?
  /// What a checkpoint knows of the rows up to its step; nil where it does not.
  package struct KnownRows {
    /// How many there are, as `count(upTo:)` has told.
    var count: Int?
    /// As `digest(upTo:)` has told.
    var digest: String?
    /// What of the step's own rows goes, for the run goes on; the two above are without it.
    var leaving: [MetricsPart] = []

    package init() {}
  }

  /// What of the rows is not as the run had written them, for a warning; `nil` for nothing.
  package private(set) var difference: String?
  /// The validation losses so far, in the order of their steps.
  private var losses: [(step: Int, loss: Double)] = []
  /// The steps of the rows so far, but of those that hold validations alone.
  private var trainingSteps: [Int] = []
  /// Those of the others.
  private var validationSteps: [Int] = []
  private let path: String
  private let columns: [String]
  /// The column of the validation loss.
  private let validation: String?
  /// Lines in front of those of the step that is reopened.
  private var before: [String] = []
  /// All lines of the file, so that they can be written anew.
  private var lines: [String]
  /// Told that somebody has replaced or removed the file.
  package var warn: (String) -> Void = { _ in }
  /// What `warnOnce` has said.
  private var said: Set<String> = []
  private var file: OpenFile
  private let events: EventFile

  /// Opens `metrics.csv` (header `step,COLUMNS…`) and a new event file in the run folder.
  ///
  /// - Parameters:
  ///   - step: rows of later steps are cut off, those of a run that went on behind its last
  ///     checkpoint; `nil` begins a new file.
  ///   - validation: the column of the validation loss, if there is one.
  ///   - isValidated: whether `step` must have a value there; a signal may have come before.
  ///   - evaluation: the columns of the evaluation.
  ///   - isEvaluated: whether `step` must have a value in the first of them.
  ///   - known: what the checkpoint knows of the rows up to `step`.
  ///   - rows: how many rows a step has with the present options, to name those that are missing.
  /// - Throws: `DurableFileError`, `RunError.damaged` if the header differs.
  package init(
    _ run: RunFolder, columns: [String], resumingAfter step: Int?, validation: String? = nil,
    isValidated: Bool = false, evaluation: [String] = [], isEvaluated: Bool = false,
    known: KnownRows = KnownRows(), rowsOf: (_ step: Int) -> Int = { _ in 1 }
  ) throws {
    self.columns = columns
    self.validation = validation
    path = run.metricsPath
    let header = (["step"] + columns).joined(separator: ",")
    var rows: [(step: Int, line: String, metrics: [Metric])] = []
    var isCut = false
    if let step, DurableFile.exists(path) {
      let stored = String(decoding: try DurableFile.read(path), as: UTF8.self)
        .split(separator: "\n").map(String.init)
      guard stored.first == header else {
        throw RunError.damaged(
          path: path, problem: "line 1: the columns are not those of this version")
      }
      for line in stored.dropFirst() {
        let cells = line.split(separator: ",", omittingEmptySubsequences: false)
        guard cells.count == columns.count + 1, let row = Int(cells[0]), row <= step else {
          continue
        }
        var (kept, metrics) = ([cells[0]], [Metric]())
        for (name, cell) in zip(columns, cells.dropFirst()) {
          let leaves =
            row == step && known.leaving.contains(Self.part(of: name, evaluation: evaluation))
          kept.append(leaves ? "" : cell)
          if !leaves, let value = Double(cell) { metrics.append(Metric(name, value)) }
        }
        guard kept != cells else {
          rows.append((row, line, metrics))
          continue
        }
        isCut = true
        if !metrics.isEmpty { rows.append((row, kept.joined(separator: ","), metrics)) }
      }
    }
    let due = [isValidated ? validation : nil, isEvaluated ? evaluation.first : nil]
      .compactMap(\.self)
    if let step, !due.isEmpty {
      let last = rows.filter { $0.step == step }.flatMap(\.metrics)
      if !Set(due).isSubset(of: last.map(\.name)) {
        reopened = last
        before = [header] + rows.filter { $0.step < step }.map(\.line)
      }
    }
    lines = [header] + rows.map(\.line)
    try DurableFile.write(Self.bytes(lines), to: path)
    file = try OpenFile(appendingTo: path)
    events = try EventFile(in: run.path)
    for row in rows { note(row.metrics, of: row.step) }
    if let step, let count = known.count, self.count(upTo: step) < count {
      difference = missingRows(count, upTo: step, rowsOf)
    } else if let step, let digest = known.digest, self.digest(upTo: step) != digest {
      difference = changedRows(known.count, upTo: step)
    }
    if let step {
      try events.restart(at: reopened == nil && !isCut ? step + 1 : step)
      if isCut, reopened == nil {
        for row in rows where row.step == step { try events.write(row.metrics, step: step) }
      }
    } else if DurableFile.exists(run.configPath) {
      let config = String(decoding: try DurableFile.read(run.configPath), as: UTF8.self)
      try events.write(.text(tag: "config", "```\n\(config)\n```"), step: 0)
    }
  }

  private static func part(of column: String, evaluation: [String]) -> MetricsPart {
    if evaluation.contains(column) { return .evaluation }
    return column.hasPrefix("val/") ? .validation : .step
  }

  /// The columns of a run's file; nil where there is none.
  ///
  /// - Throws: `DurableFileError`.
  package static func columns(of run: RunFolder) throws -> [String]? {
    guard DurableFile.exists(run.metricsPath) else { return nil }
    let header = String(decoding: try DurableFile.read(run.metricsPath), as: UTF8.self)
      .prefix { $0 != "\n" }
    return header.split(separator: ",").dropFirst().map(String.init)
  }

  private static func bytes(_ lines: [String]) -> [UInt8] {
    Array((lines.joined(separator: "\n") + "\n").utf8)
  }

  /// One row; columns without a value stay empty.
  ///
  /// - Throws: `DurableFileError`, also where the run's folder is not there any more.
  package func log(step: Int, _ metrics: [Metric]) throws {
    try FolderLock.check(path)
    let line = line(step, metrics)
    lines.append(line)
    if file.isInPlace {
      try file.write(Self.bytes([line]))
    } else {
      try rewrite()
      warn("\(path): was replaced or removed meanwhile; it has all rows of the run again")
    }
    try tell(step, metrics)
  }

  /// Says something that the run meets again and again.
  func warnOnce(_ problem: String) {
    if said.insert(problem).inserted { warn(problem) }
  }

  /// Waits until the rows so far are on the disk: a checkpoint without its rows could not be
  /// continued bit for bit.
  package func sync() throws { try file.sync() }

  /// Puts rows in place of those of the step that was reopened, all at once.
  package func relog(step: Int, _ rows: [[Metric]]) throws {
    let rows = rows.filter { !$0.isEmpty }
    lines = before + rows.map { line(step, $0) }
    try rewrite()
    reopened = nil
    trainingSteps.removeAll { $0 >= step }
    validationSteps.removeAll { $0 >= step }
    losses.removeAll { $0.step >= step }
    for row in rows { try tell(step, row) }
  }

  private func rewrite() throws {
    try DurableFile.write(Self.bytes(lines), to: path)
    file = try OpenFile(appendingTo: path)
  }

  private func line(_ step: Int, _ metrics: [Metric]) -> String {
    let known = metrics.compactMap { metric in metric.value.map { (metric.name, $0) } }
    let byName = Dictionary(known, uniquingKeysWith: { $1 })
    precondition(byName.keys.allSatisfy { columns.contains($0) }, "a metric without a column")
    let cells = columns.map { name in byName[name].map(Self.cell) ?? "" }
    return ([String(step)] + cells).joined(separator: ",")
  }

  private static func cell(_ value: Double) -> String { String(format: "%.7g", value) }

  private func tell(_ step: Int, _ metrics: [Metric]) throws {
    try events.write(metrics, step: step)
    note(metrics, of: step)
  }

  /// Remembers a row, and its validation loss as the file has it: a resumed run finds the same one.
  private func note(_ metrics: [Metric], of step: Int) {
    let isOfTraining = metrics.contains { $0.value != nil && !$0.name.hasPrefix("val/") }
    if isOfTraining { trainingSteps.append(step) } else { validationSteps.append(step) }
    for case let metric in metrics where metric.name == validation {
      guard let loss = metric.value.flatMap({ Double(Self.cell($0)) }), loss.isFinite else {
        continue
      }
      losses.append((step, loss))
    }
  }

  /// The first step of the lowest validation loss of the given ones; nil where none has one.
  package func lowest(among steps: Set<Int>) -> Int? {
    losses.filter { steps.contains($0.step) }.min { $0.loss < $1.loss }?.step
  }

  // MARK: Rows that are missing or changed

  /// How many rows there are up to a step; its own validation, which may be due, does not count.
  package func count(upTo step: Int) -> Int {
    trainingSteps.count { $0 <= step } + validationSteps.count { $0 < step }
  }

  /// - Parameter count: how many rows there were.
  private func missingRows(
    _ count: Int, upTo last: Int, _ rowsOf: (_ step: Int) -> Int
  ) -> String {
    var found: [Int: Int] = [:]
    for step in trainingSteps + validationSteps.filter({ $0 < last }) {
      found[step, default: 0] += 1
    }
    let lost = count - self.count(upTo: last)
    var steps: [String] = []
    for step in 1...max(last, 1)
    where (found[step] ?? 0) < (step == last ? min(rowsOf(step), 1) : rowsOf(step)) {
      steps.append("\(step)")
      if steps.count == 8 { break }
    }
    return "\(path): \(lost) of \(count) rows up to step \(last) are missing"
      + (steps.isEmpty ? "" : ", those of steps \(steps.joined(separator: ", "))")
      + (lost > 8 ? " …" : "") + "; the run goes on without them"
  }

  /// Columns of the clock and the machine, which differ between runs that are equal.
  private static let incidental: Set = [
    "images_per_second", "tokens_per_second", "peak_memory_mib",
  ]

  /// The SHA-256 of the rows up to a step, those that `count(upTo:)` counts, each with a line feed
  /// and without the columns of the clock and the machine.
  ///
  /// The step's own validation, which may be due, does not count here either: without its columns
  /// (`val/…`) is the last row.
  ///
  /// - Parameter withLast: whether the row of the step itself is among them.
  package func digest(upTo step: Int, withLast: Bool = true) -> String {
    var hash = SHA256()
    let comma = UInt8(ascii: ",")
    for line in lines.dropFirst() {
      let cells = line.utf8.split(separator: comma, omittingEmptySubsequences: false)
      guard let row = cells.first.flatMap({ Int(String($0) ?? "") }), row <= step else { continue }
      var (kept, isOfTraining) = (Array(cells[0]), false)
      for (name, cell) in zip(columns, cells.dropFirst()) {
        let isOfValidation = name.hasPrefix("val/")
        if !isOfValidation, !cell.isEmpty { isOfTraining = true }
        guard !Self.incidental.contains(name), row < step || !isOfValidation else { continue }
        kept.append(comma)
        kept += cell
      }
      guard row < step || isOfTraining && withLast else { continue }
      kept.append(UInt8(ascii: "\n"))
      kept.withUnsafeBytes { hash.update($0) }
    }
    return hexadecimal(hash.finalize())
  }

  /// - Parameter count: how many rows there were.
  private func changedRows(_ count: Int?, upTo last: Int) -> String {
    let found = self.count(upTo: last)
    let repeated = Dictionary(grouping: lines.dropFirst(), by: { $0 }).filter { $1.count > 1 }.keys
      .compactMap { Int($0.prefix { $0 != "," }) }.sorted().prefix(8)
    let what = count.flatMap {
      found > $0 ? "\(found) instead of \($0) rows up to step \(last)" : nil
    }
    return "\(path): "
      + (what ?? "the rows up to step \(last) are not those that the run wrote")
      + (repeated.isEmpty ? "" : ", repeated are those of steps ")
      + repeated.map(String.init).joined(separator: ", ") + "; the run goes on with them"
  }

  /// An image for TensorBoard.
  package func image(_ tag: String, step: Int, png: [UInt8], width: Int, height: Int) throws {
    try events.write(.image(tag: tag, width: width, height: height, png: png), step: step)
  }
}
