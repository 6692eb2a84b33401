// The pages of Docs/Commands, and what a command says of its options, in one form.
import Foundation
import TestSupport

/// An option of a command, by the names behind `--`.
struct CommandOption: Decodable {
  struct Name: Decodable {
    let kind: String
    let name: String
  }

  let kind: String
  let names: [Name]?
  let abstract: String?
  private let defaultValue: String?
  let allValues: [String]?
  /// False for the old name of an option.
  let shouldDisplay: Bool

  var longNames: [String] {
    (names ?? []).filter { $0.kind == "long" }.map { "--\($0.name)" }
  }

  /// As the parser prints it, or where an option is left out on purpose, as its text says.
  var toldDefault: String? {
    defaultValue ?? abstract?.firstMatch(of: /\(default: ([^)]+)\)/).map { String($0.output.1) }
  }

  /// Whether it is one that every command has by itself.
  var isTheParsers: Bool { longNames.contains { $0 == "--help" || $0 == "--version" } }

  private struct Dump: Decodable {
    struct Command: Decodable { let arguments: [CommandOption] }
    let command: Command
  }

  /// What the built command says of itself.
  static func options(of command: String) throws -> [CommandOption] {
    let help = try shell("\(command) --experimental-dump-help")
    let dump = try JSONDecoder().decode(Dump.self, from: Data(help.output.utf8))
    return dump.command.arguments.filter { !$0.longNames.isEmpty && $0.shouldDisplay }
  }
}

/// One option in a table of a page.
struct ManualEntry {
  let name: String
  /// Nil where the table has no column for it.
  let defaultValue: String?
  /// The commands that the row is about; nil where the table has no column for it.
  let commands: String?
  let text: String
}

/// A page of the manual, of which tables whose first column is "option" count.
struct ManualPage {
  let entries: [ManualEntry]

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../Docs/Commands").standardized.path

  init(_ name: String) throws {
    let text = try String(contentsOfFile: "\(Self.folder)/\(name).md", encoding: .utf8)
    var entries: [ManualEntry] = []
    var columns: [String]?
    for line in text.components(separatedBy: "\n") {
      guard line.hasPrefix("|") else {
        columns = nil
        continue
      }
      let cells = Self.cells(line)
      guard let named = columns else {
        columns = cells
        continue
      }
      guard named.first == "option" else { continue }
      func cell(_ column: String) -> String? {
        named.firstIndex(of: column).flatMap { $0 < cells.count ? cells[$0] : nil }
      }
      let options = cells[0].matches(of: /--[a-z][a-z0-9-]*/).map { String($0.output) }
      // `--layers`, `--heads` | 6, 8: each has its own.
      let defaults = options.count > 1 ? cell("default")?.components(separatedBy: ", ") : nil
      for (index, option) in options.enumerated() {
        let own = defaults.map { index < $0.count ? $0[index] : "" }
        entries.append(
          ManualEntry(
            name: option, defaultValue: own ?? cell("default"), commands: cell("commands"),
            text: line))
      }
    }
    self.entries = entries
  }

  func entry(_ option: String) -> ManualEntry? { entries.first { $0.name == option } }

  /// The cells of a row, `\|` resolved.
  private static func cells(_ row: String) -> [String] {
    row.replacingOccurrences(of: "\\|", with: "\u{0}").split(
      separator: "|", omittingEmptySubsequences: false
    ).dropFirst().dropLast().map {
      $0.replacingOccurrences(of: "\u{0}", with: "|").trimmingCharacters(in: .whitespaces)
    }
  }
}
