// The one position where a command starts and where its errors become a line and an exit code.

import ArgumentParser
import DurableFiles
import Platform

/// A command of the suite: `execute` does the work, `main` turns what it throws into one line on
/// stderr and the exit code.
package protocol SuiteCommand: ParsableCommand {
  /// What a family of commands arranges before it starts; nothing by default.
  static func prepare()
  /// How the command ends because of an error; `nil` for a fault of ours.
  static func exitCode(of error: any Error) -> SuiteExitCode?
  func execute() throws
}

extension SuiteCommand {
  package static func prepare() {}

  package static func exitCode(of error: any Error) -> SuiteExitCode? { SuiteExitCode(of: error) }

  package mutating func run() throws { try execute() }

  /// Parses the arguments of the process, executes, and ends the process when that fails.
  package static func main() {
    ProcessSetup.prepare()
    FolderLock.withoutLocks.withLock {
      $0 = {
        Console.standardError().warn(
          "\($0): its file system has no locks; see to it that no other process works in it")
      }
    }
    prepare()
    refuseArgumentsThatAreNotUTF8()
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

  /// Ends the process where an argument is not UTF-8: as a text it would name another file.
  private static func refuseArgumentsThatAreNotUTF8() {
    for number in CommandLine.arguments.indices.dropFirst() {
      guard let argument = CommandLine.unsafeArgv[number] else { return }
      let bytes = UnsafeRawBufferPointer(start: argument, count: strlen(argument))
      guard String(utf8: bytes) == nil else { continue }
      ending(with: .usage)(
        "argument \(number), \(String(escaping: bytes)): not UTF-8; rename the file or folder")
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
      Interruption.tell(interrupted)
      Interruption.endProcess(by: interrupted.signal)
    case OutputError.closedPipe:
      Interruption.endProcess(by: SIGPIPE)
    case is ValidationError, is CleanExit, is ExitCode:
      endParsing(with: error)
    default:
      let code = exitCode(of: error)
      ending(with: code ?? .bug)(code == nil ? "internal error: \(error)" : "\(error)")
    }
  }

  /// What ends the process with a problem on stderr; also for a library that cannot throw.
  ///
  /// The line begins with the name by which the program was called.
  package static func ending(with code: SuiteExitCode) -> @Sendable (_ problem: String) -> Never {
    let path = CommandLine.arguments.first ?? ""
    let command = path.split(separator: "/").last.map(String.init) ?? _commandName
    return { problem in
      Console.standardError().line("\(command): \(problem)".oneLine)
      ProcessSetup.leave(code)
    }
  }
}
