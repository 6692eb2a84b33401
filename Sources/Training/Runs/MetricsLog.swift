// The figures of a run: metrics.csv for people and scripts, a TensorBoard event file beside it.
import DurableFiles
import Foundation

/// Appends a run's figures, one line for each call, so that a crash loses at most the line that was being written.
package final class MetricsLog {
  private let columns: [String]
  private let path: String
  private let descriptor: Int32
  private let events: EventFile

  /// Opens `metrics.csv` (header `step,COLUMNS…`) and a new event file in the run folder.
  ///
  /// - Parameter step: rows of later steps are cut off, those of a run that went on behind its last checkpoint; `nil` begins
  ///   a new file.
  /// - Throws: `DurableFileError`, `RunError.damaged` if the header differs.
  package init(_ run: RunFolder, columns: [String], resumingAfter step: Int?) throws {
    self.columns = columns
    path = run.metricsPath
    var lines = [(["step"] + columns).joined(separator: ",")]
    if let step, FileManager.default.fileExists(atPath: path) {
      let stored = String(decoding: try DurableFile.read(path), as: UTF8.self)
        .split(separator: "\n").map(String.init)
      guard stored.first == lines[0] else {
        throw RunError.damaged(
          path: path, problem: "line 1: the columns are not those of this version")
      }
      lines =
        [lines[0]]
        + stored.dropFirst().filter { line in
          line.split(separator: ",").first.flatMap { Int($0) }.map { $0 <= step } ?? false
        }
    }
    try DurableFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: path)
    descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
    guard descriptor >= 0 else { throw DurableFileError.cannotCreate(path: path, errno: errno) }
    events = try EventFile(in: run.path)
  }

  deinit { close(descriptor) }

  /// One row; columns without a value stay empty.
  package func log(step: Int, _ values: [(name: String, value: Double)]) throws {
    let byName = Dictionary(values.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    precondition(byName.keys.allSatisfy { columns.contains($0) }, "a figure without a column")
    let cells = columns.map { name in byName[name].map { String(format: "%.7g", $0) } ?? "" }
    try append(([String(step)] + cells).joined(separator: ",") + "\n")
    try events.write(.scalars(values.map { (tag: $0.name, value: Float($0.value)) }), step: step)
  }

  /// A picture for TensorBoard.
  package func picture(_ tag: String, step: Int, png: [UInt8], width: Int, height: Int) throws {
    try events.write(.picture(tag: tag, width: width, height: height, png: png), step: step)
  }

  private func append(_ line: String) throws {
    let bytes = Array(line.utf8)
    guard write(descriptor, bytes, bytes.count) == bytes.count else {
      throw DurableFileError.failed(operation: "write", path: path, errno: errno)
    }
  }
}
