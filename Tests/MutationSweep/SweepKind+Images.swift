// Images, and the texts that come with data sets.
import CommandSupport
import Corpora
import DurableFiles
import Foundation
import Images
import TestSupport

extension SweepKind {
  static let png = SweepKind(
    name: "PNG", files: fixtures("images", [".png"]), share: 1.5, isChecked: true,
    make: { try copyFixtures("images", [".png"], to: $0) },
    read: { path, _ in understood(try ImageDecoder.decode(contentsOf: path)) },
    commands: ["prep-images . --size 16 --out ../out --quiet"])

  static let jpeg = SweepKind(
    name: "JPEG", files: fixtures("images", [".jpg"]), share: 1.5,
    make: { try copyFixtures("images", [".jpg"], to: $0) },
    read: { path, _ in
      _ = try ImageReading(turnsUpright: true).image(contentsOf: path)
      return understood(try ImageDecoder.decode(contentsOf: path))
    },
    commands: ["prep-images . --size 16 --upright --out ../out --quiet"])

  static let labelMap = SweepKind(
    name: "label map", files: [mapPath], isChecked: true, make: makeCOCO,
    read: { path, _ in
      let map = try ImageDecoder.decodeLabels(contentsOf: path)
      return "\(map.width)x\(map.height) \(map.values.withUnsafeBytes(digest))"
    },
    commands: [
      "prep-coco coco --size 16 --segmentation stuffthingmaps --out ../out --quiet"
    ])

  static let depthMap = SweepKind(
    name: "depth map", files: depthMaps.map { "depth/\($0)" }, isChecked: true,
    make: { folder in
      try copyFixtures("depth", [".png"], to: "\(folder)/depth")
      for name in depthMaps {
        try RGBImage(width: 9, height: 7, filledWith: .grey(90)).writePNG(to: "\(folder)/\(name)")
      }
    },
    read: { path, _ in
      let map = try ImageDecoder.decodeDepth(contentsOf: path)
      return "\(map.width)x\(map.height) \(map.values.withUnsafeBytes(digest))"
    },
    commands: ["prep-images . --depth depth --size 16 --out ../out --quiet"])

  private static let depthMaps = fixtures("depth", [".png"]).filter { $0 != "not-a-number.png" }

  // MARK: COCO

  static let instances = SweepKind(
    name: "COCO objects", files: ["coco/annotations/instances_train2017.json"], share: 2,
    make: makeCOCO,
    read: { path, _ in
      let objects = try COCOObjects(path: path)
      let maps = COCOLabelMaps(things: objects, stuff: nil)
      let painted = try objects.images.map {
        try maps.labels(of: $0.id, width: 40, height: 30).faults.count
      }
      return "\(objects.images) \(objects.categories) \(painted)"
    },
    commands: [
      "prep-coco coco --objects --segmentation annotations --size 16 --out ../out --quiet",
      "prep-coco coco --categories person --size 16 --out ../out --quiet",
    ])

  static let captions = SweepKind(
    name: "COCO captions", files: ["coco/annotations/captions_train2017.json"], make: makeCOCO,
    read: { path, _ in
      let captions = try COCOCaptions(path: path)
      return "\(captions.images.map { captions.captions(of: $0.id) })"
    },
    commands: ["prep-coco coco --captions --size 16 --out ../out --quiet"])

  private static let mapPath = "coco/stuffthingmaps/train2017/000000000009.png"

  private static let makeCOCO: @Sendable (String) throws -> Void = { folder in
    let coco = "\(folder)/coco"
    for name in ["train2017", "annotations", "stuffthingmaps/train2017"] {
      try DurableFile.createFolder("\(coco)/\(name)")
    }
    for id in [9, 25] {
      let name = "train2017/" + String(format: "%012d", id)
      try RGBImage(width: 40, height: 30, filledWith: .grey(UInt8(id * 9)))
        .writePNG(to: "\(coco)/\(name).jpg")
      try LabelMap(width: 40, height: 30, values: (0..<1200).map { $0 % 40 < 20 ? 122 : 0 })
        .writePNG(to: "\(coco)/stuffthingmaps/\(name).png")
    }
    let images = [9, 25].map {
      #"{"id": \#($0), "file_name": "\#(String(format: "%012d", $0)).jpg", "width": 40, "#
        + #""height": 30}"#
    }.joined(separator: ", ")
    // A polygon, one of two parts, runs as numbers, and runs as pycocotools packs them.
    let outlines = [
      "[[10, 5, 30.5, 5, 30, 25, 10, 25]]", "[[1, 1, 8, 1, 8, 8], [20, 20, 30, 20, 30, 28]]",
      #"{"size": [30, 40], "counts": [0, 30, 60, 90, 1020]}"#,
      #"{"size": [30, 40], "counts": "T2;c0b0"}"#,
    ]
    let objects = outlines.enumerated().map { number, outline in
      #"{"id": \#(number + 1), "image_id": \#(number < 2 ? 9 : 25), "category_id": 1, "#
        + #""bbox": [1, 2, 20.5, 20], "area": 400.5, "iscrowd": \#(number / 2), "#
        + #""segmentation": \#(outline)}"#
    }.joined(separator: ", ")
    let categories = #"[{"id": 1, "name": "person", "supercategory": "person"}]"#
    try write(
      #"{"info": {"year": 2017}, "images": [\#(images)], "annotations": [\#(objects)], "#
        + #""categories": \#(categories)}"#,
      to: "\(coco)/annotations/instances_train2017.json")
    let texts = [(1, 9, "A person."), (2, 25, "Zwei Bäume 🌳\\n"), (3, 9, "\\u00e9\\ud83d\\ude00")]
      .map { #"{"id": \#($0.0), "image_id": \#($0.1), "caption": "\#($0.2)"}"# }
      .joined(separator: ", ")
    try write(
      #"{"images": [\#(images)], "annotations": [\#(texts)]}"#,
      to: "\(coco)/annotations/captions_train2017.json")
  }

  // MARK: Texts

  static let trajectory = SweepKind(
    name: "trajectory", files: ["trajectories/revenge/1.txt", "trajectories/revenge/2.txt"],
    make: { folder in
      for id in [1, 2] {
        try DurableFile.createFolder("\(folder)/screens/revenge/\(id)")
        for frame in 0..<12 {
          try RGBImage(width: 16, height: 20, filledWith: .grey(UInt8(frame * 20)))
            .writePNG(to: "\(folder)/screens/revenge/\(id)/\(frame + (id == 1 ? 1 : 0)).png")
        }
      }
      try DurableFile.createFolder("\(folder)/trajectories/revenge")
      let rows = (0..<12).map { "\($0),\($0 % 3 * 100),\($0 * 100),0,\($0 % 18)" }
      try write(
        "db traj id : 1\nframe,reward,score,terminal,action\n"
          + rows.joined(separator: "\n").replacingOccurrences(of: ",", with: ", ") + "\n",
        to: "\(folder)/trajectories/revenge/1.txt")
      try write(
        "frame,reward,score,terminal, action\r\n" + rows.joined(separator: "\r\n"),
        to: "\(folder)/trajectories/revenge/2.txt")
    },
    read: { _, folder in
      let corpus = try AtariCorpus(path: folder, game: "revenge")
      return "\(try corpus.ids.map { try corpus.episode($0) })"
    },
    commands: ["prep-atari . --size 16 --out ../out --quiet"])

  static let pathList = SweepKind(
    name: "list of paths", files: ["list.txt", "utf16.txt"], share: 0.5,
    make: { folder in
      let names = fixtures("images", [".jpg"])
      try copyFixtures("images", [".jpg"], to: folder)
      try write("\u{FEFF}" + names.joined(separator: "\r\n"), to: "\(folder)/list.txt")
      let units = Array("\u{FEFF}\(names.joined(separator: "\n"))".utf16)
      try DurableFile.write(
        units.flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }, to: "\(folder)/utf16.txt")
    },
    read: { path, _ in "\(try PathList.lines(try DurableFile.read(path), of: path))" },
    commands: ["prep-images @ --size 16 --out ../out --quiet"])

  // MARK: Helpers

  private static func understood(_ image: RGBImage) -> String {
    "\(image.width)x\(image.height) \(image.pixels.withUnsafeBytes(digest))"
  }

  static func write(_ text: String, to path: String) throws {
    try DurableFile.write(Array(text.utf8), to: path)
  }

  /// The fixtures of a folder with such endings, 4 KiB at most.
  static func fixtures(_ folder: String, _ endings: [String]) -> [String] {
    DurableFile.names(in: Fixture.path(folder)).filter { name in
      let size =
        try? FileManager.default
        .attributesOfItem(atPath: Fixture.path("\(folder)/\(name)"))[.size] as? Int
      return endings.contains { name.hasSuffix($0) } && (size ?? .max) <= 4096
    }
  }

  private static func copyFixtures(
    _ folder: String, _ endings: [String], to target: String
  ) throws {
    try DurableFile.createFolder(target)
    for name in fixtures(folder, endings) { try copyFixture("\(folder)/\(name)", to: target) }
  }

  static func copyFixture(_ name: String, to folder: String) throws {
    let path = Fixture.path(name)
    try DurableFile.write(
      try DurableFile.read(path), to: "\(folder)/\(URL(fileURLWithPath: path).lastPathComponent)")
  }
}
