// Where the time goes, by operation.
import Synchronization

/// What the operations of a device took, by name.
package final class Profile: Sendable {
  /// The sums over all calls of one operation.
  package struct Entry: Sendable {
    package let name: String
    package fileprivate(set) var calls = 0
    package fileprivate(set) var seconds = 0.0
    /// Multiplications and additions counted apart; 0 where they mean little.
    package fileprivate(set) var operations = 0.0
    /// Read and written at least, bytes.
    package fileprivate(set) var bytesMoved = 0.0
    /// Taken from the pool since the operation before, bytes.
    package fileprivate(set) var bytesTaken = 0

    fileprivate init(name: String) { self.name = name }
  }

  private struct State {
    var entries: [String: Entry] = [:]
    var taken = 0
    var readBacks = 0
  }

  private let state = Mutex(State())
  private let pool: MemoryPool

  init(of pool: MemoryPool) { self.pool = pool }

  /// The operations, those that took longest first.
  package var entries: [Entry] {
    state.withLock { $0.entries.values.sorted { ($0.seconds, $1.name) > ($1.seconds, $0.name) } }
  }

  /// How often the host waited for values of the device.
  package var readBacks: Int { state.withLock { $0.readBacks } }

  func countReadBack() { state.withLock { $0.readBacks += 1 } }

  /// Forgets everything, for example after the warm-up.
  package func reset() {
    let taken = pool.statistics.taken
    state.withLock { $0 = State(taken: taken) }
  }

  func time(_ name: String, operations: Int, floats: Int, _ operation: () -> Void) {
    let start = ContinuousClock.now
    operation()
    let time = (ContinuousClock.now - start).components
    let taken = pool.statistics.taken
    state.withLock { state in
      var entry = state.entries[name] ?? Entry(name: name)
      entry.calls += 1
      entry.seconds += Double(time.seconds) + Double(time.attoseconds) * 1e-18
      entry.operations += Double(operations)
      entry.bytesMoved += 4 * Double(floats)
      entry.bytesTaken += taken - state.taken
      state.entries[name] = entry
      state.taken = taken
    }
  }
}

extension Device {
  /// This device with a record of what its operations take; timing costs well under a microsecond a
  /// call.
  package func profiled() -> (device: Device, profile: Profile) {
    let profile = Profile(of: pool)
    return (Device(backend: backend.profiled(by: profile)), profile)
  }
}
