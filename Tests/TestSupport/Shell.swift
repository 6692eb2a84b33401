import Foundation

/// What a shell script left behind.
package struct ShellOutcome: Sendable {
  /// The exit status; 128 + the signal for a process that died of one.
  package let status: Int32
  package let output: String
  package let errors: String
}

/// The folder of the binaries that were built together with the tests.
package let builtCommands = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
  .deletingLastPathComponent().path

/// Runs a script of `/bin/sh` that finds the suite's commands by their names.
///
/// - Parameters:
///   - folder: the working folder, kept until the script has ended.
///   - environment: set on top of the present one; stdin is `/dev/null`.
///   - seconds: the script is killed (status 124) after them, times TEST_PATIENCE where that is
///     set: under sanitizers all takes longer.
package func shell(
  _ script: String, in folder: TemporaryFolder? = nil, environment: [String: String] = [:],
  seconds: Int = 120
) throws -> ShellOutcome {
  let scratch = try TemporaryFolder()
  for name in ["out", "err"] {
    _ = FileManager.default.createFile(atPath: scratch(name), contents: nil)
  }
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/timeout")
  let patience = Int(ProcessInfo.processInfo.environment["TEST_PATIENCE"] ?? "") ?? 1
  process.arguments = ["-k", "2", "\(seconds * patience)", "/bin/sh", "-c", script]
  process.currentDirectoryURL = URL(fileURLWithPath: folder?.path ?? ".")
  var variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  variables["PATH"] = "\(builtCommands):\(variables["PATH"] ?? "/usr/bin:/bin")"
  process.environment = variables
  process.standardInput = FileHandle.nullDevice
  process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: scratch("out")))
  process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: scratch("err")))
  try process.run()
  withExtendedLifetime(folder) { process.waitUntilExit() }
  let died = process.terminationReason == .uncaughtSignal
  return ShellOutcome(
    status: process.terminationStatus + (died ? 128 : 0),
    output: String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: scratch("out"))), as: UTF8.self),
    errors: String(
      decoding: try Data(contentsOf: URL(fileURLWithPath: scratch("err"))), as: UTF8.self))
}
