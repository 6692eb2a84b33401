import CommandSupport
import Glibc

/// Turns a crash of libhdf5 on a damaged file into a message and an exit code.
///
/// The library checks most of a file's structure, but not all: one wrong bit in the lengths of its texts makes it read past them.
enum CrashReport {
  /// The message, written by the signal handler; made beforehand, because a handler may not allocate.
  nonisolated(unsafe) private static var message: UnsafeMutableBufferPointer<UInt8>?

  /// From now on a crash is told as one of reading the file at `path`.
  static func arm(for path: String) {
    let text = Array("shard-info: \(path): damaged so that libhdf5 crashes; make it again\n".utf8)
    let next = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count)
    _ = next.initialize(from: text)
    let previous = message
    message = next
    previous?.deallocate()
    for signal in [SIGSEGV, SIGBUS, SIGFPE, SIGABRT] {
      var action = sigaction()
      action.__sigaction_handler.sa_handler = { _ in CrashReport.leave() }
      action.sa_flags = Int32(SA_ONSTACK)
      sigaction(signal, &action, nil)
    }
  }

  private static func leave() -> Never {
    if let message { _ = write(2, message.baseAddress, message.count) }
    _exit(SuiteExitCode.badData.rawValue)
  }
}
