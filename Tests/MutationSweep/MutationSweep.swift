// mutation-sweep: changed files of every kind that the commands read, none of which may kill them.
//
// The summary is a JSON object on stdout; the exit status is 1 where a promise was broken.
import ArgumentParser
import Foundation
import Synchronization

@main
struct MutationSweep: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mutation-sweep",
    abstract: "Changes golden files and reads them: no crash, no hang, no memory over 2 GiB.")

  @Option(help: "Kinds to sweep, all if left out.") var kind: [String] = []
  @Option(help: "Changed files of a kind of which others are to have as many.") var inputs = 250
  @Option(help: "How many of them are given to a whole command too.") var commands = 10
  @Option(help: "Another seed changes the files otherwise.") var seed: UInt64 = 1
  @Option(help: "Where files that break a promise are kept.")
  var kept = "/tmp/mutation-sweep"
  @Flag(help: "List the kinds.") var list = false

  @Option(help: .hidden) var reader: String?
  @Option(help: .hidden) var first = 0

  func run() throws {
    if list { return SweepKind.all.forEach { print($0.name) } }
    let kinds = try kind.isEmpty ? SweepKind.all : kind.map(Self.named)
    if let reader {
      return try SweepReader(kind: kinds[0], stage: Stage(path: reader), seed: seed)
        .read(first..<inputs)
    }
    let started = ContinuousClock.now
    let found = Mutex<[Int: Result<SweepReport, any Error>]>([:])
    DispatchQueue.concurrentPerform(iterations: kinds.count) { index in
      let kind = kinds[index]
      let count = Int(Double(inputs) * kind.share)
      let result = Result {
        try Sweep(kind: kind, seed: seed, kept: kept).run(inputs: count, commands: commands)
      }
      found.withLock { $0[index] = result }
    }
    let reports = try found.withLock { $0 }.sorted { $0.key < $1.key }.map { try $0.value.get() }
    let seconds = (ContinuousClock.now - started) / .seconds(1)
    let summary = Summary(
      seed: seed, kinds: kinds.count, seconds: seconds,
      total: reports.reduce(SweepReport()) { $0 + $1 },
      byKind: Dictionary(uniqueKeysWithValues: zip(kinds.map(\.name), reports.map(\.inputs))))
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    print(String(decoding: try encoder.encode(summary), as: UTF8.self))
    if !summary.total.violations.isEmpty { throw ExitCode(1) }
  }

  private static func named(_ name: String) throws -> SweepKind {
    guard let kind = SweepKind.named(name) else { throw ValidationError("No kind \(name).") }
    return kind
  }

  private struct Summary: Encodable {
    let seed: UInt64
    let kinds: Int
    let seconds: Double
    let total: SweepReport
    let byKind: [String: Int]

    func encode(to encoder: any Encoder) throws {
      try total.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(seed, forKey: .seed)
      try container.encode(kinds, forKey: .kinds)
      try container.encode(seconds, forKey: .seconds)
      try container.encode(byKind, forKey: .inputsByKind)
    }

    enum CodingKeys: String, CodingKey {
      case seed, kinds, seconds
      case inputsByKind = "inputs_by_kind"
    }
  }
}
