import Foundation
import TestSupport
import Testing

/// Which images of a folder count, and what is measured without a network.
@Suite("evaluate: folders of images")
struct EvaluateFoldersTests {
  private let images: EvaluatedImages

  init() throws { images = try EvaluatedImages() }

  /// Sheets of our commands are no images of a set; other files and folders are told, too.
  @Test func whatIsLeftOutIsTold() throws {
    try FileManager.default.copyItem(atPath: images.folder("a"), toPath: images.folder("made"))
    for name in ["sub", "sub.png"] {
      try FileManager.default.copyItem(
        atPath: images.folder("few"), toPath: images.folder("made/\(name)"))
    }
    for name in ["grid.png", "sheet.png"] {
      try images.write("made/\(name)", width: 40, height: 40, seed: 0)
    }
    try Data([1]).write(to: URL(fileURLWithPath: images.folder("made/x.webp")))
    let report = try images.report("a made")
    #expect(report["candidate_images"] as? Int == 3 && report["mind_pixels"] as? Double == 0)
    let warnings = try #require(report["warnings"] as? [String])
    for words in [
      "made: grid.png was left out", "made: sheet.png was left out",
      "made: 1 file is no PNG or JPEG by name and left out, such as x.webp",
      "made: 2 folders in it left out with all that is there, such as sub",
    ] { #expect(warnings.contains { $0.contains(words) }, "\(words): \(warnings)") }
    // An image of that name alone is an image.
    try images.makeFolder("alone")
    try images.write("alone/grid.png", width: 40, height: 40, seed: 0)
    let alone = try images.report("a alone")
    #expect(alone["candidate_images"] as? Int == 1)
    #expect((alone["warnings"] as? [String])?.contains { $0.contains("1 image on a side") } == true)
  }

  /// 9 levels of each of the 32×32×3 pixels: 3·|c|², nearly, where no level falls below 0.
  @Test func pixelsNeedNoFeatures() throws {
    for index in 3...4 {
      for (name, shift) in [("a", 0), ("b", 9)] {
        try images.write("\(name)/\(index).png", seed: index, shift: shift)
      }
    }
    let report = try images.report("a b --bootstrap 3")
    #expect((5..<14).contains(report["mind_pixels"] as? Double ?? 0), "\(report)")
    #expect(
      report["features"] as? String == "pixels 32×32" && report["resize"] as? String == "clean")
    #expect(report["mind_pixels_ci95"] is Double && report["psnr"] == nil)
    #expect(try images.report("a a")["mind_pixels"] as? Double == 0)
    let both = try images.report("a b --paired --metrics psnr,mind")
    #expect(both["mind_pixels"] as? Double == report["mind_pixels"] as? Double)
    #expect(both["psnr"] is Double)
  }

  /// Pixels of other sizes are compared all the same, within a side and between sides.
  @Test(arguments: ["a tall", "mixed mixed"]) func otherSizesAreTold(sides: String) throws {
    for name in ["tall", "mixed"] {
      try images.makeFolder(name)
      for index in 0..<3 {
        let height = name == "mixed" && index == 0 ? 12 : 20
        try images.write("\(name)/\(index).png", height: height, seed: index)
      }
    }
    let report = try images.report(sides)
    #expect(report["mind_pixels"] is Double)
    let words = "mind_pixels: images of 2 sizes, such as 16×12 and 16×20, are all made 32×32"
    #expect(report["warnings"] as? [String] == [words])
  }

  /// Halves of three images and one pair do not vary.
  @Test(arguments: ["a b", "few few", "few few --paired"])
  func fewImagesHaveNoInterval(sides: String) throws {
    let report = try images.report("\(sides) --bootstrap 20")
    #expect(!report.keys.contains { $0.hasSuffix("_ci95") }, "\(report)")
    let warnings = try #require(report["warnings"] as? [String])
    #expect(warnings.count { $0.contains(": no interval, of ") } == 1, "\(warnings)")
  }

  /// A red sprite of four pixels that walks through a black room; one sample has two of them, one
  /// none, and one is of no room.
  @Test func spritesAreComparedWithThoseOfRecordings() throws {
    func frame(_ positions: [Int], room: UInt8 = 0) -> [UInt8] {
      var pixels = [UInt8](repeating: room, count: 16 * 12 * 3)
      for position in positions {
        for pixel in [0, 1, 16, 17] {
          let start = 3 * (position + pixel)
          pixels.replaceSubrange(start..<start + 3, with: [200, 72, 72])
        }
      }
      return pixels
    }
    try imageShard(
      images.folder("game.h5"), rows: 5, height: 12, width: 16,
      labels: [("trajectory", .int64([1, 1, 1, 1, 1]))]
    ) { frame([16 * $0 * 2 + 2 * $0]) }
    let samples = [[20], [20, 70], [], [20]].enumerated().map {
      frame($0.element, room: $0.offset == 3 ? 200 : 0)
    }
    try imageShard(images.folder("samples.h5"), rows: 4, height: 12, width: 16) { samples[$0] }
    let report = try images.report("game.h5 samples.h5 --sprites")
    #expect(report["near_scene"] as? Double == 0.75)
    #expect(report["one_player"] as? Double == 0.25)
    #expect(report["reference_one_player"] as? Double == 1)
    #expect(report["sprites_whole"] as? Double == 1)
    #expect(report["player"] as? String == "c84848")
    let given = try images.report("game.h5 samples.h5 --sprites --player-colour 00ff00")
    #expect(given["one_player"] as? Double == 0 && given["player"] as? String == "00ff00")
  }
}
