// `--profile`: where the time went.
import ArgumentParser
import Foundation
import TensorCore

/// Whether operations are timed, and the table that tells of it.
package struct ProfileOption: ParsableArguments {
  @Flag(help: "Print on stderr, at the end, what every operation took.")
  package var profile = false

  package init() {}

  /// The device, watched if the option is given.
  package func watch(_ device: Device) -> (device: Device, profile: Profile?) {
    guard profile else { return (device, nil) }
    let watched = device.profiled()
    return (watched.device, watched.profile)
  }
}

extension Profile {
  /// The operations as a table, those that took longest first; rates only where they say something.
  package var table: String {
    let entries = entries
    let total = entries.reduce(0) { $0 + $1.seconds }
    func cell(_ value: Double, _ format: String) -> String {
      value > 0 ? String(format: format, value) : "-"
    }
    let rows = entries.map { entry in
      [
        entry.name, String(entry.calls), String(format: "%.1f", entry.seconds * 1e3),
        String(format: "%.1f", entry.seconds / total * 100),
        cell(entry.operations / entry.seconds / 1e9, "%.0f"),
        cell(entry.bytesMoved / entry.seconds / 1e9, "%.1f"),
        String(format: "%.1f", Double(entry.bytesTaken) / 1_048_576),
      ]
    }
    let sum = ["all", "", String(format: "%.1f", total * 1e3), "", "", "", ""]
    let lines =
      [["operation", "calls", "ms", "%", "GFLOP/s", "GB/s", "MiB taken"]] + rows + [sum]
    let widths = (0..<7).map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      zip(line, widths).enumerated().map { column, cell in
        let space = String(repeating: " ", count: cell.1 - cell.0.count)
        return column == 0 ? cell.0 + space : space + cell.0
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
