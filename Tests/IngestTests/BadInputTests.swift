import Foundation
import Images
import Ingest
import Shards
import TestSupport
import Testing

@Suite("Bad images, bad rows, and too many of them")
struct BadInputTests {
  /// A data set must not make anybody's other images part of a shard, nor quote other texts.
  @Test func linksOutOfTheFolderNeedAnOption() throws {
    let corpus = try SmallCorpus()
    let elsewhere = try TemporaryFolder()
    for (path, name) in [
      (corpus.image(1, 2), "image.png"), (corpus.folder("trajectories/revenge/2.txt"), "2.txt"),
    ] {
      try FileManager.default.moveItem(atPath: path, toPath: elsewhere(name))
      try FileManager.default.createSymbolicLink(
        atPath: path, withDestinationPath: elsewhere(name))
    }
    // A link within the folder is no danger.
    try FileManager.default.removeItem(atPath: corpus.image(3, 1))
    try FileManager.default.createSymbolicLink(
      atPath: corpus.image(3, 1), withDestinationPath: "0.png")
    let out = try TemporaryFolder()
    let (refused, _) = try ingest(corpus, .small(), to: out("refused"))
    #expect((refused.read, refused.written) == (20, 18))
    #expect(refused.skipped.map(\.name) == ["revenge/1/2", "revenge/2"])
    for sample in refused.skipped {
      #expect(
        sample.reason.contains(": a link to an absolute path or out of \(corpus.path), expected "),
        "\(sample.reason)")
    }
    let (followed, _) = try ingest(
      corpus, .small { $0.followsLinks = true }, to: out("followed"))
    #expect((followed.read, followed.written) == (28, 28))
  }

  @Test func badSamplesAreSkippedCountedAndListed() throws {
    let corpus = try SmallCorpus()
    let whole = SmallCorpus.state(1, 2).encodedPNG()
    try corpus.replace(1, 2, with: Array(whole.dropLast(20)))
    try corpus.replace(2, 0, with: [])
    try corpus.replace(2, 4, with: Array("<html>".utf8))
    try RGBImage(width: 9, height: 9, filledWith: .black).writePNG(to: corpus.image(3, 3))
    try FileManager.default.removeItem(atPath: corpus.image(1, 7))
    var rows = (0..<7).map { SmallCorpus.row($0, of: 7) }
    rows[1] = "1,0,10,0,44"
    try corpus.setRows(3, rows)

    let out = try TemporaryFolder()
    let (outcome, _) = try ingest(corpus, .small(), to: out.path)
    #expect((outcome.read, outcome.written, outcome.skipped.count) == (28, 22, 6))
    #expect(outcome.shards.map(\.rows).reduce(0, +) == 22)
    #expect(
      outcome.skipped.map(\.name)
        == ["1/2", "1/7", "2/0", "2/4", "3/1", "3/3"].map { "revenge/\($0)" })
    #expect(outcome.skipped[0].reason.hasPrefix(corpus.image(1, 2) + ": "))
    #expect(
      outcome.skipped[1].reason == corpus.image(1, 7) + ": no such image for the row of frame 7"
    )
    #expect(outcome.skipped[4].reason.hasSuffix("/3.txt:4: action is 44, expected 0…17"))
    #expect(outcome.skipped[5].reason.hasSuffix("9x9 pixels, the recording has 20x30"))

    let lines = try String(contentsOfFile: out("skipped.jsonl"), encoding: .utf8).split(
      separator: "\n")
    let listed = try lines.map { try JSONDecoder().decode(SkippedSample.self, from: Data($0.utf8)) }
    #expect(listed == outcome.skipped)
  }

  @Test func strictStopsAtTheFirst() throws {
    let corpus = try SmallCorpus()
    try corpus.replace(2, 4, with: [0])
    let out = try TemporaryFolder()
    let error = try #require(throws: IngestError.self) {
      try ingest(corpus, .small(), to: out.path, policy: ErrorPolicy(isStrict: true))
    }
    guard case .badSample(let reason) = error else {
      Issue.record("\(error)")
      return
    }
    #expect(reason.contains("screens/revenge/2/4.png"))
    let names = try files(in: out.path).keys
    #expect(!names.contains { $0.contains(".tmp-") })
    #expect(names.contains("dots-00002.h5"))
    #expect(!names.contains("dots-00003.h5"))
  }

  @Test func tooManyErrorsEndTheRun() throws {
    let corpus = try SmallCorpus()
    for frame in 0..<3 { try corpus.replace(1, frame, with: [0]) }
    let out = try TemporaryFolder()
    let two = ErrorPolicy(limit: .count(2))
    let error = try #require(throws: IngestError.self) {
      try ingest(corpus, .small(), to: out.path, policy: two)
    }
    guard case .tooManyErrors(3, 28, 2, _) = error else {
      Issue.record("\(error)")
      return
    }
    let report = try String(contentsOfFile: out("skipped.jsonl"), encoding: .utf8)
    #expect(report.split(separator: "\n").count == 3, "\(report)")
    // With a higher limit the same folder is continued.
    let (outcome, _) = try ingest(
      corpus, .small(), to: out.path, policy: ErrorPolicy(limit: .fraction(0.2)))
    #expect(outcome.written == 25)
  }

  @Test func limitsAreReadFromText() {
    #expect(ErrorPolicy.Limit("3") == .count(3))
    #expect(ErrorPolicy.Limit("2.5%") == .fraction(0.025))
    for text in ["", "-1", "1e3", "x", "101%", "nan%", "%"] {
      #expect(ErrorPolicy.Limit(text) == nil)
    }
    #expect(ErrorPolicy.Limit.automatic.count(of: 100) == 10)
    #expect(ErrorPolicy.Limit.automatic.count(of: 5000) == 50)
  }

  @Test func aShardWithoutAGoodSampleIsEmptyAndLeavesNoGap() throws {
    let corpus = try SmallCorpus()
    for frame in 5..<10 { try corpus.replace(1, frame, with: [0]) }
    let out = try TemporaryFolder()
    let (outcome, _) = try ingest(corpus, .small(), to: out.path)
    #expect(outcome.shards.map(\.rows) == [5, 0, 5, 5, 5, 3])
    #expect(try ImageShardReader(out("dots-00001.h5")).count == 0)
  }

  @Test func odditiesAreWarnedOf() throws {
    let corpus = try SmallCorpus(frames: [6, 6])
    try corpus.setRows(1, (0..<9).map { SmallCorpus.row($0, of: 9) })
    try corpus.setRows(2, (0..<4).map { SmallCorpus.row($0, of: 6) })
    try Data().write(to: URL(fileURLWithPath: corpus.folder("screens/revenge/2/thumbs.db")))
    try Data().write(to: URL(fileURLWithPath: corpus.folder("trajectories/revenge/7.txt~")))
    let options = try AtariOptions.small()
    let plan = try AtariPlanner.plan(
      path: corpus.path, frames: options.frames, recipe: options.recipe, shards: options.shards,
      threads: 1, policy: ErrorPolicy()
    ) { _ in }
    #expect(plan.samples.count == 10)
    #expect(plan.warnings.count == 4)
    for (warning, part) in zip(
      plan.warnings, ["3 rows after", "thumbs.db", "2 images after", "7.txt~"])
    {
      #expect(warning.contains(part))
    }
  }

  /// Rows behind the last image, and images behind the last row.
  @Test func surplusIsSkippedAndListedAndCountsOnRequest() throws {
    let corpus = try SmallCorpus(frames: [6, 6, 7])
    try corpus.setRows(1, (0..<9).map { SmallCorpus.row($0, of: 9) })
    try corpus.setRows(2, (0..<4).map { SmallCorpus.row($0, of: 6) })
    let out = try TemporaryFolder()
    let (outcome, _) = try ingest(corpus, .small(), to: out("S"))
    #expect((outcome.read, outcome.written) == (22, 17))
    #expect(
      outcome.skipped.map(\.name) == ["1/6", "1/7", "1/8", "2/4", "2/5"].map { "revenge/\($0)" })
    #expect(
      outcome.skipped[0].reason == corpus.image(1, 6) + ": no such image for the row of frame 6")
    #expect(outcome.skipped[3].reason.hasPrefix(corpus.image(2, 4) + ": no row for frame 4 in "))
    let lines = try String(contentsOfFile: out("S/skipped.jsonl"), encoding: .utf8)
      .split(separator: "\n")
    let listed = try lines.map { try JSONDecoder().decode(SkippedSample.self, from: Data($0.utf8)) }
    #expect(listed == outcome.skipped)
    // The same folder is complete, whatever limit it keeps to.
    try ingest(corpus, .small(), to: out("S"), policy: ErrorPolicy(limit: .count(5)))
    let error = #expect(throws: IngestError.self) {
      try ingest(corpus, .small(), to: out("T"), policy: ErrorPolicy(limit: .count(4)))
    }
    guard case .tooManyErrors(5, 22, 4, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    let strict = #expect(throws: IngestError.self) {
      try ingest(corpus, .small(), to: out("T"), policy: ErrorPolicy(isStrict: true))
    }
    guard case .badSample = strict else {
      Issue.record("\(String(describing: strict))")
      return
    }
    #expect(!FileManager.default.fileExists(atPath: out("T")))
    // Together with what is found later.
    try corpus.replace(3, 2, with: [0])
    #expect(throws: IngestError.self) {
      try ingest(corpus, .small(), to: out("U"), policy: ErrorPolicy(limit: .count(5)))
    }
    try ingest(corpus, .small(), to: out("V"), policy: ErrorPolicy(limit: .count(6)))
  }

  /// A text that was cut costs its images; without a limit they are not too many.
  @Test func aTextThatWasCutListsItsImages() throws {
    let corpus = try SmallCorpus(frames: [40])
    try corpus.setRows(1, (0..<5).map { SmallCorpus.row($0, of: 40) })
    let out = try TemporaryFolder()
    let (outcome, _) = try ingest(corpus, .small(), to: out("S"))
    #expect((outcome.read, outcome.written, outcome.skipped.count) == (40, 5, 35))
    let report = try String(contentsOfFile: out("S/skipped.jsonl"), encoding: .utf8)
    #expect(report.split(separator: "\n").count == 35)
    // Only what the options would have taken.
    let (some, _) = try ingest(corpus, .small { $0.every = 4 }, to: out("T"))
    #expect((some.written, some.skipped.count) == (2, 8))
    for (limit, count) in [(4, 0), (5, 35)] {
      let (few, _) = try ingest(corpus, .small { $0.limit = limit }, to: out("L\(limit)"))
      #expect((few.written, few.skipped.count) == (limit, count))
    }
  }

  @Test func nothingButBadImagesIsAnError() throws {
    let corpus = try SmallCorpus(frames: [2])
    for frame in 0..<2 { try corpus.replace(1, frame, with: [0]) }
    let out = try TemporaryFolder()
    #expect(throws: IngestError.self) { try ingest(corpus, .small(), to: out.path) }
  }

  @Test func aRecordingThatCannotBeReadIsSkippedAsOne() throws {
    let corpus = try SmallCorpus()
    try corpus.setRows(1, [])
    try FileManager.default.removeItem(atPath: corpus.folder("trajectories/revenge/2.txt"))
    let out = try TemporaryFolder()
    let (outcome, _) = try ingest(corpus, .small(), to: out.path)
    #expect(outcome.written == 7)
    #expect(outcome.skipped.map(\.name) == ["revenge/1", "revenge/2"])
  }

  @Test func version1IsReadLikeVersion2() throws {
    let corpus = try SmallCorpus(frames: [6])
    let expected = try TemporaryFolder()
    try ingest(corpus, .small(), to: expected.path)
    for frame in (0..<6).reversed() {
      try FileManager.default.moveItem(
        atPath: corpus.image(1, frame), toPath: corpus.image(1, frame + 1))
    }
    try corpus.setRows(
      1,
      (0..<6).map { frame in
        let fields = SmallCorpus.row(frame, of: 6).split(separator: ",").map(String.init)
        return (fields[..<3] + [fields[3] == "1" ? "True" : "False", fields[4]]).joined(
          separator: ", ")
      })
    let out = try TemporaryFolder()
    try ingest(corpus, .small(), to: out.path)
    for shard in ["dots-00000.h5", "dots-00001.h5"] {
      #expect(try files(in: out.path)[shard] == files(in: expected.path)[shard])
    }
  }
}
