// Signals: SIGINT, SIGTERM and SIGHUP let the loop save and end, SIGUSR1 lets it save and go on.
//
// They are blocked in every thread, and one thread of their own waits for them. No handler ever runs
// on a thread that computes: generated code may keep data below the stack pointer, where the frame
// of a handler lands.

import DurableFiles
import Platform
import Synchronization

/// Thrown when the user or the system asked the command to stop; the process then ends by that
/// signal, so that shells and make stop too.
package struct Interrupted: Error, Equatable {
  package let signal: Int32

  /// The signal's name, for people.
  package var name: String {
    switch signal {
    case SIGINT: "SIGINT"
    case SIGTERM: "SIGTERM"
    case SIGHUP: "SIGHUP"
    default: "signal \(signal)"
    }
  }
}

/// What signals have asked for, as flags that the loops poll.
package enum Interruption {
  private static let received = Atomic<Int32>(0)
  private static let isPolled = Mutex(false)
  private static let savingIsAsked = Atomic<Bool>(false)

  /// Whether a signal has asked to stop since `install`.
  package static var requested: Bool { received.load(ordering: .relaxed) != 0 }

  /// Whether SIGUSR1 has come since the last call.
  package static func takeSaveRequest() -> Bool {
    savingIsAsked.exchange(false, ordering: .relaxed)
  }

  /// From now on the first signal sets the flag and a second one ends the process at once.
  ///
  /// Call it where something polls the flag, before the first result is written. Until then, while
  /// lists are read and weights load, the first signal ends the process: it says that nothing was
  /// saved, and the folders that were made for results go.
  package static func install() { isPolled.withLock { $0 = true } }

  /// - Throws: `Interrupted` once a signal has asked to stop.
  package static func throwIfRequested() throws(Interrupted) {
    let number = received.load(ordering: .relaxed)
    if number != 0 { throw Interrupted(signal: number) }
  }

  /// Runs work that a signal may stop; if one does, a line says so and what stays, also with
  /// `--quiet`: it is no progress.
  ///
  /// - Parameter rest: what stays, by then; nil for nothing.
  package static func telling<Result>(
    _ console: Console, _ rest: @autoclosure () -> String?, _ work: () throws -> Result
  ) throws -> Result {
    do {
      return try work()
    } catch let interrupted as Interrupted {
      tell(interrupted, rest().map { "; \($0)" } ?? "", console)
      throw interrupted
    }
  }

  private static let isTold = Atomic<Bool>(false)

  /// Says that a signal has stopped the command, unless that has been said.
  static func tell(
    _ interrupted: Interrupted, _ rest: String = "", _ console: Console = .standardError()
  ) {
    if isTold.exchange(true, ordering: .relaxed) { return }
    console.line("stopped by \(interrupted.name)\(rest)".oneLine)
  }

  // MARK: The thread

  private static let signals = [SIGINT, SIGTERM, SIGHUP, SIGUSR1]

  /// Those that the caller does not ignore (nohup): what it ignores stays ignored.
  private static let awaited: sigset_t = {
    var set = sigset_t()
    sigemptyset(&set)
    for number in signals where !isIgnored(number) { sigaddset(&set, number) }
    return set
  }()

  /// Starts the thread that waits for the signals.
  ///
  /// They are blocked in the calling thread, before there is another, and so in those that it
  /// makes. Others are not, whatever the parent blocked.
  ///
  /// - Returns: 0, or why there is no thread, an `errno`.
  static func startThread() -> Int32 {
    var set = awaited
    pthread_sigmask(SIG_SETMASK, &set, nil)
    return Platform.startThread { Interruption.waitForSignals() }
  }

  private static func waitForSignals() {
    var set = awaited
    var number: Int32 = 0
    while true {
      guard sigwait(&set, &number) == 0 else { continue }
      if number == SIGUSR1 {
        savingIsAsked.store(true, ordering: .relaxed)
      } else {
        // As long as the lock is held no work begins.
        isPolled.withLock { if !$0 { endBeforeWork(by: number) } }
        if received.exchange(number, ordering: .relaxed) != 0 { endProcess(by: number) }
      }
    }
  }

  private static func endBeforeWork(by number: Int32) -> Never {
    var set = awaited
    sigdelset(&set, SIGUSR1)
    pthread_sigmask(SIG_UNBLOCK, &set, nil)  // a second one need not wait for a stderr that blocks
    tell(Interrupted(signal: number), "; nothing was saved")
    FolderLock.removeEmpty()
    endProcess(by: number)
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
