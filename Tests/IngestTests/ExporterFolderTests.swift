// COCO folders whose annotation files come from other tools: understood, or refused; nothing is
// lost without being listed.

import Corpora
import DurableFiles
import Foundation
import Images
import Ingest
import Shards
import TestSupport
import Testing

@Suite("COCO folders of other exporters")
struct ExporterFolderTests {
  /// Replaces the annotation files' list of images and other records.
  private func change(
    _ coco: SmallCOCO, images: ([String: Any]) -> [String: Any],
    annotations: ([String: Any]) -> [String: Any] = { $0 }
  ) throws {
    for (kind, content) in [
      ("captions", SmallCOCO.captions), ("instances", SmallCOCO.instances),
      ("stuff", SmallCOCO.stuff),
    ] {
      var content = content
      content["images"] = SmallCOCO.listed.map(images)
      let rows = content["annotations"] as? [[String: Any]] ?? []
      content["annotations"] = rows.map(annotations)
      try coco.write(kind, content)
    }
  }

  private func text(_ value: Any?) -> Any { value.map { "\($0)" } as Any }

  @Test func idsAsTextsAndMissingSizesGiveTheSameShards() throws {
    let everything = try COCOOptions.taking(
      segmentation: .annotations, captions: true, objects: true)
    let plain = try SmallCOCO()
    let out = try TemporaryFolder()
    try ingest(plain, everything, to: out("plain"))
    let texts = try SmallCOCO()
    try change(texts) { record in
      record.merging(["id": text(record["id"])]) { $1 }
    } annotations: { record in
      record.merging(["id": text(record["id"]), "image_id": text(record["image_id"])]) { $1 }
    }
    try ingest(texts, everything, to: out("texts"))
    let sizes = try SmallCOCO()
    try change(sizes) { record in record.filter { !["width", "height"].contains($0.key) } }
    try ingest(sizes, everything, to: out("sizes"))
    let zeros = try SmallCOCO()
    try change(zeros) { record in record.merging(["width": 0, "height": 0]) { $1 } }
    let all = ErrorPolicy(limit: .count(0))
    try ingest(zeros, everything, to: out("zeros"), policy: all)
    let expected = try ImageShardReader(out("plain/p-00000.h5"))
    for name in ["texts", "sizes", "zeros"] {
      let reader = try ImageShardReader(out("\(name)/p-00000.h5"))
      #expect(try reader.contents.captions == expected.contents.captions, "\(name)")
      #expect(try reader.contents.objects == expected.contents.objects, "\(name)")
      for row in 0..<4 {
        #expect(try reader.row(row, .segmentation) == expected.row(row, .segmentation), "\(name)")
      }
    }
    #expect(try expected.contents.captions?.joined().count == 3)
  }

  /// UUIDs, or nothing at all.
  @Test(arguments: [true, false])
  func annotationsNeedNoNumbers(hasTexts: Bool) throws {
    let everything = try COCOOptions.taking(
      segmentation: .annotations, captions: true, objects: true)
    let (plain, other) = (try SmallCOCO(), try SmallCOCO())
    try change(other) {
      $0
    } annotations: { record in
      record.filter { $0.key != "id" }
        .merging(hasTexts ? ["id": "5f3b1c9e-\(record["id"] ?? "")"] : [:]) { $1 }
    }
    let out = try TemporaryFolder()
    try ingest(plain, everything, to: out("plain"))
    try ingest(other, everything, to: out("other"), policy: ErrorPolicy(isStrict: true))
    let (expected, found) = (
      try ImageShardReader(out("plain/p-00000.h5")), try ImageShardReader(out("other/p-00000.h5"))
    )
    #expect(try found.contents.captions == expected.contents.captions)
    let objects = try #require(try found.contents.objects)
    let numbered = try #require(try expected.contents.objects)
    #expect(objects.joined().allSatisfy { $0.id == -1 } && !objects.joined().isEmpty)
    #expect(objects.map { $0.map(\.category) } == numbered.map { $0.map(\.category) })
    for row in 0..<4 {
      #expect(try found.row(row, .segmentation) == expected.row(row, .segmentation))
    }
  }

  @Test(arguments: ["empty", "words", "no names"])
  func filesWithoutAUsableImageAreRefused(how: String) throws {
    let coco = try SmallCOCO()
    try change(coco) { record in
      how == "words" ? record.merging(["id": "a"]) { $1 } : record.filter { $0.key != "file_name" }
    }
    if how == "empty" {
      for (kind, content) in [("captions", SmallCOCO.captions), ("instances", SmallCOCO.instances)]
      {
        try coco.write(kind, content.merging(["images": [Any]()]) { $1 })
      }
    }
    let out = try TemporaryFolder()
    // Also where only the sizes are wanted of them.
    for options in [
      try COCOOptions.taking(), try .taking(captions: true), try .taking(objects: true),
    ] {
      let error = #expect(throws: IngestError.self) { try ingest(coco, options, to: out("S")) }
      guard case .nothingUsable = error else {
        Issue.record("\(how): \(String(describing: error))")
        continue
      }
    }
    #expect(!FileManager.default.fileExists(atPath: out("S")))
  }

  @Test func filesWithoutAUsableAnnotationAreRefused() throws {
    let coco = try SmallCOCO()
    for (image, reason) in [("a", "image_id is \"a\""), ("77", "no such image")] {
      try change(coco, images: { $0 }) { $0.merging(["image_id": image]) { $1 } }
      let out = try TemporaryFolder()
      for options in [
        try COCOOptions.taking(captions: true), try .taking(segmentation: .annotations),
      ] {
        let error = #expect(throws: IngestError.self) { try ingest(coco, options, to: out("S")) }
        #expect(error?.description.contains(reason) == true)
        #expect(error?.description.contains("lists no annotation that could be used") == true)
      }
      #expect(try ingest(coco, .taking(), to: out("S")).written == 4)
    }
  }

  @Test func objectsNumberedPerImageAreAllKept() throws {
    let coco = try SmallCOCO()
    var instances = SmallCOCO.instances
    instances["annotations"] = SmallCOCO.sizes.flatMap { size in
      (1...3).map { SmallCOCO.object($0, image: size.id, category: 1, box: [8, 8, 9, Double($0)]) }
    }
    try coco.write("instances", instances)
    let out = try TemporaryFolder()
    let options = try COCOOptions.taking(segmentation: .annotations, objects: true)
    let plan = try plan(coco, options, .squares())
    #expect(plan.warnings.contains { $0.contains("9 annotations have the number of another one") })
    #expect(try ingest(coco, options, to: out.path).written == 4)
    let objects = try ImageShardReader(out("p-00000.h5")).contents.objects
    #expect(objects?.map(\.count) == [3, 3, 3, 3])
  }

  @Test func tooManyInvalidRecordsEndTheRun() throws {
    let coco = try SmallCOCO()
    var instances = SmallCOCO.instances
    let good = instances["annotations"] as? [[String: Any]] ?? []
    var bad = good[0]
    bad["bbox"] = [1, 2]
    instances["annotations"] = good + Array(repeating: bad, count: 11)
    try coco.write("instances", instances)
    let out = try TemporaryFolder()
    let error = #expect(throws: IngestError.self) {
      try ingest(coco, .taking(objects: true), to: out("S"))
    }
    guard case .tooManyRecords(coco.annotations("instances"), 11, 23, 10, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(!FileManager.default.fileExists(atPath: out("S")))
    let outcome = try ingest(
      coco, .taking(objects: true), to: out("S"), policy: ErrorPolicy(limit: .count(11)))
    #expect(outcome.written == 4)
    let report = try String(contentsOfFile: out("S/left-out.jsonl"), encoding: .utf8)
    #expect(report.split(separator: "\n").count == 11 && report.contains("bbox is a list of 2"))
  }

  @Test func partsThatAreLeftOutAreListedAndLimited() throws {
    let coco = try SmallCOCO()
    var instances = SmallCOCO.instances
    var bad = SmallCOCO.object(106, image: 34, category: 1, box: [1, 1, 5, 5])
    bad["segmentation"] = [[1, 1, 9, 1, 9, 9], [2, 2]]
    instances["annotations"] = [bad, bad, bad]
    try coco.write("instances", instances)
    let options = try COCOOptions.taking(segmentation: .annotations)
    let out = try TemporaryFolder()
    let error = #expect(throws: IngestError.self) {
      try ingest(coco, options, to: out("A"), policy: ErrorPolicy(limit: .count(2)))
    }
    guard case .tooManyLeftOut(3, 4, 2, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    try ingest(
      coco, options, .squares { $0.shardSize = 1 }, to: out("B"),
      policy: ErrorPolicy(limit: .count(3)))
    let lines = try String(contentsOfFile: out("B/left-out.jsonl"), encoding: .utf8)
      .split(separator: "\n")
    #expect(lines.count == 3)
    #expect(
      lines.allSatisfy {
        $0.contains("annotation 106 of image 34: part 1 of the segmentation has 2 numbers")
          && $0.contains("\"name\":\"train2017/000000000034.jpg\"")
          && $0.contains("\"shard\":\"p-00003.h5\"")
      })
    // A folder that is complete lists them still.
    try FileManager.default.removeItem(atPath: out("B/left-out.jsonl"))
    try ingest(
      coco, options, .squares { $0.shardSize = 1 }, to: out("B"),
      policy: ErrorPolicy(limit: .count(3)))
    #expect(FileManager.default.fileExists(atPath: out("B/left-out.jsonl")))
  }

  /// Without a limit, a list of fewer images is a choice among them.
  @Test func imagesInNoListAreListedAndCountOnRequest() throws {
    let coco = try SmallCOCO()
    for name in ["b.jpg", "a.jpg"] {
      try SmallCOCO.image(width: 40, height: 30).writePNG(to: "\(coco.root)/train2017/\(name)")
    }
    let out = try TemporaryFolder()
    let folder = "\(coco.root)/train2017"
    #expect(
      try plan(coco, .taking(), .squares()).warnings
        == ["\(folder): 2 images are in no annotation file and were left out"])
    #expect(try ingest(coco, to: out("S")).written == 4)
    let report = try String(contentsOfFile: out("S/left-out.jsonl"), encoding: .utf8)
    #expect(
      report.split(separator: "\n").map(String.init)
        == ["a", "b"].map { #"{"reason":"\#(folder)/\#($0).jpg: in no annotation file"}"# })
    try ingest(coco, to: out("T"), policy: ErrorPolicy(limit: .count(2)))
    for policy in [ErrorPolicy(limit: .fraction(0.3)), ErrorPolicy(isStrict: true)] {
      let error = #expect(throws: IngestError.self) {
        try ingest(coco, to: out("U"), policy: policy)
      }
      #expect(
        error?.description.hasPrefix("\(folder)/a.jpg: in no annotation file") == true,
        "\(String(describing: error))")
    }
    #expect(!FileManager.default.fileExists(atPath: out("U")))
  }

  /// Likewise, a list that was cut down to some images may keep the annotations of all.
  @Test func annotationsOfUnlistedImagesCountOnRequest() throws {
    let coco = try SmallCOCO()
    var instances = SmallCOCO.instances
    instances["annotations"] =
      (instances["annotations"] as? [[String: Any]] ?? [])
      + (0..<12).map { SmallCOCO.object(200 + $0, image: 999, category: 1, box: [1, 1, 5, 5]) }
    try coco.write("instances", instances)
    let (out, options) = (try TemporaryFolder(), try COCOOptions.taking(objects: true))
    try ingest(coco, options, to: out("S"))
    let report = try String(contentsOfFile: out("S/left-out.jsonl"), encoding: .utf8)
    #expect(report.split(separator: "\n").count == 12)
    try ingest(coco, options, to: out("T"), policy: ErrorPolicy(limit: .count(12)))
    let error = #expect(throws: IngestError.self) {
      try ingest(coco, options, to: out("U"), policy: ErrorPolicy(limit: .count(11)))
    }
    guard case .tooManyRecords(coco.annotations("instances"), 12, 24, 11, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    // Where no option needs the annotations, they are not read.
    try ingest(coco, to: out("V"), policy: ErrorPolicy(isStrict: true))
  }

  @Test(arguments: [
    ("captions", "no captions"), ("instances", "no objects"), ("stuff", "no surfaces"),
  ])
  func filesWithoutAnnotationsAreTold(kind: String, words: String) throws {
    let coco = try SmallCOCO()
    try coco.write(
      kind,
      [
        "images": SmallCOCO.listed, "annotations": [Any](),
        "categories": SmallCOCO.instances["categories"] ?? [],
      ])
    let everything = try COCOOptions.taking(
      segmentation: .annotations, captions: true, objects: true)
    #expect(
      try plan(coco, everything, .squares()).warnings
        == ["\(coco.annotations(kind)): \(words), its \"annotations\" is an empty list"])
    // For the sizes alone they are good enough.
    #expect(try plan(coco, .taking(), .squares()).warnings == [])
  }

  /// Names as `find .` writes them.
  @Test(arguments: ["./", ".//./"])
  func namesMayBeginWithADot(prefix: String) throws {
    let coco = try SmallCOCO()
    try change(coco) { record in
      record.merging(["file_name": "\(prefix)\(record["file_name"] ?? "")"]) { $1 }
    }
    #expect(try plan(coco, .taking(), .squares()).warnings == [])
    let out = try TemporaryFolder()
    #expect(try ingest(coco, to: out.path, policy: ErrorPolicy(isStrict: true)).written == 4)
  }

  /// What is there under the name of an annotation file and is none.
  @Test(arguments: ["a FIFO", "a folder", "a link to nothing"])
  func whatIsNoAnnotationFileIsNamed(what: String) throws {
    let coco = try SmallCOCO()
    let path = coco.annotations("captions")
    try FileManager.default.removeItem(atPath: path)
    switch what {
    case "a FIFO": #expect(mkfifo(path, 0o600) == 0)
    case "a folder":
      try FileManager.default.createDirectory(
        atPath: path, withIntermediateDirectories: false)
    default:
      try FileManager.default.createSymbolicLink(
        atPath: path, withDestinationPath: "nothing.json")
    }
    let out = try TemporaryFolder()
    let error = #expect(throws: DurableFileError.self) {
      try ingest(coco, .taking(captions: true), to: out("S"))
    }
    #expect(error?.description.contains(path) == true, "\(String(describing: error))")
    // The other files are read all the same.
    #expect(try ingest(coco, .taking(objects: true), to: out("T")).written == 4)
  }

  /// Case 37: a folder of the layout that is a link out of the root.
  @Test(arguments: [
    "train2017", "annotations", "stuffthingmaps", "annotations/captions_train2017.json",
  ])
  func linksOutOfTheRootNeedTheOption(name: String) throws {
    let coco = try SmallCOCO()
    let elsewhere = coco.folder("elsewhere")
    try FileManager.default.moveItem(atPath: "\(coco.root)/\(name)", toPath: elsewhere)
    try FileManager.default.createSymbolicLink(
      atPath: "\(coco.root)/\(name)", withDestinationPath: elsewhere)
    let out = try TemporaryFolder()
    let error = #expect(throws: COCOLayoutError.self) { try ingest(coco, .taking(), to: out("S")) }
    #expect(error?.description.contains("--follow-symlinks") == true)
    #expect(try ingest(coco, .taking(followsLinks: true), to: out("S")).written == 4)
    // A link inside the root is one of its folders, and the root itself may be a link.
    let inside = try SmallCOCO()
    try FileManager.default.moveItem(
      atPath: "\(inside.root)/\(name)", toPath: "\(inside.root)/moved")
    try FileManager.default.createSymbolicLink(
      atPath: "\(inside.root)/\(name)",
      withDestinationPath: name.contains("/") ? "../moved" : "moved")
    try FileManager.default.createSymbolicLink(
      atPath: inside.folder("link"), withDestinationPath: "coco")
    #expect(try ingest(inside, .taking(), to: out("T")).written == 4)
    _ = try COCOLayout(root: inside.folder("link"), split: .train, followsLinks: false)
  }
}
