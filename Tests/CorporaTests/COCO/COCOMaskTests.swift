import Corpora
import Foundation
import TestSupport
import Testing

private func mask(_ json: String, width: Int = 6, height: Int = 5) throws -> COCOMask {
  try COCOMask(segmentation: Array(json.utf8), width: width, height: height)
}

/// The rows of a mask, `#` for a covered pixel.
private func rows(_ mask: COCOMask) -> [String] {
  (0..<mask.height).map { y in
    String((0..<mask.width).map { x in mask[x, y] ? "#" : "." })
  }
}

@Suite("COCO masks")
struct COCOMaskTests {
  @Test("10,000 random outlines give the masks of pycocotools (stored by Fixtures/coco/masks.py)")
  func randomOutlinesEqualPycocotools() throws {
    let stored = [UInt8](try Fixture.data("coco/masks.bin"))
    #expect(stored.count == 80_000)
    func word(_ index: Int) -> UInt32 {
      (0..<4).reduce(0) { $0 | UInt32(stored[4 * index + $1]) << UInt32(8 * $1) }
    }
    var different: [Int] = []
    for number in 0..<stored.count / 8 {
      let outline = RandomOutline(number)
      let mask = try mask(outline.json, width: outline.width, height: outline.height)
      let hash = mask.runs.reduce(2_166_136_261 as UInt32) { ($0 ^ $1) &* 16_777_619 }
      if mask.area != Int(word(2 * number)) || hash != word(2 * number + 1) {
        different.append(number)
      }
    }
    #expect(different == [])
  }

  @Test("Edges lie as pycocotools lays them")
  func edges() throws {
    let square = try mask("[[1, 1, 3, 1, 3, 3, 1, 3]]")
    #expect(rows(square) == ["......", ".##...", ".##...", "......", "......"])
    #expect(square.area == 4)
    #expect(square.runs == [6, 2, 3, 2, 17])
    let shifted = try mask("[[1.5, 1.5, 3.5, 1.5, 3.5, 3.5, 1.5, 3.5]]")
    #expect(rows(shifted) == ["......", "......", "..##..", "..##..", "......"])
  }

  @Test("The crossing of a bow-tie lies outside it; parts are put together")
  func insideAndUnion() throws {
    let bow = try mask("[[0, 0, 4, 4, 4, 0, 0, 4]]", width: 4, height: 4)
    #expect(rows(bow) == ["#..#", "####", "#..#", "...."])
    let twice = try mask("[[0, 0, 2, 0, 2, 2, 0, 2], [1, 1, 3, 1, 3, 3, 1, 3]]")
    #expect(rows(twice) == ["##....", "###...", ".##...", "......", "......"])
  }

  @Test(
    "Lines, points and what lies outside cover nothing",
    arguments: [
      "[[1, 1, 4, 1, 2, 1]]", "[[2, 1, 2, 4, 2, 2]]", "[[1, 1, 1, 1, 1, 1]]",
      "[[0, 0, 4, 4, 2, 2]]", "[[10, 10, 20, 10, 20, 20]]", "[[-9, -9, -1, -9, -1, -1]]",
      "[[-1000000, -1000000, -999999, -1000000, -999999, -999999]]",
    ])
  func emptyMasks(json: String) throws {
    #expect(try mask(json).runs == [30])
  }

  @Test("Outlines far larger than the image cover it all")
  func coversEverything() throws {
    let large = try mask("[[-1000000, -1000000, 1e6, -1e6, 1e6, 1e6, -1000000, 1000000]]")
    #expect(large.runs == [0, 30])
    let one = try mask("[[0, 0, 1, 0, 1, 1, 0, 1]]", width: 1, height: 1)
    #expect(one.runs == [0, 1])
  }

  @Test("A million corners make a mask")
  func millionCorners() throws {
    let corners = (0..<250_000).map { "\($0 % 6).5, 0" } + (0..<750_000).map { "\($0 % 6), 5" }
    let found = try mask("[[\(corners.joined(separator: ","))]]")
    #expect(found.runs == [4, 2, 2, 3, 1, 3, 3, 2, 4, 1, 5])
  }

  @Test("Runs may be empty, and need not end with covered pixels")
  func runs() throws {
    let counts = try mask("{\"counts\": [0, 5, 0, 1, 24], \"size\": [5, 6]}")
    #expect(counts.runs == [0, 6, 24])
    let text = RandomOutline.escaped(RandomOutline.compressed([0, 5, 0, 1, 24]))
    #expect(try mask("{\"size\": [5, 6], \"counts\": \(text)}") == counts)
    #expect(try mask("{\"size\": [5, 6], \"counts\": [30], \"more\": [{}]}").area == 0)
  }
}

@Suite("COCO segmentations that make no mask (A4)")
struct InvalidSegmentationTests {
  @Test(
    "Each is refused with what was found and what was expected",
    arguments: [
      ("[]", "segmentation is empty"),
      ("", "segmentation is empty"),
      ("[[]]", "part 0 of the segmentation has 0 numbers, expected x and y of 3 points or more"),
      (
        "[[1, 2]]", "part 0 of the segmentation has 2 numbers, expected x and y of 3 points or more"
      ),
      (
        "[[1, 2, 3, 4]]",
        "part 0 of the segmentation has 4 numbers, expected x and y of 3 points or more"
      ),
      (
        "[[1, 2, 3, 4, 5], [1, 2]]",
        "part 0 of the segmentation has 5 numbers, expected x and y of 3 points or more"
      ),
      (
        "[[1, 2, 3, 4, 5, 6, 7]]",
        "part 0 of the segmentation has 7 numbers, expected x and y of 3 points or more"
      ),
      (
        "[[0, 0, 1e9, 0, 3, 3]]",
        "part 0 of the segmentation holds 1e9, expected numbers of -1000000…1000000"
      ),
      (
        "[[0, 0, 1e400, 0, 3, 3]]",
        "part 0 of the segmentation holds 1e400, expected numbers of -1000000…1000000"
      ),
      (
        "[[0, 0, \"NaN\", 0, 3, 3]]",
        "part 0 of the segmentation holds \"NaN\", expected numbers of -1000000…1000000"
      ),
      (
        "[[0, 0, null, 0, 3, 3]]",
        "part 0 of the segmentation holds null, expected numbers of -1000000…1000000"
      ),
      (
        "[[0, 0, \"3\", 0, 3, 3]]",
        "part 0 of the segmentation holds \"3\", expected numbers of -1000000…1000000"
      ),
      (
        "[[0, 0, [1], 0, 3, 3]]",
        "part 0 of the segmentation holds a list, expected numbers of -1000000…1000000"
      ),
      (
        "{\"counts\": [29], \"size\": [5, 6]}",
        "the counts of the segmentation sum to 29, expected 30 pixels"
      ),
      (
        "{\"counts\": [7, 24], \"size\": [5, 6]}",
        "the counts of the segmentation sum to 31, expected 30 pixels"
      ),
      (
        "{\"counts\": [9223372036854775807, 9223372036854775807], \"size\": [5, 6]}",
        "the counts of the segmentation sum to 9223372036854775807, expected 30 pixels"
      ),
      (
        "{\"counts\": [], \"size\": [5, 6]}",
        "the counts of the segmentation sum to 0, expected 30 pixels"
      ),
      (
        "{\"counts\": [31, -1], \"size\": [5, 6]}",
        "count 1 of the segmentation is -1, expected an integer of pixels"
      ),
      (
        "{\"counts\": [0.5, 29.5], \"size\": [5, 6]}",
        "count 0 of the segmentation is 0.5, expected an integer of pixels"
      ),
      ("{\"counts\": [30], \"size\": [6, 5]}", "the segmentation's size is 5x6, the image has 6x5"),
      (
        "{\"counts\": [3600000000], \"size\": [60000, 60000]}",
        "the segmentation's size is 60000x60000, the image has 6x5"
      ),
      ("{\"counts\": \"n`\", \"size\": [5, 6]}", "the segmentation's counts end inside a count"),
      (
        "{\"counts\": \"n0 \", \"size\": [5, 6]}",
        "character 2 of the segmentation's counts has code 32, expected 48…111"
      ),
      (
        "{\"counts\": \"n0p\", \"size\": [5, 6]}",
        "character 2 of the segmentation's counts has code 112, expected 48…111"
      ),
      (
        "{\"counts\": \"n0\u{e9}\", \"size\": [5, 6]}",
        "character 2 of the segmentation's counts has code 195, expected 48…111"
      ),
      (
        "{\"counts\": \"ooooooo0\", \"size\": [5, 6]}",
        "count 0 of the segmentation has more than 6 characters"
      ),
      (
        "{\"counts\": \"\", \"size\": [5, 6]}",
        "the counts of the segmentation sum to 0, expected 30 pixels"
      ),
      (
        "{\"counts\": \"O\", \"size\": [5, 6]}",
        "the counts of the segmentation sum to -1, expected 30 pixels"
      ),
      (
        "7",
        "segmentation is 7, expected [[x, y, …], …] or {\"counts\": …, \"size\": [h, w]}"
      ),
      (
        "[1, 2, 3, 4, 5, 6]",
        "segmentation is a list whose parts are not lists, "
          + "expected [[x, y, …], …] or {\"counts\": …, \"size\": [h, w]}"
      ),
      (
        "{\"size\": [5, 6]}",
        "segmentation is an object without \"counts\", "
          + "expected [[x, y, …], …] or {\"counts\": …, \"size\": [h, w]}"
      ),
      (
        "{\"counts\": [30]}",
        "segmentation is an object without \"size\", "
          + "expected [[x, y, …], …] or {\"counts\": …, \"size\": [h, w]}"
      ),
      (
        "{\"counts\": [30], \"size\": [5]}",
        "segmentation is an object whose \"size\" is not [height, width], "
          + "expected [[x, y, …], …] or {\"counts\": …, \"size\": [h, w]}"
      ),
      (
        "{\"counts\": [30], \"counts\": [30], \"size\": [5, 6]}",
        "segmentation is an object with \"counts\" twice, "
          + "expected [[x, y, …], …] or {\"counts\": …, \"size\": [h, w]}"
      ),
    ])
  func refused(json: String, message: String) throws {
    let error = try #require(throws: InvalidSegmentation.self) { try mask(json) }
    #expect(error.description == message)
  }

  @Test("An outline of endless length is refused at once")
  func endlessOutline() throws {
    let corners = Array(repeating: "-1000000, 0, 1000000, 1", count: 100).joined(separator: ",")
    #expect(throws: InvalidSegmentation.tooLong) { try mask("[[\(corners)]]") }
    // Nothing of it stays behind: the next mask in the same memory is right.
    #expect(try mask("[[0, 0, 1, 0, 1, 1, 0, 1]]").area == 1)
  }

  @Test("Cut or changed at any byte, a segmentation makes a mask or a fault")
  func mutations() {
    let texts = [
      "[[0.5, 0, 4e0, 1.25, 3, 3], [1, 2, 3, 4, 5, -6]]",
      "{\"counts\": [7, 5, 10, 8], \"size\": [5, 6]}",
      "{\"size\": [5, 6], \"counts\": \"7`005\\\\\"}",
    ].map { Array($0.utf8) }
    var masks = 0, faults = 0
    for text in texts {
      for position in text.indices {
        for byte in [nil, 0, 0x22, 0x2D, 0x30, 0x39, 0x5B, 0x5C, 0x5D, 0x7B, 0x7D, 0xFF] as [UInt8?]
        {
          var changed = byte == nil ? Array(text[..<position]) : text
          if let byte { changed[position] = byte }
          do {
            #expect(try COCOMask(segmentation: changed, width: 6, height: 5).area <= 30)
            masks += 1
          } catch {
            faults += 1
          }
        }
      }
    }
    #expect(masks > 50 && faults > 500)
  }
}
