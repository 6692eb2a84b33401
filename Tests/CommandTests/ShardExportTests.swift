import Foundation
import Images
import RowMaps
import Shards
import TestSupport
import Testing

/// `Datasets/montezuma` of this repository.
private let montezuma = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
  .appendingPathComponent("../../Datasets/montezuma").standardized.path

@Suite("shard-export as a command")
struct ShardExportTests {
  /// The pixels of each row by its name.
  private func pixels(_ path: String) throws -> [String: [UInt8]] {
    let reader = try ImageShardReader(path)
    var rows: [String: [UInt8]] = [:]
    for (row, name) in try reader.contents.names.enumerated() {
      rows[name] = try reader.pixels(row)
    }
    return rows
  }

  /// Images and depth maps, in a folder below and with one name twice.
  @Test func prepImagesOfAnExportGivesTheSamePixels() throws {
    let folder = try TemporaryFolder()
    let names = ["a.jpg", "a.png", "deep/ü b.png"]
    for (number, name) in names.enumerated() {
      let image = RGBImage(
        width: 16, height: 16, pixels: (0..<768).map { UInt8(($0 * 7 + number * 31) % 256) })
      // From the least to the greatest depth, which is what the numbers are relative to.
      let depth = LabelMap(width: 16, height: 16, values: (0..<256).map { UInt8($0) })
      for place in ["in", "depth"] {
        try FileManager.default.createDirectory(
          atPath: folder("\(place)/deep"), withIntermediateDirectories: true)
      }
      try image.writePNG(to: folder("in/\(name)"))
      try depth.writePNG(to: folder("depth/\(name.prefix { $0 != "." }).png"))
    }
    let outcome = try shell(
      """
      set -e
      prep-images in --depth depth --size 16 --out S --quiet | shard-export --out E --quiet
      prep-images E/images --depth E/depth --size 16 --max-errors 0 --out T --quiet
      shard-export S --out J --json --quiet
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(
      lines.prefix(4) == [
        "E/images/a.png", "E/images/a-2.png", "E/images/deep/ü b.png", "T/images-00000.h5",
      ])
    let last = try jsonObject(lines[6])
    #expect(last["path"] as? String == "J/images/deep/ü b.png" && last["row"] as? Int == 2)
    #expect(last["shard"] as? String == "S/images-00000.h5" && last["version"] as? Int == 1)

    let (before, after) = (
      try pixels(folder("S/images-00000.h5")), try pixels(folder("T/images-00000.h5"))
    )
    #expect(after.count == 3)
    #expect(after["a.png"] == before["a.jpg"] && after["a-2.png"] == before["a.png"])
    #expect(after["deep/ü b.png"] == before["deep/ü b.png"])
    let depths = try ["S", "T"].map {
      try ImageShardReader(folder("\($0)/images-00000.h5")).row(0, .depth)
    }
    #expect(depths[0] == .words((0..<256).map { UInt16($0 * 257) }) && depths[0] == depths[1])
  }

  /// All labels of a recording, with rewards of frames that were left out.
  @Test(arguments: ["", "--every 3", "--stack 2"])
  func prepAtariOfAnExportGivesTheSameRows(options: String) throws {
    let folder = try TemporaryFolder()
    let size = options.contains("stack") ? "64x40" : "32x40"
    let outcome = try shell(
      """
      set -e
      prep-atari '\(montezuma)' --size 32x40 --limit 400 --shard-size 150 --holdout 30,32 \
        \(options) --out S --quiet > /dev/null
      shard-export S/*.h5 --out E --quiet > /dev/null
      prep-atari E --size \(size) --shard-size 150 --holdout 30-32 --max-errors 0 --out T --quiet
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    for split in ["revenge", "revenge-validation"] {
      let sets = try ["S", "T"].map { place in
        try ImageShardSet((0..<2).map { folder("\(place)/\(split)-0000\($0).h5") })
      }
      #expect(try sets[0].ids == sets[1].ids && sets[0].names == sets[1].names, "\(split)")
      #expect(sets[0].count > 150 && sets[0].labelNames == sets[1].labelNames)
      for label in sets[0].labelNames {
        #expect(try sets[0].labels(label) == sets[1].labels(label), "\(split): \(label)")
      }
      for row in stride(from: 0, to: sets[0].count, by: 7) {
        #expect(try sets[0].pixels(row) == sets[1].pixels(row), "\(split): row \(row)")
      }
    }
    #expect(try ImageShardReader(folder("T/revenge-00000.h5")).header.split == "train")
  }

  /// Label maps are in COCO-Stuff's numbers, and everything of a row is in its line.
  @Test func prepCOCOOfAnExportGivesTheSameMaps() throws {
    let folder = try TemporaryFolder()
    let object = ShardObject(
      id: 7, category: 1, x: 1, y: 2, width: 3, height: 4, visible: 0.5, isCrowd: false)
    let maps = (0..<2).map { row in (0..<256).map { UInt8(($0 * (row + 1)) % 183) } }
    try imageShard(
      folder("coco.h5"), rows: 2, name: { "train2017/00000000000\($0).jpg" },
      labels: [("room", .string(["a", "b"])), ("score", .float32([0.5, .infinity]))],
      objects: [[object], []],
      categories: [ShardCategory(id: 1, name: "cat", supercategory: "animal")],
      maps: { [.segmentation: .bytes(maps[$0])] }
    ) { row in (0..<768).map { UInt8(($0 + row * 9) % 256) } }
    let outcome = try shell(
      """
      set -e
      shard-export coco.h5 --out E --quiet > /dev/null
      prep-coco E --segmentation stuffthingmaps --size 16 --max-errors 0 --out T --quiet
      cat E/rows.jsonl E/categories.jsonl
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let (before, after) = (
      try ImageShardReader(folder("coco.h5")), try ImageShardReader(folder("T/coco-00000.h5"))
    )
    #expect(try after.contents.names.first == "train2017/000000000000.png" && after.count == 2)
    for row in 0..<2 {
      for map in [RowMap.images, .segmentation] {
        #expect(try before.row(row, map) == after.row(row, map), "\(map) of row \(row)")
      }
    }
    let lines = outcome.output.split(separator: "\n")
    try #require(lines.count == 4, "\(outcome.output)")
    let row = #"""
      {"id":0,"labels":{"room":"a","score":0.5},\#
      "maps":{"segmentation":"stuffthingmaps/train2017/000000000000.png"},\#
      "name":"train2017/000000000000.jpg","objects":[{"box":[1,2,3,4],"category":1,"id":7,\#
      "is_crowd":false,"visible":0.5}],"path":"images/train2017/000000000000.png","row":0,\#
      "shard":"coco.h5","split":"train","version":1}
      """#
    #expect(lines[1] == row)
    #expect(lines[2].contains(#""labels":{"room":"b","score":"inf"}"#), "\(lines[2])")
    #expect(lines[3] == #"{"id":1,"name":"cat","supercategory":"animal","version":1}"#)
  }

  /// What a shard says of names comes from anywhere.
  @Test func namesOfExportsStayInTheirFolder() throws {
    let folder = try TemporaryFolder()
    let long = String(repeating: "長", count: 90)
    let names = [
      "../../x.png", "/abs/./y.jpg", ".hidden", "a\u{1B}b.png", "a.png", "a.jpg", "a.png/b.png",
      "a/\u{301}.png", "\(long).png", "9",
    ]
    try imageShard(folder("S.h5"), rows: names.count, name: { names[$0] }) { _ in
      [UInt8](repeating: 9, count: 768)
    }
    let outcome = try shell("shard-export S.h5 --out E --quiet", in: folder)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let expected = [
      "_../_../x", "abs/y", "_.hidden", "a-b", "a", "a-2", "a.png_/b", "a/\u{301}",
      String(repeating: "長", count: 66), "00000009",
    ]
    #expect(outcome.output == expected.map { "E/images/\($0).png\n" }.joined())
    for name in expected {
      #expect(FileManager.default.fileExists(atPath: folder("E/images/\(name).png")))
    }
    let made = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    #expect(made == ["E", "S.h5"])
  }

  /// What is there stays as it is, and what is missing is made again.
  @Test func anExportIsContinuedWithAnyNumberOfThreads() throws {
    let folder = try TemporaryFolder()
    let outcome = try shell(
      """
      set -e
      prep-atari '\(montezuma)' --size 16 --limit 40 --holdout 30 --shard-size 16 --out S --quiet \
        > /dev/null
      shard-export S --out E --threads 1 --quiet > first
      shard-export S --out F --threads 3 --quiet > /dev/null
      diff -r E F
      cp -r E G
      rm G/screens/revenge/10/3.png G/rows.jsonl G/trajectories/revenge/10.txt
      touch -d 2001-01-01 G/screens/revenge/10/4.png
      shard-export S --out G > second
      sed s/^E/G/ first | diff - second
      diff -r E G
      find G -not -newermt 2002-01-01 -name '*.png'
      """, in: folder)
    #expect(outcome.status == 0, "\(outcome)")
    #expect(outcome.output == "G/screens/revenge/10/4.png\n")
    #expect(outcome.errors.contains("wrote 1 images (79 by an earlier run)"), "\(outcome.errors)")
  }

  @Test func exportsThatMakeNoSenseAreRefused() throws {
    let folder = try TemporaryFolder()
    let ready = try shell(
      """
      set -e
      prep-atari '\(montezuma)' --size 16 --limit 4 --out S --quiet
      prep-atari '\(montezuma)' --size 16 --limit 4 --every 2 --out T --quiet
      shard-export S --out E --quiet
      mkdir -p H/images
      """, in: folder)
    #expect(ready.status == 0, "\(ready.errors)")
    let cases: [(script: String, status: Int32, says: String)] = [
      ("shard-export T --out E", 64, "E: made with shards = 4 rows "),
      ("shard-export S --out S", 64, "S: holds the shards that are read"),
      ("shard-export S S --out X", 65, "is frame 0 of recording 10 of revenge, which there is"),
      ("shard-export S --out H", 73, "H/images: exists, but no export.json says"),
      ("shard-export S --out X --threads 0", 64, "--threads must be in 1...1024"),
      ("shard-export S", 64, "--out"),
      ("true | shard-export --out X", 66, "standard input"),
      ("flock E/.lock shard-export S --out E", 75, "E"),
      ("echo 'no JSON' > E/export.json; shard-export S --out E", 65, "E/export.json: the record"),
    ]
    for (script, status, says) in cases {
      let outcome = try shell(script, in: folder)
      #expect(outcome.status == status, "\(script): \(outcome.errors)")
      #expect(outcome.errors.contains(says), "\(script): \(outcome.errors)")
      #expect(outcome.output == "", "\(script)")
    }
  }
}
