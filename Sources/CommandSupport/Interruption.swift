// SIGINT, SIGTERM and SIGHUP: finish the step, save, then die of the signal.

import Glibc
import Synchronization

/// Thrown when the user or the system asked the command to stop; the process then ends by that
/// signal, so that shells and make stop too.
package struct Interrupted: Error, Equatable {
  package let signal: Int32

  /// The signal's name, for people.
  var name: String {
    switch signal {
    case SIGINT: "SIGINT"
    case SIGTERM: "SIGTERM"
    case SIGHUP: "SIGHUP"
    default: "signal \(signal)"
    }
  }
}

/// The wish to stop, as a flag that the loops poll.
package enum Interruption {
  private static let received = Atomic<Int32>(0)

  /// Whether a signal has asked to stop since `install`.
  package static var requested: Bool { received.load(ordering: .relaxed) != 0 }

  /// From now on the first signal sets the flag and a second one ends the process at once.
  ///
  /// Call it only where something polls the flag; without it a signal ends the process.
  package static func install() {
    _ = requested  // the flag exists before a handler can touch it
    for number in [SIGINT, SIGTERM, SIGHUP] {
      var action = sigaction()
      guard sigaction(number, nil, &action) == 0 else { continue }
      // Ignored by the caller (nohup): stays ignored.
      if unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == 1 { continue }
      action = sigaction()
      action.__sigaction_handler.sa_handler = { number in Interruption.handle(number) }
      action.sa_flags = Int32(SA_RESTART) | Int32(bitPattern: UInt32(SA_NODEFER))
      sigaction(number, &action, nil)
    }
  }

  /// - Throws: `Interrupted` once a signal has asked to stop.
  package static func throwIfRequested() throws(Interrupted) {
    let number = received.load(ordering: .relaxed)
    if number != 0 { throw Interrupted(signal: number) }
  }

  /// Runs in a signal handler: only an atomic exchange and system calls.
  private static func handle(_ number: Int32) {
    if received.exchange(number, ordering: .relaxed) != 0 { endProcess(by: number) }
  }

  /// Ends the process by the default action of a signal (exit status 128 + number in a shell).
  static func endProcess(by number: Int32) -> Never {
    signal(number, SIG_DFL)
    var set = sigset_t()
    sigemptyset(&set)
    sigaddset(&set, number)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
    raise(number)
    _exit(128 + number)
  }
}
