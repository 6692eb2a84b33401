// Who hears of what was done with a file of weights.

import Synchronization

/// Tells how a file was read where there were several ways, once for each file and way.
package enum WeightNotes {
  package typealias Listener = @Sendable (_ path: String, _ note: String) -> Void

  private static let state = Mutex<(listener: Listener?, told: Set<[String]>)>((nil, []))

  /// Sends notes to `listener` from now on.
  package static func report(to listener: @escaping Listener) {
    state.withLock { $0 = (listener, []) }
  }

  static func report(_ note: String, in path: String) {
    state.withLock { $0.told.insert([path, note]).inserted ? $0.listener : nil }?(path, note)
  }
}
