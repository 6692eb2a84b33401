// The labels of COCO-Stuff: 91 things with the ids of COCO, 91 surfaces, and 0 for pixels without a label.

/// A label of the maps in image shards.
package struct COCOStuffLabel: Equatable, Sendable {
  /// 0 unlabelled, 1…91 things (eleven of them were never annotated), 92…182 stuff.
  package let id: UInt8
  package let name: String
  package let supercategory: String
  /// Whether the label counts objects (1…91), not surfaces.
  package var isThing: Bool { Self.things.contains(id) }
  /// For pictures of label maps, sRGB; no two labels share one, and black is no label.
  package let color: Color

  package struct Color: Hashable, Sendable {
    package let red, green, blue: UInt8
  }

  /// Ids of things.
  package static let things: ClosedRange<UInt8> = 1...91
  /// Ids of stuff.
  package static let stuff: ClosedRange<UInt8> = 92...182
  /// The category of `stuff_*.json` that stands for all that is no stuff; no label of a map.
  package static let other = 183

  /// All labels, each at the index of its id.
  ///
  /// Source: the label list of COCO-Stuff (Caesar, Uijlings, Ferrari, arXiv:1612.03716) and the categories of its annotation files.
  package static let all: [COCOStuffLabel] = {
    var labels = [
      COCOStuffLabel(
        id: 0, name: "unlabeled", supercategory: "unlabeled",
        color: Color(red: 0, green: 0, blue: 0))
    ]
    var members: [String: Int] = [:]
    for (supercategory, names) in groups {
      for name in names {
        let member = members[supercategory, default: 0]
        members[supercategory] = member + 1
        labels.append(
          COCOStuffLabel(
            id: UInt8(labels.count), name: name, supercategory: supercategory,
            color: Color(hue: hues[supercategory, default: 0], member: member)))
      }
    }
    return labels
  }()
}

extension COCOStuffLabel.Color {
  /// The colour of member 0, 1, … of a supercategory: near its hue, of varied strength and brightness.
  fileprivate init(hue: Double, member: Int) {
    // Multiples of the golden ratio's fraction spread over 0…1 for any count of members.
    let spread = (Double(member) * 0.618034).truncatingRemainder(dividingBy: 1)
    let angle = (hue + Double(member % 5 - 2) * 4 + 360).truncatingRemainder(dividingBy: 360) / 60
    let strength = 0.9 - 0.5 * spread
    let brightness = 1 - 0.55 * (Double(member) * 0.381966).truncatingRemainder(dividingBy: 1)
    func channel(_ shift: Double) -> UInt8 {
      let position = (angle + shift).truncatingRemainder(dividingBy: 6)
      let depth = max(0, min(1, min(position, 4 - position)))
      return UInt8((255 * brightness * (1 - strength * depth)).rounded())
    }
    self.init(red: channel(5), green: channel(3), blue: channel(1))
  }
}
