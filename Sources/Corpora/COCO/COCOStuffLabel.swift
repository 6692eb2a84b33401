// The labels of COCO-Stuff: 91 things with the ids of COCO, 91 surfaces, and 0 for pixels without a
// label.

/// A label of the maps in image shards.
package struct COCOStuffLabel: Equatable, Sendable {
  /// 0 unlabelled, 1…91 things (eleven of them were never annotated), 92…182 stuff.
  package let id: UInt8
  package let name: String
  package let supercategory: String
  /// Ids of things, which are counted; surfaces are not.
  package static let things: ClosedRange<UInt8> = 1...91
  /// Ids of stuff.
  package static let stuff: ClosedRange<UInt8> = 92...182
  /// The category of `stuff_*.json` that stands for all that is no stuff; no label of a map.
  package static let other = 183

  /// All labels, each at the index of its id.
  ///
  /// Source: the label list of COCO-Stuff (Caesar, Uijlings, Ferrari, arXiv:1612.03716) and the
  /// categories of its annotation files.
  package static let all: [COCOStuffLabel] = {
    var labels = [COCOStuffLabel(id: 0, name: "unlabeled", supercategory: "unlabeled")]
    for (supercategory, names) in groups {
      for name in names {
        labels.append(
          COCOStuffLabel(id: UInt8(labels.count), name: name, supercategory: supercategory))
      }
    }
    return labels
  }()
}
