// Who hears of pickles that may be meant to do harm.

import Foundation
import Synchronization

/// Tells what a pickle names that could run code where Python loads it, whichever command reads the
/// file and for what.
///
/// A command says once where such reports go. They come as soon as a name is read, also from files
/// that are refused after it.
package enum UnsafeNames {
  package typealias Listener = @Sendable (_ path: String, _ name: PickleGlobal) -> Void

  private struct Reports: Sendable {
    var listener: Listener?
    var reported: [String: Set<PickleGlobal>] = [:]  // by path from the root
  }

  /// More names of one file are not reported: they say nothing new.
  private static let most = 20

  private static let reports = Mutex(Reports())

  /// Sends reports to `listener` from now on; each name of a file comes once, twenty at most.
  package static func report(to listener: @escaping Listener) {
    reports.withLock { $0 = Reports(listener: listener) }
  }

  static func report(_ name: PickleGlobal, in path: String) {
    guard name.isDangerous else { return }
    let file = URL(fileURLWithPath: path).standardizedFileURL.path
    let listener = reports.withLock { reports -> Listener? in
      guard reports.reported[file, default: []].count < most else { return nil }
      return reports.reported[file, default: []].insert(name).inserted ? reports.listener : nil
    }
    listener?(path, name)
  }
}
