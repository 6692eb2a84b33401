import Corpora
import Foundation
import Images
import Ingest
import Shards
import TestSupport
import Testing

@Suite("From COCO to shards")
struct COCOIngestTests {
  private static func everything() throws -> COCOOptions {
    try .taking(segmentation: .annotations, captions: true, objects: true)
  }

  @Test func everyImageArrivesWithAllThatBelongsToIt() throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    let outcome = try ingest(coco, Self.everything(), to: out.path)
    #expect((outcome.read, outcome.written, outcome.skipped.count) == (4, 4, 0))
    let reader = try ImageShardReader(out("p-00000.h5"))
    #expect(reader.header.source == "coco/train2017")
    #expect(reader.header.split == "train")
    #expect(try reader.contents.ids == [9, 25, 30, 34])
    #expect(try reader.contents.names[3] == "train2017/000000000034.jpg")
    #expect(
      try reader.contents.captions
        == [["A person and a dog.", "🐕 on grass"], [], [], ["Ein Auto\n"]])
    #expect(try reader.integers("source_width") == [40, 30, 33, 48])
    #expect(try reader.integers("scaled_width") == [32, 24, 24, 36])
    #expect(try reader.integers("crop_x") == [4, 0, 0, 6])
    #expect(try reader.integers("crop_y") == [0, 4, 0, 0])
    #expect(try reader.integers("category") == [1, 18, 0, 3])
    for (row, size) in SmallCOCO.sizes.enumerated() {
      let whole = SmallCOCO.image(width: size.width, height: size.height)
      let expected = whole.fitted(width: 24, height: 24, mode: .crop, filter: .nearest)
      #expect(try reader.pixels(row) == expected.pixels)
    }
  }

  @Test func boxesAreInPixelsOfTheStoredImage() throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    try ingest(coco, Self.everything(), to: out.path)
    let objects = try #require(try ImageShardReader(out("p-00000.h5")).contents.objects)
    // 40×30 is scaled by 0.8 to 32×24, and 4 columns are cut on each side.
    #expect(
      objects[0] == [
        ShardObject(
          id: 101, category: 1, x: 4, y: 4, width: 16, height: 16, visible: 1, isCrowd: false),
        ShardObject(
          id: 102, category: 18, x: 8, y: 8, width: 4, height: 4, visible: 1, isCrowd: false),
      ])
    // 30×40 is scaled by 0.8 to 24×32; the box covers rows 24…32 of it, of which rows 4…28 are
    // stored.
    #expect(
      objects[1] == [
        ShardObject(
          id: 103, category: 18, x: 0, y: 20, width: 24, height: 4, visible: 0.5, isCrowd: false)
      ])
    // The crowd in the corner of 48×32 lies in the columns that are cut.
    #expect(objects[3].map(\.id) == [105])
  }

  @Test func paintedMapsShowThingsOverStuffAndSmallerOverLarger() throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    try ingest(coco, Self.everything(), to: out.path)
    let reader = try ImageShardReader(out("p-00000.h5"))
    guard case .bytes(let map) = try reader.row(0, .segmentation) else { return }
    let counts = Dictionary(grouping: map) { $0 }.mapValues(\.count)
    #expect(counts == [124: 24 * 24 - 256, 1: 256 - 16, 18: 16])
    #expect(map[0] == 124 && map[5 * 24 + 5] == 1 && map[9 * 24 + 9] == 18)
    #expect(try reader.row(2, .segmentation) == .bytes([UInt8](repeating: 0, count: 24 * 24)))
    #expect(reader.header.preprocessing.contains("\"segmentation_overlaps\":\"stuff first"))
    let names = try #require(try reader.contents.categories)
    #expect(names.first { $0.id == 124 }?.name == "grass")
    #expect(names.first { $0.id == 182 }?.name == COCOStuffLabel.all[182].name)
  }

  @Test func storedMapsAreResizedWithoutMixingClasses() throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    try ingest(
      coco, COCOOptions.taking(segmentation: .stuffthingmaps), to: out.path)
    let reader = try ImageShardReader(out("p-00000.h5"))
    for (row, size) in SmallCOCO.sizes.enumerated() {
      guard case .bytes(let map) = try reader.row(row, .segmentation) else { return }
      #expect(Set(map).isSubset(of: [0, 123, 182]), "row \(row)")
      // The band of a quarter of the width, less what is cut.
      let scaled = Double(size.width) * 24 / Double(min(size.width, size.height))
      let cut = (Int(scaled.rounded()) - 24) / 2
      #expect(map.prefix(24).count { $0 == 123 } == Int((scaled / 4).rounded()) - cut, "row \(row)")
    }
  }

  @Test func imagesAloneNeedNoAnnotations() throws {
    let coco = try SmallCOCO()
    for kind in ["instances", "stuff", "captions"] {
      try FileManager.default.removeItem(atPath: coco.annotations(kind))
    }
    let out = try TemporaryFolder()
    #expect(try ingest(coco, to: out.path).written == 4)
    let reader = try ImageShardReader(out("p-00000.h5"))
    #expect(try reader.contents.ids == [9, 25, 30, 34])
    #expect(reader.header.maps == [])
    #expect(try reader.contents.categories == nil)
  }

  @Test func bothSplitsStandInOneFolder() throws {
    let coco = try SmallCOCO()
    _ = try SmallCOCO(label: "val2017", in: coco.folder)
    let out = try TemporaryFolder()
    let outcome = try ingest(
      coco, COCOOptions.taking(split: .both, captions: true), .squares { $0.limit = 3 },
      to: out.path)
    #expect(outcome.shards.map(\.split) == [.train, .validation])
    #expect(outcome.shards.map(\.path) == ["p-00000.h5", "p-validation-00000.h5"].map { out($0) })
    let validation = try ImageShardReader(out("p-validation-00000.h5"))
    #expect(try validation.contents.names[0] == "val2017/000000000009.jpg")
    #expect(validation.header.split == "validation")
    #expect(try validation.contents.captions?[0].count == 2)
    // Of val alone, the shards are those of the validation split.
    let alone = try TemporaryFolder()
    let only = try ingest(coco, COCOOptions.taking(split: .val), to: alone.path)
    #expect(only.shards.map(\.path) == [alone("p-validation-00000.h5")])
  }

  @Test("Categories choose images", arguments: [("dog", [9, 25]), ("3", [34]), ("grass", [9])])
  func categories(name: String, ids: [Int64]) throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    try ingest(coco, COCOOptions.taking(categories: name), to: out.path)
    #expect(try ImageShardReader(out("p-00000.h5")).contents.ids == ids)
  }

  @Test func theNumberOfThreadsChangesNoByte() throws {
    let coco = try SmallCOCO()
    try coco.replace(30, with: [1, 2, 3])
    let images = try ImageOptions.squares {
      ($0.crops, $0.shardSize, $0.compression) = (3, 6, .level(4))
    }
    let first = try TemporaryFolder()
    try ingest(coco, Self.everything(), images, to: first.path, threads: 1)
    let expected = try files(in: first.path)
    #expect(expected.count == 4)  // two shards, manifest, report
    let second = try TemporaryFolder()
    try ingest(coco, Self.everything(), images, to: second.path, threads: 5)
    #expect(try files(in: second.path) == expected)
  }

  /// Other tools number categories from 0, which would be that of an image without objects.
  @Test func categoriesFromZeroAreNotTakenForNone() throws {
    let coco = try SmallCOCO()
    var instances = SmallCOCO.instances
    for (section, key) in [("annotations", "category_id"), ("categories", "id")] {
      let records = instances[section] as? [[String: Any]] ?? []
      instances[section] = records.map { record in
        record[key] as? Int == 1 ? record.merging([key: 0]) { $1 } : record
      }
    }
    try coco.write("instances", instances)
    let out = try TemporaryFolder()
    let options = try COCOOptions.taking(objects: true)
    #expect(
      try plan(coco, options, .squares()).warnings == [
        "\(coco.annotations("instances")): category 0 is \"person\"; \"category\" of an image "
          + "without objects is therefore 19, not 0"
      ])
    try ingest(coco, options, to: out("objects"))
    let reader = try ImageShardReader(out("objects/p-00000.h5"))
    #expect(try reader.integers("category") == [0, 18, 19, 3])
    #expect(try reader.contents.categories?.first?.name == "person")
    #expect(reader.header.preprocessing.contains("\"category_none\":19"))
    // A label map has no category 0: such an object is left out, and listed.
    let maps = try COCOOptions.taking(segmentation: .annotations)
    #expect(try plan(coco, maps, .squares()).warnings == [])
    var leftOut: [String] = []
    try ingest(coco, maps, to: out("maps")) { event in
      if case .leftOut(let reason) = event { leftOut.append(reason) }
    }
    #expect(leftOut.count == 2 && leftOut.allSatisfy { $0.contains("category_id") }, "\(leftOut)")
    let categories = try ImageShardReader(out("maps/p-00000.h5")).contents.categories
    #expect(categories?.contains { $0.id == 0 } == false)
  }

  @Test(arguments: ["train2017/", "images/train2017/"])
  func namesMayBeginWithTheFolderOfImages(prefix: String) throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    let options = try COCOOptions.taking(segmentation: .stuffthingmaps, captions: true)
    try ingest(coco, options, to: out("plain"))
    var captions = SmallCOCO.captions
    captions["images"] = SmallCOCO.listed.map { record in
      record.merging(["file_name": "\(prefix)\(record["file_name"] ?? "")"]) { $1 }
    }
    try coco.write("captions", captions)
    #expect(try plan(coco, options, .squares()).warnings == [])
    try ingest(coco, options, to: out("prefixed"))
    #expect(
      try files(in: out("prefixed"))["p-00000.h5"] == files(in: out("plain"))["p-00000.h5"])
  }

  @Test func otherAnnotationsOfTheSameSizeAreRefused() throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    let images = try ImageOptions.squares { $0.shardSize = 2 }
    let options = try COCOOptions.taking(captions: true)
    try ingest(coco, options, images, to: out.path)
    let text = try String(contentsOfFile: coco.annotations("captions"), encoding: .utf8)
    try Data(text.replacing("a dog", with: "a cat").utf8)
      .write(to: URL(fileURLWithPath: coco.annotations("captions")))
    let complete = try files(in: out.path)
    for isCut in [false, true] {
      if isCut { try FileManager.default.removeItem(atPath: out("p-00001.h5")) }
      let error = try #require(throws: ShardError.self) {
        try ingest(coco, options, images, to: out.path)
      }
      guard case .optionsDiffer(out.path, "annotations", let found, let asked) = error else {
        Issue.record("\(error)")
        continue
      }
      #expect(found.hasPrefix("captions_train2017.json ") && found != asked)
      #expect("\(error)".contains("made from other data"))
    }
    // The same ones under another path are the same.
    try Data(text.utf8).write(to: URL(fileURLWithPath: coco.annotations("captions")))
    try FileManager.default.moveItem(atPath: coco.root, toPath: coco.folder("moved"))
    try FileManager.default.createSymbolicLink(
      atPath: coco.root, withDestinationPath: coco.folder("moved"))
    #expect(try ingest(coco, options, images, to: out.path).earlier == 2)
    #expect(try files(in: out.path) == complete)
  }

  /// Earlier versions knew annotation files by their sizes alone.
  @Test func foldersOfEarlierVersionsAreContinued() throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    let images = try ImageOptions.squares { $0.shardSize = 2 }
    let options = try COCOOptions.taking(captions: true)
    try ingest(coco, options, images, to: out.path)
    let before = try files(in: out.path)
    let path = out("manifest.json")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    var manifest = try #require(try JSONSerialization.jsonObject(with: bytes) as? [String: Any])
    var noted = try #require(manifest["options"] as? [String: String])
    #expect(noted.removeValue(forKey: "annotations") != nil)
    let plan = try plan(coco, options, images)
    manifest["options"] = noted
    // Not where the plan is that of other options.
    try JSONSerialization.data(withJSONObject: manifest).write(to: URL(fileURLWithPath: path))
    let error = try #require(throws: ShardError.self) {
      try ingest(coco, options, images, to: out.path)
    }
    #expect("\(error)".contains("another plan of the same options (2 shards, SHA-256 "))
    manifest["plan"] = plan.shards.begun(with: noted).hash
    try JSONSerialization.data(withJSONObject: manifest).write(to: URL(fileURLWithPath: path))
    try FileManager.default.removeItem(atPath: out("p-00001.h5"))
    #expect(try ingest(coco, options, images, to: out.path).earlier == 2)
    let after = try files(in: out.path)
    for name in ["p-00000.h5", "p-00001.h5"] { #expect(after[name] == before[name]) }
  }

  @Test func otherOptionsAreRefusedByName() throws {
    let coco = try SmallCOCO()
    let out = try TemporaryFolder()
    try ingest(coco, Self.everything(), to: out.path)
    let before = try files(in: out.path)
    func change(_ change: (inout COCOOptions) -> Void) throws -> COCOOptions {
      var options = try Self.everything()
      change(&options)
      return options
    }
    for (name, options) in try [
      ("--captions", change { $0.captions = false }), ("--objects", change { $0.objects = false }),
      ("--segmentation", change { $0.segmentation = .stuffthingmaps }),
    ] {
      let error = try #require(throws: ShardError.self) {
        try ingest(coco, options, to: out.path)
      }
      guard case .optionsDiffer(out.path, name, _, _) = error else {
        Issue.record("\(name): \(error)")
        continue
      }
    }
    #expect(try files(in: out.path) == before)
  }
}
