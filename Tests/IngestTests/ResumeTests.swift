import Foundation
import Images
import Ingest
import Shards
import TestSupport
import Testing

@Suite("Runs that are cut short or run again")
struct ResumeTests {
  private struct Cut: Error {}

  @Test func aDeletedShardIsMadeAgainWithTheSameBytes() throws {
    let corpus = try SmallCorpus()
    try corpus.replace(1, 6, with: [0])
    let out = try TemporaryFolder()
    try ingest(corpus, .small { $0.holdout = [3] }, to: out.path)
    let before = try files(in: out.path)
    for name in ["dots-00001.h5", "dots-validation-00000.h5"] {
      try FileManager.default.removeItem(atPath: out(name))
      let (_, new) = try ingest(corpus, .small { $0.holdout = [3] }, to: out.path)
      #expect(new == [name])
      #expect(try files(in: out.path) == before)
    }
  }

  @Test func aShortenedShardIsMadeAgain() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    try ingest(corpus, .small(), to: out.path)
    let before = try files(in: out.path)
    try Data([1, 2, 3]).write(to: URL(fileURLWithPath: out("dots-00003.h5")))
    #expect(try ingest(corpus, .small(), to: out.path).newShards == ["dots-00003.h5"])
    #expect(try files(in: out.path) == before)
  }

  /// Of the same length: nothing but its checksum tells it from the one that was written.
  @Test func aChangedShardIsMadeAgain() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    try ingest(corpus, .small(), to: out.path)
    let before = try files(in: out.path)
    var changed = try #require(before["dots-00003.h5"])
    changed[changed.count / 2] ^= 1
    try changed.write(to: URL(fileURLWithPath: out("dots-00003.h5")))
    var checks: [ShardCheck] = []
    let again = try ingest(corpus, .small(), to: out.path) {
      if case .checked(let check) = $0 { checks.append(check) }
    }
    #expect(again.newShards == ["dots-00003.h5"])
    #expect(checks.contains(.changed(path: out("dots-00003.h5"))))
    #expect(try files(in: out.path) == before)
  }

  @Test func aFinishedRunDoesNothingAgain() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    let first = try ingest(corpus, .small(), to: out.path)
    let again = try ingest(corpus, .small(), to: out.path, threads: 1)
    #expect(again.newShards.isEmpty)
    #expect(again.outcome.shards == first.outcome.shards)
    #expect(again.outcome.earlier == 28)
  }

  @Test("A run cut after any number of samples, continued, equals one that was not cut")
  func continuesAfterEveryCut() throws {
    let corpus = try SmallCorpus()
    try corpus.replace(2, 1, with: [0])
    let whole = try TemporaryFolder()
    try ingest(corpus, .small(), to: whole.path)
    let expected = try files(in: whole.path)
    for cut in stride(from: 1, through: 28, by: 4) {
      let out = try TemporaryFolder()
      var left = cut
      #expect(throws: Cut.self) {
        try ingest(corpus, .small(), to: out.path) { event in
          guard case .processed = event else { return }
          left -= 1
          if left == 0 { throw Cut() }
        }
      }
      #expect(!(try files(in: out.path).keys.contains { $0.contains(".tmp-") }), "cut at \(cut)")
      let (_, new) = try ingest(corpus, .small(), to: out.path)
      #expect(new.count == 6 - (cut - 1) / 5, "cut at \(cut)")
      #expect(try files(in: out.path) == expected, "cut at \(cut)")
    }
  }

  @Test func otherOptionsAreRefusedByName() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    try ingest(corpus, .small(), to: out.path)
    let before = try files(in: out.path)
    let cases: [(String, AtariOptions)] = try [
      (
        "--size",
        .small { $0.recipe.size = ImageSize(width: 16, height: SmallCorpus.height) }
      ), ("--fit", .small { $0.recipe.fit = .pad }),
      ("--filter", .small { $0.recipe.filter = .area }), ("--every", .small { $0.every = 2 }),
      ("--drop-duplicates", .small { $0.dropsDuplicates = true }),
      ("--stack", .small { $0.recipe.stack = 2 }),
      ("--stack-layout", .small { $0.recipe.layout = .grid }),
      ("--trajectories", .small { $0.trajectories = [1, 2] }),
      ("--holdout", .small { $0.holdout = [1] }),
      ("--limit", .small { $0.limit = 3 }), ("--shard-size", .small { $0.shardSize = 6 }),
      ("--compression", .small { $0.compression = .none }),
      ("--name", .small { $0.name = "points" }),
    ]
    for (name, options) in cases {
      let error = try #require(throws: ShardError.self) {
        try ingest(corpus, options, to: out.path)
      }
      guard case .optionsDiffer(out.path, name, _, _) = error else {
        Issue.record("\(name): \(error)")
        continue
      }
    }
    #expect(try files(in: out.path) == before)
  }

  @Test func otherInputIsRefused() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    try ingest(corpus, .small(), to: out.path)
    try corpus.setRows(1, (0..<12).map { SmallCorpus.row($0, of: 13) })
    let error = try #require(throws: ShardError.self) {
      try ingest(corpus, .small(), to: out.path)
    }
    guard case .optionsDiffer(out.path, "inputs", _, _) = error else {
      Issue.record("\(error)")
      return
    }
  }

  @Test func strangeFilesInTheFolderAreNotOverwritten() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    try Data("mine".utf8).write(to: URL(fileURLWithPath: out("dots-00004.h5")))
    #expect(throws: ShardError.externalShard(path: out("dots-00004.h5"))) {
      try ingest(corpus, .small(), to: out.path)
    }
    try FileManager.default.removeItem(atPath: out("dots-00004.h5"))
    for text in ["{}", "[", "", #"{"format": "vqgan-dataset"}"#] {
      try Data(text.utf8).write(to: URL(fileURLWithPath: out("manifest.json")))
      #expect(throws: ShardError.self) { try ingest(corpus, .small(), to: out.path) }
      #expect(try files(in: out.path) == ["manifest.json": Data(text.utf8)])
    }
  }

  @Test func twoRunsInOneFolderAreRefused() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    var inner: (any Error)?
    try ingest(corpus, .small(), to: out.path) { event in
      guard event == .finished(shard: "dots-00000.h5") else { return }
      do { try ingest(corpus, .small(), to: out.path) } catch { inner = error }
    }
    #expect(inner as? ShardError == .file(.busy(path: out.path)))
  }
}
