import Corpora
import Foundation
import Images
import Ingest
import Shards
import TestSupport
import Testing

@Suite("COCO folders with mistakes in them")
struct COCOBadInputTests {
  private static let tolerant = ErrorPolicy(limit: .count(10))

  /// Reasons by the number of the image.
  private func reasons(_ outcome: IngestOutcome) -> [String: String] {
    Dictionary(uniqueKeysWithValues: outcome.skipped.map { ($0.name, $0.reason) })
  }

  /// I4: the size in the annotations decides.
  @Test func photosAreTurnedWhereTheAnnotationsAskForIt() throws {
    let coco = try SmallCOCO()
    let jpeg = try Data(contentsOf: Self.fixture("baseline-444.jpg"))  // 33×25
    var sizes = SmallCOCO.listed
    // Stored size: not turned. Exchanged sides: turned. Exchanged without a tag, another size:
    // skipped.
    for (index, size) in [(33, 25), (25, 33), (25, 33), (25, 25)].enumerated() {
      (sizes[index]["width"], sizes[index]["height"]) = size
      let tagged = index == 2 ? jpeg : Self.tagged(jpeg, orientation: 6)
      try tagged.write(to: URL(fileURLWithPath: coco.path(SmallCOCO.sizes[index].id)))
    }
    for kind in ["instances", "stuff"] {
      try FileManager.default.removeItem(atPath: coco.annotations(kind))
    }
    try coco.write("captions", ["images": sizes, "annotations": [Any]()])
    let out = try TemporaryFolder()
    let outcome = try ingest(
      coco, .taking(), .squares(), to: out.path, policy: Self.tolerant)
    #expect(outcome.written == 2)
    let reader = try ImageShardReader(out("p-00000.h5"))
    let stored = try ImageDecoder.decode(Array(jpeg))
    for (row, image) in [stored, stored.upright(.needsClockwise)].enumerated() {
      let expected = image.fitted(width: 24, height: 24, mode: .crop, filter: .nearest)
      #expect(try reader.pixels(row) == expected.pixels, "row \(row)")
    }
    let found = reasons(outcome)
    #expect(
      found["train2017/000000000030.jpg"]?.hasSuffix("33x25 pixels, expected 25x33") == true)
    #expect(
      found["train2017/000000000034.jpg"]?.hasSuffix("33x25 pixels, expected 25x25") == true)
  }

  /// I9: label maps that are none.
  @Test func labelMapsThatAreNone() throws {
    let coco = try SmallCOCO()
    try SmallCOCO.image(width: 40, height: 30).writePNG(to: coco.mapPath(9))
    try SmallCOCO.map(25, width: 40, height: 30).writePNG(to: coco.mapPath(25))
    var map = SmallCOCO.map(30, width: 33, height: 33)
    map[3, 2] = 182
    try map.writePNG(to: coco.mapPath(30))
    let out = try TemporaryFolder()
    let outcome = try ingest(
      coco, .taking(segmentation: .stuffthingmaps), .squares(), to: out.path,
      policy: Self.tolerant)
    #expect((outcome.read, outcome.written) == (4, 1))
    let found = reasons(outcome)
    #expect(found["train2017/000000000009.jpg"]?.contains("3 channel(s) of 8 bits") == true)
    #expect(
      found["train2017/000000000025.jpg"]?.contains("40x30 pixels, expected 30x40") == true)
    #expect(found["train2017/000000000030.jpg"]?.contains("pixel 3,2 is 182") == true)

    try FileManager.default.removeItem(atPath: coco.mapPath(34))
    let second = try TemporaryFolder()
    #expect(throws: IngestError.nothingWritten(folder: second.path)) {
      try ingest(
        coco, .taking(segmentation: .stuffthingmaps), .squares(), to: second.path,
        policy: Self.tolerant)
    }
  }

  /// A3: names that lead out of the folder of images.
  @Test(arguments: [
    "../secret.jpg", "/etc/passwd", "a/../../secret.jpg", "..", "", "x\0.jpg", "C:\\x.jpg",
    "%2e%2e/secret.jpg", "train2017/../../secret.jpg", "train2017/leak.jpg", "leak.jpg",
    "line\nbreak.jpg", String(repeating: "n", count: 300),
  ])
  func namesDoNotLeaveTheFolder(name: String) throws {
    let coco = try SmallCOCO()
    let secret = "\(coco.root)/secret.jpg"
    try SmallCOCO.image(width: 40, height: 30).writePNG(to: secret)
    try FileManager.default.createSymbolicLink(
      atPath: "\(coco.root)/train2017/leak.jpg", withDestinationPath: secret)
    var listed = SmallCOCO.listed
    listed[0]["file_name"] = name
    try coco.write("captions", ["images": listed, "annotations": [Any]()])
    let out = try TemporaryFolder()
    // The label maps, too, are found by that name.
    for segmentation in [COCOOptions.Segmentation.none, .stuffthingmaps] {
      let outcome = try ingest(
        coco, .taking(segmentation: segmentation, captions: true), .squares(),
        to: out(segmentation.rawValue), policy: Self.tolerant)
      #expect((outcome.read, outcome.written) == (4, 3), "\(segmentation)")
    }
  }

  @Test func linksOutOfTheFolderNeedAnOption() throws {
    let coco = try SmallCOCO()
    try FileManager.default.moveItem(atPath: coco.path(9), toPath: "\(coco.root)/elsewhere.jpg")
    try FileManager.default.createSymbolicLink(
      atPath: coco.path(9), withDestinationPath: "\(coco.root)/elsewhere.jpg")
    let out = try TemporaryFolder()
    let refused = try ingest(coco, to: out("refused"), policy: Self.tolerant)
    #expect(refused.skipped.map(\.name) == ["train2017/000000000009.jpg"])
    let followed = try ingest(
      coco, .taking(followsLinks: true), to: out("followed"))
    #expect(followed.written == 4)
  }

  @Test func aFolderOfLinksIsNotTakenForAnotherSplit() throws {
    let coco = try SmallCOCO()
    for (id, _, _) in SmallCOCO.sizes {
      try FileManager.default.moveItem(atPath: coco.path(id), toPath: "\(coco.root)/\(id).jpg")
      try FileManager.default.createSymbolicLink(
        atPath: coco.path(id), withDestinationPath: "\(coco.root)/\(id).jpg")
    }
    let out = try TemporaryFolder()
    #expect(
      throws: ImageError.linkLeadsOut(
        path: coco.path(9), folder: "\(coco.root)/train2017")
    ) {
      try ingest(coco, to: out.path)
    }
  }

  /// The number of a random square stands above bit 48 of its row's number.
  @Test(arguments: [(1 << 48 - 1, 0), (1 << 48, 0), (1 << 48 - 1, 3), (1 << 48, 3)])
  func numbersLeaveRoomForThatOfTheSquare(largest: Int, crops: Int) throws {
    let coco = try SmallCOCO()
    var listed = SmallCOCO.listed
    listed[3]["id"] = largest
    try coco.write("captions", ["images": listed, "annotations": [Any]()])
    let out = try TemporaryFolder()
    let squares = try ImageOptions.squares { $0.crops = crops }
    guard crops == 0 || largest < 1 << 48 else {
      #expect(
        throws: IngestError.numberTooLarge(
          id: Int64(largest), name: "train2017/000000000034.jpg",
          path: coco.annotations("captions"))
      ) {
        try ingest(coco, .taking(), squares, to: out.path)
      }
      return
    }
    try ingest(coco, .taking(), squares, to: out.path)
    let ids = try ["p-00000.h5", "p-00001.h5", "p-00002.h5", "p-00003.h5"]
      .filter { FileManager.default.fileExists(atPath: out($0)) }
      .flatMap { try ImageShardReader(out($0)).contents.ids }
    #expect(ids.count == 4 * max(1, crops))
    #expect(Set(ids).count == ids.count)
    #expect(Set(ids.map { $0 & (1 << 48 - 1) }).contains(Int64(largest) & (1 << 48 - 1)))
    #expect(ids.max() == Int64(largest) | Int64(max(0, crops - 1)) << 48)
  }

  /// A6: annotations of another split, or of other images.
  @Test func annotationsOfOtherImages() throws {
    let coco = try SmallCOCO()
    var listed = SmallCOCO.listed
    for index in listed.indices {
      listed[index]["id"] = 1000 + index
      listed[index]["file_name"] = "COCO_val2014_00000000100\(index).jpg"
    }
    try coco.write("captions", ["images": listed, "annotations": [Any]()])
    let out = try TemporaryFolder()
    #expect(
      throws: IngestError.noneOfTheImages(
        folder: "\(coco.root)/train2017", count: 4, example: "COCO_val2014_000000001000.jpg",
        found: "000000000009.jpg")
    ) {
      try ingest(coco, to: out.path)
    }
    #expect(
      throws: IngestError.otherImages(
        path: coco.annotations("instances"), other: coco.annotations("captions"))
    ) {
      try ingest(coco, .taking(captions: true, objects: true), to: out.path)
    }
    #expect(try files(in: out.path).isEmpty)
  }

  /// A2: of an image that two files list differently, the file read first is believed, the
  /// captions.
  @Test func theFirstOfTwoListsIsBelieved() throws {
    let coco = try SmallCOCO()
    var instances = SmallCOCO.instances
    var listed = SmallCOCO.listed
    listed[0]["width"] = 41
    listed[1]["file_name"] = "another.jpg"
    instances["images"] = listed
    try coco.write("instances", instances)
    let out = try TemporaryFolder()
    let options = try COCOOptions.taking(captions: true, objects: true)
    let plan = try plan(coco, options, .squares())
    #expect(
      plan.warnings == [
        "\(coco.annotations("instances")): 2 images have another name or size than in "
          + "\(coco.annotations("captions")), which is believed"
      ])
    #expect(try ingest(coco, options, to: out.path).written == 4)
    let reader = try ImageShardReader(out("p-00000.h5"))
    #expect(try reader.integers("source_width")?[0] == 40)
    #expect(try reader.contents.objects?[1].count == 1)
  }

  @Test func whatIsNotThereIsNamed() throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    func error(_ options: COCOOptions) throws -> String {
      "\(try #require(throws: (any Error).self) { try ingest(coco, options, to: out.path) })"
    }
    #expect(
      try error(.taking(split: .val)).hasPrefix("\(coco.root): no folder such as val2017"))
    #expect(
      try error(.taking(categories: "unicorn")).contains(
        "no category \"unicorn\""))
    for kind in ["instances", "captions"] {
      try FileManager.default.removeItem(atPath: coco.annotations(kind))
    }
    #expect(
      try error(.taking(captions: true)).contains(
        "no annotations/captions_train2017.json, which --captions needs"))
    #expect(try error(.taking(objects: true)).contains("--objects"))
    #expect(
      try error(.taking(segmentation: .annotations)).contains("instances_train"))
    try FileManager.default.removeItem(atPath: "\(coco.root)/stuffthingmaps")
    #expect(
      try error(.taking(segmentation: .stuffthingmaps)).contains(
        "no stuffthingmaps/train2017/"))
  }

  @Test func badOutlinesAreLeftOutAndTold() throws {
    let coco = try SmallCOCO()
    var instances = SmallCOCO.instances
    var bad = SmallCOCO.object(106, image: 34, category: 1, box: [1, 1, 5, 5])
    bad["segmentation"] = [[1, 2]]
    instances["annotations"] =
      (instances["annotations"] as? [[String: Any]] ?? []) + [
        bad, SmallCOCO.object(105, image: 34, category: 1, box: [1, 1, 5, 5]),
        SmallCOCO.object(107, image: 999, category: 1, box: [1, 1, 5, 5]),
      ]
    try coco.write("instances", instances)
    let options = try COCOOptions.taking(segmentation: .annotations)
    let out = try TemporaryFolder()
    var told: [String] = []
    let plan = try plan(coco, options, .squares())
    #expect(plan.warnings.count == 2)
    #expect(plan.warnings[0].contains("1 annotations have the number of another one"))
    #expect(
      plan.warnings[1].contains("1 records left out (1 unknown-image)"), "\(plan.warnings)")
    let outcome = try ingest(coco, options, to: out.path) { event in
      if case .leftOut(let reason) = event { told.append(reason) }
    }
    #expect(outcome.written == 4)
    #expect(told.count == 1)
    #expect(told[0].contains("annotation 106 of image 34"), "\(told)")
    #expect(throws: COCOError.self) {
      try ingest(coco, options, to: out("strict"), policy: ErrorPolicy(isStrict: true))
    }
  }

  /// I10: an image that goes away while the run lasts.
  @Test func imagesThatVanishAreSkipped() throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    var hasVanished = false
    let outcome = try ingest(
      coco, .taking(), .squares { $0.shardSize = 1 }, to: out.path, threads: 1,
      policy: Self.tolerant
    ) { event in
      guard event == .processed(samples: 1), !hasVanished else { return }
      hasVanished = true
      try FileManager.default.removeItem(atPath: coco.path(25))
      try coco.replace(30, with: Array("<html>".utf8))
    }
    #expect(
      outcome.skipped.map(\.name) == ["train2017/000000000025.jpg", "train2017/000000000030.jpg"])
    #expect(outcome.skipped[1].reason.contains("an HTML page"))
    #expect(outcome.shards.map(\.rows) == [1, 0, 0, 1])
  }

  private static func fixture(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/images/\(name)")
  }

  /// The JPEG with an EXIF segment of one tag.
  private static func tagged(_ jpeg: Data, orientation: UInt8) -> Data {
    let tiff: [UInt8] = [
      0x4D, 0x4D, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0,
      0, 0, 0,
    ]
    let body = Array("Exif\0\0".utf8) + tiff
    return jpeg.prefix(2) + [0xFF, 0xE1, 0, UInt8(body.count + 2)] + body + jpeg.dropFirst(2)
  }
}
