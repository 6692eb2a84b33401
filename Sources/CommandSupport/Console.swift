// stderr: warnings, notes and the status line of a running bar.

import Foundation
import Platform
import Synchronization

/// Where a command talks to a person.
///
/// Failing writes are ignored: nobody may be listening.
package struct Console: Sendable {
  let screen: Screen
  /// Progress and notes are left out; warnings and errors are not.
  package let quiet: Bool

  package init(screen: Screen, quiet: Bool) {
    self.screen = screen
    self.quiet = quiet
  }

  package static func standardError(quiet: Bool = false) -> Console {
    Console(screen: .standardError, quiet: quiet)
  }

  /// Something is wrong, but the work goes on.
  package func warn(_ message: String) {
    line((screen.hasColor ? "\u{1B}[33mwarning:\u{1B}[0m " : "warning: ") + message.oneLine)
  }

  /// Something worth knowing; left out by `--quiet`.
  package func note(_ message: String) {
    if !quiet { line(message.oneLine) }
  }

  /// A line above the status line, or several; each is shortened.
  package func line(_ text: String) {
    screen.line(
      text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { String($0).shortened }.joined(separator: "\n"))
  }
}

/// A stream of lines whose last one may be a status that is drawn anew.
package final class Screen: Sendable {
  static let standardError = Screen(
    hasStatusLine: isatty(2) == 1 && !["", "dumb"].contains(environment("TERM")),
    hasColor: isatty(2) == 1 && environment("TERM") != "dumb" && environment("NO_COLOR").isEmpty,
    columns: terminalColumns
  ) { text in
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Platform.write(2, $0.baseAddress, $0.count) }
      if written < 0 && errno != EINTR { return }
      rest = rest.dropFirst(max(written, 0))
    }
  }

  /// Whether a bar can be drawn; otherwise progress is told in lines.
  let hasStatusLine: Bool
  let hasColor: Bool
  private let columns: @Sendable () -> Int
  private let write: @Sendable (String) -> Void
  private let status = Mutex("")

  package init(
    hasStatusLine: Bool, hasColor: Bool, columns: @escaping @Sendable () -> Int,
    write: @escaping @Sendable (String) -> Void
  ) {
    self.hasStatusLine = hasStatusLine
    self.hasColor = hasColor
    self.columns = columns
    self.write = write
  }

  func line(_ text: String) {
    status.withLock { status in
      write(status.isEmpty ? text + "\n" : "\r\u{1B}[K\(text)\n\(status)")
    }
  }

  /// Draws `text` over the last line, cut to the width; an empty text clears it.
  func setStatus(_ text: String) {
    status.withLock { status in
      status = String(text.prefix(max(columns() - 1, 10)))
      write("\r\(status)\u{1B}[K")
    }
  }

  private static func environment(_ name: String) -> String {
    ProcessInfo.processInfo.environment[name] ?? ""
  }

  private static func terminalColumns() -> Int {
    var size = winsize()
    guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}

extension String {
  /// The text with control characters spelt out: a file's name cannot steer the terminal.
  var oneLine: String {
    shortened.unicodeScalars.reduce(into: "") { line, scalar in
      if scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) {
        line += scalar.escaped(asASCII: true)
      } else {
        line.unicodeScalars.append(scalar)
      }
    }
  }

  /// The beginning and the end of a text of more than 4,000 characters: names and values of an
  /// input may have millions, and what is wrong with them stands behind them.
  var shortened: String {
    let count = unicodeScalars.count
    guard count > 4000 else { return self }
    // Short enough for 4,000 when all of them are spelt out, as \u{009F}.
    let (start, end) = (unicodeScalars.prefix(240), unicodeScalars.suffix(240))
    return "\(String(start)) … (\(count) characters) … \(String(end))"
  }
}
