// The metrics of a run: metrics.csv for people and scripts, a TensorBoard event file beside it.
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

/// Appends a run's metrics, one line per call, so that a crash loses at most the line that was
/// being written.
package final class MetricsLog {
  /// Metrics of the last step of the run that goes on, where its validation is still due.
  ///
  /// They are out of the file, to be logged again together with it; `nil` where nothing is due.
  package let reopened: [Metric]?
  private let columns: [String]
  private let file: OpenFile
  private let events: EventFile

  /// Opens `metrics.csv` (header `step,COLUMNS…`) and a new event file in the run folder.
  ///
  /// - Parameters:
  ///   - step: rows of later steps are cut off, those of a run that went on behind its last
  ///     checkpoint; `nil` begins a new file.
  ///   - validation: a column in which `step` must have a value, because it is validated; a signal
  ///     may have come before. `nil` if it is not.
  /// - Throws: `DurableFileError`, `RunError.damaged` if the header differs.
  package init(
    _ run: RunFolder, columns: [String], resumingAfter step: Int?,
    validatedIn validation: String? = nil
  ) throws {
    self.columns = columns
    var reopened: [Metric]?
    let path = run.metricsPath
    var lines = [(["step"] + columns).joined(separator: ",")]
    if let step, DurableFile.exists(path) {
      let stored = String(decoding: try DurableFile.read(path), as: UTF8.self)
        .split(separator: "\n").map(String.init)
      guard stored.first == lines[0] else {
        throw RunError.damaged(
          path: path, problem: "line 1: the columns are not those of this version")
      }
      var last: [Metric] = []
      var before = lines
      for line in stored.dropFirst() {
        let cells = line.split(separator: ",", omittingEmptySubsequences: false)
        guard cells.count == columns.count + 1, let row = Int(cells[0]), row <= step else {
          continue
        }
        lines.append(line)
        if row < step {
          before.append(line)
        } else {
          last += zip(columns, cells.dropFirst()).compactMap { name, cell in
            Double(cell).map { Metric(name, $0) }
          }
        }
      }
      if let validation, step > 0, !last.contains(where: { $0.name == validation }) {
        (reopened, lines) = (last, before)
      }
    }
    self.reopened = reopened
    try DurableFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: path)
    file = try OpenFile(appendingTo: path)
    events = try EventFile(in: run.path)
    if let step {
      try events.restart(at: reopened == nil ? step + 1 : step)
    } else if DurableFile.exists(run.configPath) {
      let config = String(decoding: try DurableFile.read(run.configPath), as: UTF8.self)
      try events.write(.text(tag: "config", "```\n\(config)\n```"), step: 0)
    }
  }

  /// One row; columns without a value stay empty.
  package func log(step: Int, _ metrics: [Metric]) throws {
    let known = metrics.compactMap { metric in metric.value.map { (metric.name, $0) } }
    let byName = Dictionary(known, uniquingKeysWith: { $1 })
    precondition(byName.keys.allSatisfy { columns.contains($0) }, "a metric without a column")
    let cells = columns.map { name in byName[name].map { String(format: "%.7g", $0) } ?? "" }
    try file.write(Array((([String(step)] + cells).joined(separator: ",") + "\n").utf8))
    try events.write(.scalars(known.map { (tag: $0, value: Float($1)) }), step: step)
  }

  /// An image for TensorBoard.
  package func image(_ tag: String, step: Int, png: [UInt8], width: Int, height: Int) throws {
    try events.write(.image(tag: tag, width: width, height: height, png: png), step: step)
  }
}
