// How far a loop is: a bar on a terminal, a line every ten seconds elsewhere.

import Foundation
import Synchronization

/// Counts units of work and tells rate and time left.
///
/// May be advanced from several threads.
package final class Progress: Sendable {
  private struct State {
    var done: Int
    var note = ""
    var nextReport: Double
    var reported = false
    /// Recent `(seconds, units)` pairs; the rate is taken over them.
    var samples: [(time: Double, done: Int)]
  }

  private let title: String
  private let unit: String
  private let start: Int
  private let total: Int?
  private let console: Console
  private let clock: @Sendable () -> Double
  private let began: Double
  private let state: Mutex<State>

  /// - Parameters:
  ///   - title: what is being done, such as "encoding".
  ///   - total: units of the whole work; nil when unknown.
  ///   - start: units done before this process began.
  ///   - unit: plural noun for the rate, such as "images".
  package convenience init(
    _ title: String, total: Int?, from start: Int = 0, unit: String, console: Console
  ) {
    self.init(
      title, total: total, from: start, unit: unit, console: console,
      clock: { ProcessInfo.processInfo.systemUptime })
  }

  /// - Parameter clock: seconds that only grow.
  package init(
    _ title: String, total: Int?, from start: Int, unit: String, console: Console,
    clock: @escaping @Sendable () -> Double
  ) {
    self.title = title
    self.total = total
    self.start = start
    self.unit = unit
    self.console = console
    self.clock = clock
    began = clock()
    let first = console.screen.hasStatusLine ? began : began + 2
    state = Mutex(State(done: start, nextReport: first, samples: [(began, start)]))
    advance(by: 0)
  }

  deinit {
    if console.screen.hasStatusLine && !console.quiet { console.screen.setStatus("") }
  }

  /// - Parameter note: shown behind the metrics until the next one, such as a loss.
  package func advance(by count: Int = 1, note: String? = nil) {
    state.withLock { state in
      state.done += count
      if let note { state.note = note }
      let now = clock()
      guard !console.quiet, now >= state.nextReport else { return }
      state.reported = true
      state.samples.append((now, state.done))
      if state.samples.count > 40 { state.samples.removeFirst() }
      if console.screen.hasStatusLine {
        state.nextReport = now + 0.1
        console.screen.setStatus(text(state, bar: true))
      } else {
        state.nextReport = now + 10
        console.line(text(state, bar: false))
      }
    }
  }

  /// Replaces the bar by a line that says how long everything took.
  package func finish() {
    state.withLock { state in
      guard !console.quiet, state.reported else { return }
      let seconds = clock() - began
      let rate = Self.rate(Double(state.done - start) / max(seconds, 1e-3))
      if console.screen.hasStatusLine { console.screen.setStatus("") }
      console.line(
        "\(title): \(state.done - start) \(unit) in \(Self.duration(seconds)), \(rate) \(unit)/s")
      state.reported = false
    }
  }

  private func text(_ state: State, bar: Bool) -> String {
    var parts: [String] = []
    let of = total.map { "/\($0)" } ?? ""
    var head = "\(title): \(state.done)\(of) \(unit)"
    if bar, let total, total > 0 {
      let filled = min(20, max(0, state.done * 20 / total))
      head =
        "\(title) [\(String(repeating: "#", count: filled))"
        + "\(String(repeating: ".", count: 20 - filled))] \(state.done)/\(total)"
    }
    parts.append(head)
    if let first = state.samples.first, let last = state.samples.last,
      last.time > first.time, last.done > first.done
    {
      let rate = Double(last.done - first.done) / (last.time - first.time)
      parts.append("\(Self.rate(rate)) \(unit)/s")
      if let total, total > state.done {
        parts.append("\(Self.duration(Double(total - state.done) / rate)) left")
      }
    }
    if !state.note.isEmpty { parts.append(state.note) }
    return parts.joined(separator: ", ")
  }

  /// Three significant digits.
  package static func rate(_ value: Double) -> String {
    value >= 100
      ? String(format: "%.0f", value) : String(format: value >= 10 ? "%.1f" : "%.2f", value)
  }

  /// A number of bytes.
  package static func size(_ bytes: Int) -> String {
    switch bytes {
    case ..<10_000: "\(bytes) bytes"
    case ..<10_000_000: String(format: "%.1f kB", Double(bytes) / 1e3)
    case ..<10_000_000_000: String(format: "%.1f MB", Double(bytes) / 1e6)
    default: String(format: "%.1f GB", Double(bytes) / 1e9)
    }
  }

  package static func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<10: String(format: "%.1f s", max(seconds, 0))
    case ..<120: String(format: "%.0f s", seconds)
    case ..<7200: String(format: "%.0f min", seconds / 60)
    case ..<1e7: String(format: "%.1f h", seconds / 3600)
    default: "very long"
    }
  }
}
