import Foundation
import TestSupport
import Testing

/// The kinds of files that `mutation-sweep` knows.
private let kinds =
  (try? shell("mutation-sweep --list").output.split(separator: "\n").map(String.init)) ?? []

/// Some 7,000 changed files of all kinds; `make mutation-sweep` reads more.
@Suite("Changed files of every kind")
struct MutationSweepTests {
  @Test func thereAreManyKinds() { #expect(kinds.count >= 20) }

  @Test func deathsAndSilentErrorsAreFound() throws {
    let folder = try TemporaryFolder()
    let sweep = try shell(
      "mutation-sweep --kind trap --inputs 40 --commands 20 --kept \(folder("kept"))")
    #expect(sweep.status == 1, "\(sweep.errors)")
    for words in [
      "accepted, but it is not what was written", "exit status 13",
      #""inputs" : 40"#, #""kept" : "\#(folder("kept"))/trap-1-"#,
    ] {
      #expect(sweep.output.contains(words), "\(words): \(sweep.output)\(sweep.errors)")
    }
    #expect(try !FileManager.default.contentsOfDirectory(atPath: folder("kept")).isEmpty)
  }

  @Test(arguments: kinds)
  func noneKillsOrStallsACommand(kind: String) throws {
    let sweep = try shell("mutation-sweep --kind \"\(kind)\"", seconds: 300)
    // The summary names kind, seed, number and mutation, and where the file is kept.
    #expect(sweep.status == 0, "\(sweep.output)\(sweep.errors)")
    #expect(sweep.output.contains(#""violations" : ["#))
  }
}
