// The one place where a command starts and where its errors become a line and an exit code.

import ArgumentParser
import Checkpoints
import Glibc

/// A command of the suite: `execute` does the work, `main` turns what it throws into one line on
/// stderr and the exit code.
package protocol SuiteCommand: ParsableCommand {
  func execute() throws
}

extension SuiteCommand {
  package mutating func run() throws { try execute() }

  /// Parses the arguments of the process, executes, and ends the process when that fails.
  package static func main() {
    ProcessSetup.prepare()
    HostileNames.report { path, name in
      Console.standardError().warn(
        "\(path): names \(name), which could run code in Python; nothing was run here, but do not "
          + "load this file with Python")
    }
    do {
      var parsed = try parseAsRoot()
      guard let command = parsed as? Self else {
        try parsed.run()  // help, which is thrown
        return
      }
      do {
        try command.execute()
        try Interruption.throwIfRequested()
      } catch {
        fail(with: error)
      }
    } catch {
      endParsing(with: error)
    }
  }

  /// Help and version go to stdout, usage errors to stderr with exit code 64.
  private static func endParsing(with error: any Error) -> Never {
    let message = fullMessage(for: error)
    guard exitCode(for: error) == .success else {
      Console.standardError().line(message)
      ProcessSetup.leave(.usage)
    }
    do {
      try StandardOutput.writeLine(message)
    } catch {
      fail(with: error)
    }
    ProcessSetup.leave(.success)
  }

  private static func fail(with error: any Error) -> Never {
    switch error {
    case let interrupted as Interrupted:
      Interruption.endProcess(by: interrupted.signal)
    case OutputError.closedPipe:
      Interruption.endProcess(by: SIGPIPE)
    case is ValidationError, is CleanExit, is ExitCode:
      endParsing(with: error)
    default:
      let code = SuiteExitCode(of: error) ?? SuiteExitCode(ofModels: error)
      report(code == nil ? "internal error: \(error)" : "\(error)")
      ProcessSetup.leave(code ?? .bug)
    }
  }

  private static func report(_ problem: String) {
    Console.standardError().line("\(_commandName): \(problem.oneLine)")
  }
}
