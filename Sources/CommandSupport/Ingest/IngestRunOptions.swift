import ArgumentParser
import Foundation
import Ingest

/// How shards are made; nothing here changes a byte of them.
package struct IngestRunOptions: ParsableArguments {
  @Option(
    name: [.long, .customLong("jobs"), .customShort("j")],
    help: ArgumentHelp(
      "Threads that decode, resize and compress; the shards are the same for any number. --jobs and -j are other names of --threads.",
      valueName: "count"))
  package var threads = ProcessInfo.processInfo.activeProcessorCount

  @Flag(help: "Stop at the first bad image or row.")
  package var strict = false

  @Option(
    help: ArgumentHelp(
      "Bad samples that are accepted, a number or a fraction such as 2%; if left out 1%, at least 10.",
      valueName: "limit"))
  package var maxErrors: ErrorPolicy.Limit?

  @Flag(
    name: [.long, .customShort("n")],
    help: "Read the lists, say what would be done and how large it gets, and stop.")
  package var dryRun = false

  @Flag(name: .shortAndLong, help: "No progress and no notes on stderr; warnings stay.")
  package var quiet = false

  package init() {}

  package var policy: ErrorPolicy { ErrorPolicy(isStrict: strict, limit: maxErrors ?? .automatic) }

  package func validate() throws {
    guard (1...1024).contains(threads) else {
      throw ValidationError("--threads (--jobs, -j) must be in 1...1024, got \(threads).")
    }
  }
}

extension ErrorPolicy.Limit: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
