import Corpora
import Foundation
import Testing

extension COCOStuffLabel {
  fileprivate var isThing: Bool { Self.things.contains(id) }
}

@Suite("The labels of COCO-Stuff")
struct COCOStuffLabelTests {
  @Test func thereAre183WithTheIdsOfTheData() {
    let labels = COCOStuffLabel.all
    #expect(labels.map(\.id) == Array(0...182))
    #expect(Set(labels.map(\.name)).count == 183)
    #expect(labels[0].name == "unlabeled" && !labels[0].isThing)
    let known: [(Int, String, String, Bool)] = [
      (1, "person", "person", true), (12, "street sign", "outdoor", true),
      (90, "toothbrush", "indoor", true), (91, "hair brush", "indoor", true),
      (92, "banner", "textile", false), (106, "clouds", "sky", false),
      (124, "grass", "plant", false), (149, "road", "ground", false),
      (157, "sky-other", "sky", false), (169, "tree", "plant", false),
      (182, "wood", "solid", false),
    ]
    for (id, name, supercategory, isThing) in known {
      #expect(labels[id].name == name && labels[id].supercategory == supercategory)
      #expect(labels[id].isThing == isThing)
    }
    #expect(labels.count(where: \.isThing) == 91)
  }

  @Test("Datasets/coco/labels.tsv is this table")
  func tableInDatasets() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../../Datasets/coco/labels.tsv")
    let rows = COCOStuffLabel.all.map { label in
      let kind = label.id == 0 ? "none" : label.isThing ? "thing" : "stuff"
      return "\(label.id)\t\(label.name)\t\(label.supercategory)\t\(kind)\n"
    }
    let header = "id\tname\tsupercategory\tkind\n"
    #expect(try String(contentsOf: root, encoding: .utf8) == header + rows.joined())
  }
}
