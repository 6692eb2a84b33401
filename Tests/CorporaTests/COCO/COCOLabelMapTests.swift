import Corpora
import Foundation
import TestSupport
import Testing

/// The JSON of a rectangle's outline.
private func rectangle(_ x: Int, _ y: Int, _ right: Int, _ bottom: Int) -> String {
  "[[\(x), \(y), \(right), \(y), \(right), \(bottom), \(x), \(bottom)]]"
}

/// Instances and stuff of image 9, 6 columns by 5 rows, and their label map, a row a line.
private struct Painted {
  let folder: TemporaryFolder
  let maps: COCOLabelMaps

  /// - Parameters:
  ///   - things: id, category and outline.
  ///   - stuff: likewise.
  init(things: [(Int, Int, String)]?, stuff: [(Int, Int, String)]?) throws {
    let folder = try TemporaryFolder()
    func file(_ name: String, _ rows: [(Int, Int, String)]?) throws -> COCOObjects? {
      guard let rows else { return nil }
      let categories = Set(rows.map(\.1)).sorted().map { "{\"id\": \($0), \"name\": \"c\"}" }
      let text = instancesText(
        categories: categories.joined(separator: ","),
        annotations: rows.map { id, category, outline in
          annotationText([
            "id": "\(id)", "category_id": "\(category)", "segmentation": outline, "area": "1",
            "iscrowd": outline.hasPrefix("{") ? "1" : "0",
          ])
        })
      try Data(text.utf8).write(to: URL(fileURLWithPath: folder(name)))
      return try COCOObjects(path: folder(name))
    }
    self.folder = folder
    maps = COCOLabelMaps(
      things: try file("instances.json", things), stuff: try file("stuff.json", stuff))
  }

  func rows(of image: Int64 = 9) throws -> [[UInt8]] {
    let (values, _) = try maps.labels(of: image, width: 6, height: 5)
    return (0..<5).map { Array(values[$0 * 6..<$0 * 6 + 6]) }
  }
}

@Suite("COCO label maps")
struct COCOLabelMapTests {
  @Test("Things lie over stuff, smaller over larger, whatever the order of the files")
  func overlaps() throws {
    let things = [
      (1, 1, rectangle(0, 0, 4, 2)), (2, 2, rectangle(1, 0, 3, 1)), (3, 3, rectangle(2, 0, 6, 2)),
    ]
    let stuff = [(10, 92, rectangle(0, 0, 6, 4)), (11, 182, rectangle(0, 3, 3, 5))]
    let expected: [[UInt8]] = [
      [1, 2, 2, 3, 3, 3],
      [1, 1, 3, 3, 3, 3],
      [92, 92, 92, 92, 92, 92],
      [182, 182, 182, 92, 92, 92],
      [182, 182, 182, 0, 0, 0],
    ]
    #expect(try Painted(things: things, stuff: stuff).rows() == expected)
    #expect(try Painted(things: things.reversed(), stuff: stuff.reversed()).rows() == expected)
  }

  @Test("One file alone is enough, and an image without annotations is unlabelled")
  func oneFile() throws {
    let things = [(1, 91, rectangle(0, 0, 6, 1))]
    let painted = try Painted(things: things, stuff: nil)
    #expect(try painted.rows().map { $0.first } == [91, 0, 0, 0, 0])
    #expect(try painted.rows(of: 25).joined().allSatisfy { $0 == 0 })
    let stuff = try Painted(things: nil, stuff: [(1, 92, rectangle(0, 4, 6, 5))])
    #expect(try stuff.rows().map { $0.last } == [0, 0, 0, 0, 92])
    #expect(try Painted(things: nil, stuff: nil).rows().joined().allSatisfy { $0 == 0 })
  }

  @Test("Crowds are painted as things; 'other' is not painted, its outline not even read")
  func crowdsAndOther() throws {
    let painted = try Painted(
      things: [(1, 5, "{\"counts\": [25, 5], \"size\": [5, 6]}")],
      stuff: [
        (2, 183, "[[broken]]".replacingOccurrences(of: "broken", with: "1")),
        (3, 100, rectangle(4, 0, 6, 5)),
      ])
    let (values, faults) = try painted.maps.labels(of: 9, width: 6, height: 5)
    #expect(faults.isEmpty)
    #expect(Array(values[..<6]) == [0, 0, 0, 0, 100, 5])
  }

  @Test("An outline that makes no mask is named, and the rest painted")
  func faults() throws {
    let painted = try Painted(
      things: [(1, 5, "[[1, 2]]"), (2, 6, rectangle(0, 0, 6, 5)), (3, 92, rectangle(0, 0, 1, 1))],
      stuff: [(4, 91, rectangle(0, 0, 1, 1)), (5, 300, rectangle(0, 0, 1, 1))])
    let (values, faults) = try painted.maps.labels(of: 9, width: 6, height: 5)
    #expect(values.allSatisfy { $0 == 6 })
    #expect(faults.map(\.id) == [4, 5, 1, 3])
    #expect(faults.map(\.imageID) == [9, 9, 9, 9])
    let messages = faults.map {
      $0.description.split(separator: ": ").dropFirst(2).joined(separator: ": ")
    }
    #expect(
      messages == [
        "annotation 4 of image 9: category_id is 91, expected 92…182 in a label map",
        "annotation 5 of image 9: category_id is 300, expected 92…182 in a label map",
        "annotation 1 of image 9: part 0 of the segmentation has 2 numbers, expected x and y of 3 "
          + "points or more",
        "annotation 3 of image 9: category_id is 92, expected 1…91 in a label map",
      ])
  }

  @Test("Maps of any size are turned rightly from columns to rows")
  func transposed() throws {
    let painted = try Painted(
      things: [(1, 7, "[[0, 0, 300, 200, 0, 200]]")], stuff: nil)
    let (values, _) = try painted.maps.labels(of: 9, width: 300, height: 201)
    let mask = try COCOMask(
      segmentation: Array("[[0, 0, 300, 200, 0, 200]]".utf8), width: 300, height: 201)
    var different = 0
    for y in 0..<201 {
      for x in 0..<300 where (values[y * 300 + x] == 7) != mask[x, y] { different += 1 }
    }
    #expect(different == 0 && mask.area > 29_000)
  }

  @Test("Several threads may ask at once")
  func threads() async throws {
    let painted = try Painted(
      things: (0..<20).map { ($0, 1 + $0, rectangle($0 % 5, $0 % 4, 6, 5)) }, stuff: nil)
    let expected = try painted.maps.labels(of: 9, width: 6, height: 5).values
    let maps = painted.maps
    try await withThrowingTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<8 {
        group.addTask {
          var values: [UInt8] = []
          for _ in 0..<50 { values = try maps.labels(of: 9, width: 6, height: 5).values }
          return values
        }
      }
      for try await values in group { #expect(values == expected) }
    }
  }

  @Test("Pixels of stuffthingmaps are ids less one, 255 no label (I9)")
  func stuffThingMaps() throws {
    #expect(
      try COCOStuffMap.labels(stored: [0, 181, 255, 90, 91], width: 5, path: "m.png")
        == [1, 182, 0, 91, 92])
    for value in 182...254 as ClosedRange<UInt8> {
      let error = try #require(throws: COCOError.self) {
        try COCOStuffMap.labels(stored: [0, 0, 0, 0, value, 0], width: 3, path: "m.png")
      }
      #expect(
        error.description
          == "m.png: pixel 1,1 is \(value), expected a COCO-Stuff label 0…181 or 255 for none")
    }
  }
}
