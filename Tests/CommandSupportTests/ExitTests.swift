import Foundation
import TestSupport
import Testing

struct ExitTests {
  @Test(arguments: [
    ("missing", 66, "a\\u{1B}[31m\\nb: no such file or folder"),
    (
      "busy", 75, "run: in use by another process; wait until it has ended or choose another folder"
    ),
    ("cannotCreate", 73, "run: cannot be created (Permission denied)"),
    ("ioFailure", 74, "run: write failed (No space left on device)"),
    ("noMemory", 71, "out of memory"),
  ])
  func errorsAreOneLineAndACode(error: String, code: Int32, message: String) throws {
    let outcome = try shell("command-probe --work fail --error \(error)")
    #expect(outcome.status == code)
    #expect(outcome.errors == "command-probe: \(message)\n")
    #expect(outcome.output == "")
  }

  @Test func unknownErrorsAreOurFault() throws {
    let outcome = try shell("command-probe --work fail --error unknown")
    #expect(outcome.status == 70)
    #expect(outcome.errors.hasPrefix("command-probe: internal error: "))
    #expect(outcome.errors.split(separator: "\n").count == 1)
  }

  @Test(arguments: [
    "--no-such-flag", "--threads 0", "--threads -1", "--threads 1e3", "--threads 0x10",
    "--threads ''", "--seed 18446744073709551616", "--seed nan",
    "--work fail --error usage",
  ])
  func badUsageIs64(arguments: String) throws {
    let outcome = try shell("command-probe \(arguments)")
    #expect(outcome.status == 64)
    #expect(outcome.errors.contains("--help"))
    #expect(outcome.output == "")
  }

  @Test(arguments: [
    ("--work results \"$(printf 'caf\\351')\"", "argument 3, caf\\xE9"),
    ("\"--error=$(printf '\\377')\" --help", "argument 1, --error=\\xFF"),
  ])
  func argumentsThatAreNotUTF8AreNamed(arguments: String, words: String) throws {
    let outcome = try shell("command-probe \(arguments)")
    #expect(outcome.status == 64)
    #expect(
      outcome.errors == "command-probe: \(words): not UTF-8; rename the file or folder\n")
    #expect(outcome.output == "")
  }

  /// The beginning and the end of a line say what is wrong; a name of megabytes between them does
  /// not.
  @Test(arguments: [
    ("head -c 20000000 /dev/zero | tr '\\0' a | command-probe", Int32(66)),
    ("head -c 9000 /dev/zero | tr '\\0' '\\1' | command-probe", 66),
    ("command-probe --work \"$(head -c 9000 /dev/zero | tr '\\0' a)\"", 64),
  ])
  func linesAreShortened(script: String, status: Int32) throws {
    let outcome = try shell(script)
    #expect(outcome.status == status)
    #expect(outcome.errors.split(separator: "\n").allSatisfy { $0.unicodeScalars.count <= 4000 })
    #expect(outcome.errors.contains(" characters) … "))
    if status == 66 {
      #expect(outcome.errors.hasPrefix("command-probe: "))
      #expect(outcome.errors.hasSuffix(": cannot be read (File name too long)\n"))
    }
  }

  @Test func helpAndVersionAreResults() throws {
    let help = try shell("COLUMNS=80 command-probe --help")
    #expect(help.status == 0)
    #expect(help.output.contains("USAGE: command-probe"))
    #expect(help.errors == "")
    #expect(try shell("command-probe --version").output == "probe 1\n")
    #expect(try shell("command-probe --help > /dev/full").status == 74)
  }

  @Test func lostResultsAreErrors() throws {
    let full = try shell("command-probe --work results > /dev/full")
    #expect(full.status == 74)
    #expect(
      full.errors == "command-probe: standard output: write failed (No space left on device)\n")
    let closed = try shell("command-probe --work results >&-")
    #expect(closed.status == 74)
    #expect(closed.errors.contains("Bad file descriptor"))
  }

  /// As that of a program that reads several: its process fills the pipe and has to wait.
  @Test func aPipeThatDoesNotBlockGetsAllResults() throws {
    let (process, pipe) = (Process(), Pipe())
    let descriptor = pipe.fileHandleForWriting.fileDescriptor
    #expect(fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK) == 0)
    process.executableURL = URL(fileURLWithPath: "\(builtCommands)/command-probe")
    process.arguments = ["--work", "results", "--count", "10000"]
    process.standardOutput = pipe
    try process.run()
    usleep(300_000)
    let results = String(
      decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(
      results == (0..<10_000).map { "result \($0) of a long list of results\n" }.joined())
  }

  @Test func aReaderThatLeavesEndsItQuietly() throws {
    let outcome = try shell(
      "{ command-probe --work results --count 100000; echo status $? >&2; } | head -n 1")
    #expect(outcome.output == "result 0 of a long list of results\n")
    #expect(outcome.errors == "status 141\n")
  }
}
