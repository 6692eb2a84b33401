import Foundation
import Images
import Ingest
import Shards
import TestSupport
import Testing

@Suite("From folders of images to shards")
struct ImageListTests {
  /// Images a.png … in folders, each of one grey and 20×10 or 10×20 pixels.
  static func images(_ count: Int) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(
      atPath: folder("in/deep"), withIntermediateDirectories: true)
    for number in 0..<count {
      let name =
        "in/\(number % 3 == 0 ? "deep/" : "")\(100 + number).\(number % 2 == 0 ? "png" : "JPG")"
      try RGBImage(
        width: number % 2 == 0 ? 20 : 10, height: number % 2 == 0 ? 10 : 20,
        filledWith: .grey(UInt8(number * 3))
      ).writePNG(to: folder(name))
    }
    return folder
  }

  @discardableResult
  static func ingest(
    _ folder: String, _ options: ImageOptions? = nil, to out: String,
    upright: Bool = false, policy: ErrorPolicy = ErrorPolicy()
  ) throws -> IngestOutcome {
    let options = try options ?? .squares { $0.size = 8 }
    let plan = try ImageListSource.plan(
      folder: folder, reading: ImageReading(turnsUpright: upright), options)
    return try ShardIngest(
      plan: plan, folder: out, threads: 2, policy: policy, toolVersion: "test"
    ).run { _ in }
  }

  @Test func everyImageBelowTheFolderArrives() throws {
    let folder = try Self.images(10)
    for name in ["notes.txt", ".hidden.png", "deep/Thumbs.db"] {
      try Data("x".utf8).write(to: URL(fileURLWithPath: folder("in/\(name)")))
    }
    let plan = try ImageListSource.plan(folder: folder("in"), .squares())
    #expect(plan.warnings.count == 1 && plan.warnings[0].contains("2 files"), "\(plan.warnings)")
    let outcome = try Self.ingest(folder("in"), to: folder("out"))
    #expect((outcome.read, outcome.written) == (10, 10))
    let reader = try ImageShardReader(folder("out/p-00000.h5"))
    let names = try reader.contents.names
    #expect(names == names.sorted())
    #expect(names[0] == "101.JPG" && names[9] == "deep/109.JPG")
    #expect(try reader.contents.ids == Array(0..<10))
    #expect(try reader.pixels(0) == [UInt8](repeating: 3, count: 8 * 8 * 3))
    #expect(reader.header.source == "images")
    #expect(reader.header.preprocessing.contains("EXIF ignored"))
  }

  @Test func linksOutOfTheFolderNeedAnOption() throws {
    let folder = try Self.images(4)
    try FileManager.default.moveItem(atPath: folder("in/101.JPG"), toPath: folder("101.JPG"))
    try FileManager.default.createSymbolicLink(
      atPath: folder("in/101.JPG"), withDestinationPath: "../101.JPG")
    let refused = try Self.ingest(folder("in"), to: folder("refused"))
    #expect(refused.skipped.map(\.name) == ["101.JPG"])
    #expect(refused.skipped[0].reason.contains("--follow-symlinks"), "\(refused.skipped)")
    let plan = try ImageListSource.plan(folder: folder("in"), followsLinks: true, .squares())
    let followed = try ShardIngest(
      plan: plan, folder: folder("followed"), threads: 2, toolVersion: "test"
    ).run { _ in }
    #expect((followed.read, followed.written) == (4, 4))
  }

  @Test func listsKeepTheirOrderAndRepetitions() throws {
    let folder = try Self.images(3)
    let paths = ["in/101.JPG", "in/deep/100.png", "in/101.JPG"].map { folder($0) }
    let plan = try ImageListSource.plan(paths: paths, .squares { $0.size = 8 })
    let outcome = try ShardIngest(
      plan: plan, folder: folder("out"), threads: 2, toolVersion: "test"
    ).run { _ in }
    #expect(outcome.written == 3)
    let reader = try ImageShardReader(folder("out/p-00000.h5"))
    #expect(try reader.contents.names == paths)
    #expect(try reader.pixels(0) == reader.pixels(2))
  }

  @Test func marginsAreStored() throws {
    let folder = try Self.images(2)
    try Self.ingest(folder("in"), .squares { ($0.size, $0.margin) = (8, 3) }, to: folder("out"))
    let reader = try ImageShardReader(folder("out/p-00000.h5"))
    #expect((reader.header.width, reader.header.height) == (14, 14))
    #expect(reader.header.preprocessing.contains("\"margin\":3"))
  }

  @Test func cropsAreWindowsOfTheScaledImage() throws {
    let folder = try TemporaryFolder()
    let image = SmallCOCO.image(width: 48, height: 32)
    try FileManager.default.createDirectory(
      atPath: folder("in"), withIntermediateDirectories: true)
    for name in ["a.png", "b.png"] { try image.writePNG(to: folder("in/\(name)")) }
    let options = try ImageOptions.squares {
      ($0.size, $0.margin, $0.crops, $0.shardSize) = (16, 4, 5, 7)
    }
    let outcome = try Self.ingest(folder("in"), options, to: folder("out"))
    // A shard holds whole images.
    #expect(outcome.shards.map(\.rows) == [5, 5])
    #expect((outcome.read, outcome.written, outcome.rows) == (2, 2, 10))
    let scaled = image.resized(width: 36, height: 24, filter: .nearest)
    let reader = try ImageShardReader(folder("out/p-00000.h5"))
    let x = try #require(try reader.integers("crop_x"))
    let y = try #require(try reader.integers("crop_y"))
    for row in 0..<5 {
      let expected = scaled.cropped(x: x[row], y: y[row], width: 16, height: 16)
      #expect(try reader.pixels(row) == expected.pixels, "row \(row)")
    }
    #expect(Set(x).count > 1 && Set(y).count > 1)
    #expect(try reader.integers("crop") == [0, 1, 2, 3, 4])
    #expect(try reader.contents.ids == (0..<5).map { $0 << 48 })
    // Another image has other windows, and so has another seed.
    let second = try ImageShardReader(folder("out/p-00001.h5"))
    #expect(try second.integers("crop_x") != x)
    var reseeded = options
    reseeded.seed = 1
    try Self.ingest(folder("in"), reseeded, to: folder("again"))
    #expect(try ImageShardReader(folder("again/p-00000.h5")).integers("crop_x") != x)
  }

  @Test func sharesAreChosenAtRandomAndDisjoint() throws {
    let folder = try Self.images(40)
    func names(_ change: (inout ImageOptions) -> Void, _ out: String) throws -> [[String]] {
      let outcome = try Self.ingest(folder("in"), .squares(change), to: folder(out))
      return try outcome.shards.map { try ImageShardReader($0.path).contents.names }
    }
    let held = try names({ $0.holdout = 25 }, "a")
    #expect(held.map(\.count) == [30, 10])
    #expect(Set(held[0] + held[1]).count == 40)
    #expect(held[1] != Array(held[1].prefix(1) + held[0].prefix(9)))
    #expect(try names({ ($0.holdout, $0.seed) = (25, 1) }, "b")[1] != held[1])
    let some = try names({ $0.percent = 50 }, "c")
    #expect(some.map(\.count) == [20] && some[0] == some[0].sorted())
    #expect(
      try names({ ($0.percent, $0.holdout, $0.limit) = (50, 10, 1) }, "d").map(\.count) == [1, 1])
  }

  @Test func photosAreTurnedOnRequest() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder("in"), withIntermediateDirectories: true)
    let plain = try Data(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Fixtures/images/baseline-444.jpg"))
    let tiff: [UInt8] = [
      0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0,
    ]
    let body = Array("Exif\0\0".utf8) + tiff
    let photo =
      plain.prefix(2) + [0xFF, 0xE1, 0, UInt8(body.count + 2)] + body + plain.dropFirst(2)
    try photo.write(to: URL(fileURLWithPath: folder("in/a.jpg")))
    let stored = try ImageDecoder.decode(Array(plain))
    for (upright, expected) in [(false, stored), (true, stored.upright(.upsideDown))] {
      try Self.ingest(folder("in"), to: folder("out-\(upright)"), upright: upright)
      let fitted = expected.fitted(width: 8, height: 8, mode: .crop, filter: .nearest)
      let reader = try ImageShardReader(folder("out-\(upright)/p-00000.h5"))
      #expect(try reader.pixels(0) == fitted.pixels)
    }
  }

  @Test(.timeLimit(.minutes(30)))
  func whatIsNoImageIsSkippedWithItsReason() throws {
    let folder = try Self.images(6)
    let bad: [(name: String, bytes: [UInt8], reason: String)] = [
      ("e.jpg", [], "empty file"), ("f.jpg", Array("<html>".utf8), "an HTML page"),
      ("g.jpg", [0xFF, 0xD8, 0xFF], "truncated JPEG"), ("h.png", Array("GIF89a".utf8), "a GIF"),
      ("i.webp", Array("RIFF....WEBP".utf8), "a WebP"), ("j.png", [0x1F, 0x8B, 8, 0], "gzip"),
    ]
    for (name, bytes, _) in bad {
      try Data(bytes).write(to: URL(fileURLWithPath: folder("in/\(name)")))
    }
    #expect(mkfifo(folder("in/k.jpg"), 0o600) == 0)
    try FileManager.default.createSymbolicLink(
      atPath: folder("in/l.jpg"), withDestinationPath: "l.jpg")
    try FileManager.default.createSymbolicLink(
      atPath: folder("in/m.jpg"), withDestinationPath: "deep")
    let outcome = try Self.ingest(folder("in"), to: folder("out"))
    #expect((outcome.read, outcome.written, outcome.skipped.count) == (15, 6, 9))
    let reasons = outcome.skipped.sorted { $0.name < $1.name }.map(\.reason)
    for (index, (name, _, reason)) in bad.enumerated() {
      #expect(reasons[index].contains(reason), "\(name): \(reasons[index])")
    }
    #expect(reasons[6].contains("a FIFO") && reasons[8].contains("a folder"))
    let report = try String(contentsOfFile: folder("out/skipped.jsonl"), encoding: .utf8)
    #expect(report.split(separator: "\n").count == 9)
    #expect(throws: IngestError.self) {
      try Self.ingest(folder("in"), to: folder("strict"), policy: ErrorPolicy(isStrict: true))
    }
    #expect(throws: IngestError.self) {
      try Self.ingest(folder("in"), to: folder("few"), policy: ErrorPolicy(limit: .count(8)))
    }
  }

  @Test func otherOptionsAndInputsAreRefusedByName() throws {
    let folder = try Self.images(4)
    try Self.ingest(folder("in"), .squares(), to: folder("out"))
    let before = try files(in: folder("out"))
    func refusal(_ change: (inout ImageOptions) -> Void) throws -> String {
      let error = try #require(throws: ShardError.self) {
        try Self.ingest(folder("in"), .squares(change), to: folder("out"))
      }
      guard case .optionsDiffer(_, let name, _, _) = error else { return "\(error)" }
      return name
    }
    #expect(try refusal { $0.size = 16 } == "--size")
    #expect(try refusal { $0.margin = 1 } == "--margin")
    #expect(try refusal { $0.crops = 1 } == "--crops")
    #expect(try refusal { $0.filter = .bicubic } == "--filter")
    #expect(try refusal { $0.fastDecode = true } == "--fast-decode")
    #expect(try refusal { $0.holdout = 50 } == "--holdout")
    #expect(try refusal { $0.percent = 50 } == "--percent")
    #expect(try refusal { $0.limit = 2 } == "--limit")
    #expect(try refusal { $0.shardSize = 2 } == "--shard-size")
    #expect(try refusal { $0.compression = .level(1) } == "--compression")
    // A seed that decides nothing may change.
    var seeded = try ImageOptions.squares()
    seeded.seed = 7
    #expect(try Self.ingest(folder("in"), seeded, to: folder("out")).earlier == 4)
    try RGBImage(width: 9, height: 9, filledWith: .white).writePNG(to: folder("in/new.png"))
    #expect(try refusal { _ in } == "inputs")
    #expect(try files(in: folder("out")) == before)
  }

  @Test func runsThatDoNotFitTheDiskAreRefused() throws {
    let folder = try Self.images(1)
    // Ten million rows of 48 MB each.
    let plan = try ImageListSource.plan(
      paths: Array(repeating: folder("in/deep/100.png"), count: 1000),
      .squares { ($0.size, $0.crops, $0.shardSize) = (4096, 10_000, 10_000_000) })
    let error = try #require(throws: IngestError.self) {
      _ = try ShardIngest(plan: plan, folder: folder("out"), threads: 1, toolVersion: "test").run {
        _ in
      }
    }
    guard case .noSpace = error else {
      Issue.record("\(error)")
      return
    }
  }

  /// The numbers of Vigna's splitmix64.c for the seed 1234567.
  @Test func randomNumbersAreThePublishedOnes() {
    var random = SplitMix64(seed: 1_234_567)
    #expect(
      (0..<3).map { _ in random.next() }
        == [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423])
    #expect((0..<1000).allSatisfy { _ in random.index(below: 3) < 3 })
  }
}

extension ImageListSource {
  static func plan(
    folder: String, followsLinks: Bool = false, reading: ImageReading = ImageReading(),
    _ options: ImageOptions
  ) throws -> IngestPlan {
    try plan(
      folder: folder, followsLinks: followsLinks, reading: reading,
      squares: options.squares, shards: options.shards
    ) { _ in }
  }

  static func plan(paths: [String], _ options: ImageOptions) throws -> IngestPlan {
    try plan(
      paths: paths, list: "list", reading: ImageReading(), squares: options.squares,
      shards: options.shards
    ) { _ in }
  }
}
