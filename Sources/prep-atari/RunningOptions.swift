import ArgumentParser
import Foundation
import Ingest

/// How the work is done; nothing here changes a byte of the shards.
struct RunningOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("jobs"), .customShort("j")],
    help: ArgumentHelp("Threads that decode and resize.", valueName: "count"))
  var threads = ProcessInfo.processInfo.activeProcessorCount

  @Flag(help: "Stop at the first bad picture or row.")
  var strict = false

  @Option(
    help: ArgumentHelp(
      "Bad samples that are accepted, a number or a share such as 2%; if left out 1%, at least 10.",
      valueName: "limit"))
  var maxErrors: ErrorPolicy.Limit?

  @Flag(
    name: [.long, .customShort("n")], help: "Read the texts, say what would be done, and stop.")
  var dryRun = false

  @Flag(name: .shortAndLong, help: "No progress and no notes on stderr; warnings stay.")
  var quiet = false

  var policy: ErrorPolicy { ErrorPolicy(isStrict: strict, limit: maxErrors ?? .automatic) }

  func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads must be in 1...1024, got \(threads).")
    }
  }
}

extension ErrorPolicy.Limit: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
