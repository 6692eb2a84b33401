// What a command says of the work of an earlier run before it goes on.

import Shards

/// Tells on stderr how far the comparison of finished shards is, and which are made again; stops it
/// when a signal asks for it.
package final class ShardCheckConsole {
  private let console: Console
  private var comparing: (progress: Progress, megabytes: Int)?

  package init(_ console: Console) { self.console = console }

  /// - Throws: `Interrupted` once a signal has asked to stop.
  package func show(_ check: ShardCheck) throws {
    try Interruption.throwIfRequested()
    switch check {
    case .changed(let path):
      console.warn("\(path): not the file that was written; it is made again")
    case .compared(let bytes, let count) where bytes < count:
      let (now, before) = (bytes / 1_000_000, comparing?.megabytes ?? 0)
      let progress =
        comparing?.progress
        ?? Progress(
          "comparing finished shards", total: count / 1_000_000, unit: "MB", console: console)
      comparing = (progress, now)
      progress.advance(by: now - before)
    case .compared:
      comparing = nil
    }
  }
}
