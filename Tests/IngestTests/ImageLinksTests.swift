import Foundation
import Images
import Ingest
import Shards
import TestSupport
import Testing

@Suite("Linked folders, and images above the limit")
struct ImageLinksTests {
  /// Case 10: links to folders, one to a folder that holds it, and two to each other.
  @Test func linkedFoldersAreReadOrListed() throws {
    let folder = try ImageListTests.images(4)
    let files = FileManager.default
    try files.createDirectory(atPath: folder("other/deeper"), withIntermediateDirectories: true)
    let image = RGBImage(width: 9, height: 9, filledWith: .white)
    for name in ["other/x.png", "other/deeper/y.png"] { try image.writePNG(to: folder(name)) }
    for (link, target) in [
      ("in/linked", "../other"), ("in/self", "."), ("in/deep/up", ".."),
      ("other/deeper/back", "../../other"), ("in/inside", "deep"), ("in/gone", "nowhere"),
    ] {
      try files.createSymbolicLink(atPath: folder(link), withDestinationPath: target)
    }
    let refused = try ImageListTests.ingest(folder("in"), to: folder("refused"))
    #expect((refused.read, refused.written) == (5, 4))
    #expect(refused.skipped.map(\.name) == ["linked/"])
    // Also one to a hidden folder below the first one.
    try files.createDirectory(atPath: folder("in/.store"), withIntermediateDirectories: true)
    try files.createSymbolicLink(atPath: folder("in/stored"), withDestinationPath: ".store")
    let hidden = try ImageListTests.ingest(folder("in"), to: folder("hidden"))
    #expect(hidden.skipped.map(\.name) == ["linked/", "stored/"])
    #expect(refused.skipped[0].reason.contains("a link to a folder (--follow-symlinks"))
    #expect(throws: IngestError.self) {
      try ImageListTests.ingest(
        folder("in"), to: folder("strict"), policy: ErrorPolicy(limit: .count(0)))
    }
    let plan = try ImageListSource.plan(folder: folder("in"), followsLinks: true, .squares())
    let followed = try ShardIngest(
      plan: plan, folder: folder("followed"), threads: 2, toolVersion: "test"
    ).run { _ in }
    #expect(followed.skipped.isEmpty)
    let names = try ImageShardReader(folder("followed/p-00000.h5")).contents.names
    #expect(
      names == [
        "101.JPG", "102.png", "deep/100.png", "deep/103.JPG", "linked/deeper/y.png", "linked/x.png",
      ])
    // A folder of nothing but such links.
    try files.createDirectory(atPath: folder("links"), withIntermediateDirectories: true)
    try files.createSymbolicLink(atPath: folder("links/a"), withDestinationPath: "../other")
    let error = #expect(throws: IngestError.self) {
      try ImageListTests.ingest(folder("links"), to: folder("none"))
    }
    #expect(error?.description.contains("a link to a folder (--follow-symlinks") == true)
    #expect(!files.fileExists(atPath: folder("none")))
  }

  /// Case 4: images above the limit are skipped, and a greater limit reads them.
  @Test func theLargestImageIsAnOption() throws {
    let folder = try ImageListTests.images(3)
    for (limit, written) in [(199, 0), (200, 3)] {
      let options = try PhotoOptions.parse(["--max-pixels", "\(limit)"])
      let plan = try ImageListSource.plan(
        folder: folder("in"), reading: options.reading, .squares { $0.size = 8 })
      let ingest = ShardIngest(
        plan: plan, folder: folder("\(limit)"), threads: 1, toolVersion: "test")
      if written == 0 {
        #expect(throws: IngestError.nothingWritten(folder: folder("199"))) {
          try ingest.run { _ in }
        }
        let report = try String(contentsOfFile: folder("199/skipped.jsonl"), encoding: .utf8)
        #expect(report.contains("199 in all (--max-pixels)"))
      } else {
        #expect(try ingest.run { _ in }.written == written)
      }
    }
    // The default is not among the options that a folder of an earlier version was made with.
    let plan = try ImageListSource.plan(
      folder: folder("in"), reading: try PhotoOptions.parse([]).reading, .squares())
    #expect(plan.shards.options["--max-pixels"] == nil)
    for value in ["0", "-1", "1e9", "10000000001"] {
      #expect(throws: (any Error).self) { try PhotoOptions.parse(["--max-pixels", value]) }
    }
  }
}
