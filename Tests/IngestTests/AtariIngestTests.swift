import Corpora
import Foundation
import Images
import Ingest
import Shards
import TestSupport
import Testing

@Suite("From recordings to shards")
struct AtariIngestTests {
  @Test func everyFrameArrivesWithItsLabels() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    let (outcome, new) = try ingest(corpus, .small(), to: out.path)
    #expect((outcome.read, outcome.written) == (28, 28))
    #expect(outcome.skipped.isEmpty)
    #expect(new == (0..<6).map { "dots-0000\($0).h5" })
    #expect(outcome.shards.map(\.path) == new.map { out($0) })
    #expect(outcome.shards.map(\.rows) == [5, 5, 5, 5, 5, 3])

    let reader = try ImageShardReader(out("dots-00002.h5"))
    #expect(try reader.integers("trajectory") == [1, 1, 2, 2, 2])
    #expect(try reader.integers("frame") == [10, 11, 0, 1, 2])
    #expect(try reader.integers("action") == [10, 11, 0, 1, 2])
    #expect(try reader.integers("reward") == [0, 0, 10, 0, 0])
    #expect(try reader.integers("score") == [40, 40, 10, 10, 10])
    #expect(try reader.integers("terminal") == [0, 1, 0, 0, 0])
    #expect(try reader.contents.names[1] == "revenge/1/11")
    #expect(try reader.contents.ids[4] == 2 << 32 | 2)
    #expect(reader.header.split == "train")
    #expect(reader.header.source == "atari-grand-challenge/revenge")
    #expect(reader.header.preprocessing.contains("\"fit\":\"stretch\""))
    for (row, (id, frame)) in [(1, 10), (1, 11), (2, 0), (2, 1), (2, 2)].enumerated() {
      #expect(try reader.pixels(row) == SmallCorpus.state(id, frame).pixels)
    }
  }

  @Test func theNumberOfThreadsChangesNoByte() throws {
    let corpus = try SmallCorpus()
    try corpus.replace(1, 3, with: [1, 2, 3])
    let first = try TemporaryFolder()
    let options = try AtariOptions.small { $0.holdout = [3] }
    try ingest(corpus, options, to: first.path, threads: 1)
    let expected = try files(in: first.path)
    for threads in [2, 5] {
      let second = try TemporaryFolder()
      try ingest(corpus, options, to: second.path, threads: threads)
      #expect(try files(in: second.path) == expected)
    }
  }

  @Test func heldOutRecordingsAreInShardsOfTheirOwn() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    let (outcome, _) = try ingest(corpus, .small { $0.holdout = [2] }, to: out.path)
    let rows = Dictionary(grouping: outcome.shards, by: \.split)
    #expect(rows[.train]?.reduce(0) { $0 + $1.rows } == 19)
    #expect(rows[.validation]?.reduce(0) { $0 + $1.rows } == 9)
    #expect(
      rows[.validation]?.map(\.path)
        == ["dots-validation-00000.h5", "dots-validation-00001.h5"].map { out($0) })
    for shard in outcome.shards {
      let reader = try ImageShardReader(shard.path)
      let ids = Set(try #require(try reader.integers("trajectory")))
      #expect(shard.split == .validation ? ids == [2] : ids.isDisjoint(with: [2]))
      #expect(reader.header.split == shard.split.rawValue)
    }
  }

  @Test func chosenRecordingsAndLimit() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    let (outcome, _) = try ingest(
      corpus,
      .small {
        $0.trajectories = [3, 2]
        $0.holdout = [3]
        $0.limit = 4
      }, to: out.path)
    #expect(outcome.shards.map(\.rows) == [4, 4])
    #expect(try ImageShardReader(out("dots-00000.h5")).integers("trajectory") == [2, 2, 2, 2])
  }

  @Test func wrongChoicesAreRefused() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    #expect(throws: IngestError.holdoutNotSelected(id: 1)) {
      try ingest(corpus, .small { ($0.trajectories, $0.holdout) = ([2], [1]) }, to: out.path)
    }
    #expect(throws: IngestError.noSamples(path: corpus.path, split: "train", reason: nil)) {
      try ingest(corpus, .small { $0.holdout = [1, 2, 3] }, to: out.path)
    }
    #expect(throws: IngestError.noSamples(path: corpus.path, split: "train", reason: nil)) {
      try ingest(corpus, .small { $0.recipe.stack = 13 }, to: out.path)
    }
    #expect(throws: AtariCorpusError.self) {
      try ingest(corpus, .small { $0.trajectories = [1, 99] }, to: out.path)
    }
    #expect(throws: AtariCorpusError.self) {
      try ingest(corpus, .small { $0.game = "qbert" }, to: out.path)
    }
    #expect(try files(in: out.path).isEmpty)
  }

  @Test func everyKthFrameGathersTheRewardsBetween() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    try ingest(corpus, .small { ($0.every, $0.trajectories) = (4, [1]) }, to: out.path)
    let reader = try ImageShardReader(out("dots-00000.h5"))
    #expect(try reader.integers("frame") == [0, 4, 8])
    #expect(try reader.integers("reward") == [20, 10, 10])
    #expect(try reader.integers("terminal") == [0, 0, 1])
    #expect(try reader.pixels(1) == SmallCorpus.state(1, 4).pixels)
  }

  /// Only where the action really changes between the rows that stay.
  @Test func actionsThatAreLostAreTold() throws {
    func warnings(_ corpus: SmallCorpus, every: Int) throws -> [String] {
      let options = try AtariOptions.small { ($0.every, $0.trajectories) = (every, [1]) }
      let plan = try AtariPlanner.plan(
        path: corpus.path, frames: options.frames, recipe: options.recipe, shards: options.shards,
        threads: 1, policy: ErrorPolicy(), progress: { _ in })
      return plan.warnings.filter { $0.contains("action") }
    }
    let corpus = try SmallCorpus()
    #expect(try warnings(corpus, every: 1).isEmpty)
    let told = try warnings(corpus, every: 4)
    #expect(told.count == 1 && told[0].contains("in 3 of 3 samples"), "\(told)")
    try corpus.setRows(1, (0..<12).map { "\($0),0,0,0,\($0 < 4 ? 3 : $0 == 11 ? 1 : 5)" })
    let last = try warnings(corpus, every: 4)
    #expect(last.count == 1 && last[0].contains("in 1 of 3 samples"), "\(last)")
  }

  @Test func duplicatesAreLeftOutAndTheirRewardsKept() throws {
    let corpus = try SmallCorpus()
    for frame in [1, 2, 3, 7] {
      try SmallCorpus.state(1, frame == 7 ? 6 : 0).writePNG(to: corpus.image(1, frame))
    }
    let out = try TemporaryFolder()
    let (outcome, _) = try ingest(
      corpus, .small { ($0.dropsDuplicates, $0.trajectories, $0.shardSize) = (true, [1], 100) },
      to: out.path)
    let reader = try ImageShardReader(out("dots-00000.h5"))
    #expect(try reader.integers("frame") == [0, 4, 5, 6, 8, 9, 10, 11])
    #expect(try reader.integers("reward") == [20, 0, 0, 10, 0, 10, 0, 0])
    #expect(outcome.read == 8)
  }

  @Test("Stacks hold successive states, none twice", arguments: StackLayout.allCases)
  func stacks(layout: StackLayout) throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    let options = try AtariOptions.small {
      ($0.recipe.stack, $0.recipe.layout, $0.trajectories) = (4, layout, [2])
    }
    try ingest(corpus, options, to: out.path)
    let reader = try ImageShardReader(out("dots-00000.h5"))
    let (columns, rows) = layout == .horizontal ? (4, 1) : (2, 2)
    #expect(reader.header.width == columns * SmallCorpus.width)
    #expect(reader.header.height == rows * SmallCorpus.height)
    #expect(try reader.integers("frame") == [3, 7])
    #expect(try reader.integers("action") == [3, 7])
    #expect(try reader.integers("reward") == [20, 10])
    let stored = RGBImage(
      width: reader.header.width, height: reader.header.height, pixels: try reader.pixels(1))
    for state in 0..<4 {
      let cell = stored.cropped(
        x: state % columns * SmallCorpus.width, y: state / columns * SmallCorpus.height,
        width: SmallCorpus.width, height: SmallCorpus.height)
      #expect(cell == SmallCorpus.state(2, 4 + state))
    }
  }

  @Test func stacksDoNotReachOverAGap() throws {
    let corpus = try SmallCorpus()
    try FileManager.default.removeItem(atPath: corpus.image(1, 5))
    let out = try TemporaryFolder()
    let (outcome, _) = try ingest(
      corpus, .small { ($0.recipe.stack, $0.trajectories) = (3, [1]) }, to: out.path)
    let reader = try ImageShardReader(out("dots-00000.h5"))
    #expect(try reader.integers("frame") == [2, 8, 11])
    #expect(outcome.skipped.map(\.name) == ["revenge/1/5"])
  }

  @Test func gridsAreAsSquareAsTheCountAllows() {
    let cells = [1, 2, 3, 4, 5, 7, 9, 10].map { StackLayout.grid.cells(for: $0) }
    #expect(cells.map(\.columns) == [1, 2, 2, 2, 3, 3, 3, 4])
    #expect(cells.map(\.rows) == [1, 1, 2, 2, 2, 3, 3, 3])
  }

  @Test func theReproductionsCropLosesTheScoreBarAndTheDefaultDoesNot() throws {
    var frame = RGBImage(width: 160, height: 210, filledWith: .black)
    for x in 0..<160 { frame[x, 0] = .white }
    let crop = try ImageRecipe.parse(["--fit", "crop", "--filter", "bilinear"])
    #expect(!crop.image(of: [frame]).pixels.contains { $0 > 0 })
    for fit in ["pad", "stretch"] {
      let whole = try ImageRecipe.parse(["--fit", fit])
      #expect(whole.image(of: [frame]).pixels.contains { $0 > 200 })
    }
  }
}
