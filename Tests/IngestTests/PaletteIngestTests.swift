import Foundation
import Images
import Ingest
import RowMaps
import Shards
import TestSupport
import Testing

@Suite("Palettes of recordings")
struct PaletteIngestTests {
  private static func options(
    _ change: (inout AtariOptions) -> Void = { _ in }
  ) throws -> AtariOptions {
    try .small {
      $0.recipe.palette.isWanted = true
      $0.holdout = [3]
      change(&$0)
    }
  }

  /// One palette for all shards of both splits, with the colours of those held out.
  @Test func mapsAreTheImages() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    let (outcome, _) = try ingest(corpus, Self.options(), to: out.path)
    #expect(outcome.rows == 28 && outcome.skipped.isEmpty)
    let palette = try ImageShardSet(outcome.shards.map(\.path)).palette()
    #expect("\(palette)" == "285a14,505a14,785a14,ffffff")
    for shard in outcome.shards {
      let reader = try ImageShardReader(shard.path)
      for row in 0..<reader.count {
        guard case .bytes(let numbers) = try reader.row(row, .palette) else {
          Issue.record("16 bits")
          return
        }
        #expect(try palette.pixels(of: numbers) == reader.pixels(row))
      }
      #expect(ShardVerification(shard.path).findings.isEmpty)
    }
    let names = try ImageShardReader(out("dots-00000.h5")).contents.names
    #expect(names[3] == "revenge/1/3")
    #expect(try ImageShardReader(out("dots-00000.h5")).pixels(3) == SmallCorpus.state(1, 3).pixels)
  }

  @Test func threadsAndRerunsChangeNoByte() throws {
    let corpus = try SmallCorpus()
    try corpus.replace(1, 3, with: [1, 2, 3])  // skipped, as without a palette
    let first = try TemporaryFolder()
    try ingest(corpus, Self.options(), to: first.path, threads: 1)
    let expected = try files(in: first.path)
    for threads in [2, 5] {
      let second = try TemporaryFolder()
      try ingest(corpus, Self.options(), to: second.path, threads: threads)
      #expect(try files(in: second.path) == expected)
      let (_, new) = try ingest(corpus, Self.options(), to: second.path, threads: threads)
      #expect(new.isEmpty)
      #expect(try files(in: second.path) == expected)
    }
  }

  @Test func tooManyColoursAreTold() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    let error = try #require(throws: IngestError.self) {
      try ingest(corpus, Self.options { $0.recipe.palette.maxColors = 3 }, to: out.path)
    }
    #expect(error == .tooManyColors(name: "revenge/3/0", own: 2, all: 4, allowed: 3))
    #expect("\(error)".contains("revenge/3/0: has 2 colours, with the images before it 4"))
  }

  /// Another palette is another folder, also where the names and sizes of images are the same.
  @Test func aFolderHasOnePalette() throws {
    let corpus = try SmallCorpus()
    let out = try TemporaryFolder()
    try ingest(corpus, Self.options(), to: out.path)
    var image = SmallCorpus.state(3, 0)
    image[0, 0] = RGBColor(red: 1, green: 2, blue: 3)
    try image.writePNG(to: corpus.image(3, 0))
    let error = try #require(throws: ShardError.self) {
      try ingest(corpus, try Self.options(), to: out.path)
    }
    guard case .optionsDiffer(out.path, "--palette", _, _) = error else {
      Issue.record("\(error)")
      return
    }
  }

  @Test func recordedPixelsAreTakenAsTheyAre() throws {
    let recipe = try ImageRecipe.parse(["--palette"])
    #expect(recipe.size == ImageSize(width: 160, height: 208))
    #expect(recipe.fit == .crop && recipe.filter == .nearest)
    #expect(recipe.palette.maxColors == 32)
    var frame = RGBImage(width: 160, height: 210, filledWith: .black)
    for y in 0..<210 { frame[y % 160, y] = .grey(UInt8(y)) }
    let image = recipe.image(of: [frame])
    #expect(image == frame.cropped(x: 0, y: 1, width: 160, height: 208))
    let plain = try ImageRecipe.parse([])
    #expect(plain.size == ImageSize(width: 208, height: 208))
    #expect(plain.fit == .stretch && plain.filter == .area)
    #expect(throws: (any Error).self) { try ImageRecipe.parse(["--palette", "--filter", "area"]) }
    #expect(throws: (any Error).self) {
      try ImageRecipe.parse(["--palette", "--max-colors", "257"])
    }
  }
}
