// Options that every command that computes takes.

import ArgumentParser
import CommandSupport
import Foundation
import TensorCore

/// Threads and how much is said on stderr.
package struct RuntimeOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Threads to compute with, all processors if left out; results have the same bits for any "
        + "count.",
      valueName: "count"))
  package var threads: Int?

  @Option(help: .hidden)  // of earlier versions
  package var engine: String?

  @Flag(name: .shortAndLong, help: "No progress and no notes on stderr; warnings stay.")
  package var quiet = false

  package init() {}

  package var console: Console { .standardError(quiet: quiet) }

  package var threadCount: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

  package func validate() throws {
    if let threads, !(1...1024).contains(threads) {
      throw ValidationError("--threads must be in 1...1024, got \(threads).")
    }
  }
}
