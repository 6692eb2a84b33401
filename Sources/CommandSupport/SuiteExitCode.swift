// The exit codes of every command, after sysexits.h.

/// How a command ends.
///
/// Scripts rely on these numbers; they do not change.
package enum SuiteExitCode: Int32, Sendable {
  case success = 0
  /// Options or arguments that make no sense.
  case usage = 64
  /// An input file is damaged or of the wrong kind.
  case badData = 65
  /// An input file is missing or cannot be read.
  case noInput = 66
  /// A fault of ours.
  case bug = 70
  /// An output cannot be made where it was asked for.
  case cannotCreate = 73
  /// The disk failed or is full.
  case ioFailure = 74
  /// Another process works in the same folder; later it may succeed.
  case busy = 75
}

/// An error that knows how the command ends because of it.
///
/// Module errors conform in this module, so that the libraries need not know of commands.
package protocol ExitCoded: Error {
  var exitCode: SuiteExitCode { get }
}
