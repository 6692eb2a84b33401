import Foundation
import TestSupport
import Testing

/// The kinds of files that `mutation-sweep` knows.
private let kinds =
  (try? shell("mutation-sweep --list").output.split(separator: "\n").map(String.init)) ?? []

/// Some 5,500 changed files of all kinds; `make mutation-sweep` reads more.
@Suite("Changed files of every kind")
struct MutationSweepTests {
  @Test func thereAreManyKinds() { #expect(kinds.count >= 20) }

  @Test(arguments: kinds)
  func noneKillsOrStallsACommand(kind: String) throws {
    let sweep = try shell("mutation-sweep --kind \"\(kind)\"", seconds: 300)
    // The summary names kind, seed, number and mutation, and where the file is kept.
    #expect(sweep.status == 0, "\(sweep.output)\(sweep.errors)")
    #expect(sweep.output.contains(#""violations" : ["#))
  }
}
