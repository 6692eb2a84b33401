// How exactly maps of few colours come back, above all their rare colours.

/// Counts over maps and their reconstructions.
package struct ColorAgreement: Equatable, Sendable {
  /// A colour of fewer pixels is rare: sprites are, backgrounds are not.
  package static let rareFraction = 0.01

  // Pixels of each colour: in the maps, in the reconstructions, in both at one position.
  private var wanted, found, both: [Int]
  private var images = 0
  private var exactImages = 0

  /// - Parameter colors: how many there are.
  package init(colors: Int) {
    wanted = Array(repeating: 0, count: colors)
    (found, both) = (wanted, wanted)
  }

  /// Takes in maps and what became of them.
  ///
  /// - Parameters: reconstructed, maps: `[images, H, W]`, each value below the number of colours.
  package mutating func add(_ reconstructed: [UInt8], of maps: [UInt8], images: Int) {
    for (label, other) in zip(maps, reconstructed) {
      wanted[Int(label)] += 1
      found[Int(other)] += 1
      if label == other { both[Int(label)] += 1 }
    }
    let size = maps.count / max(images, 1)
    self.images += images
    exactImages += (0..<images).count { image in
      let range = image * size..<(image + 1) * size
      return maps[range] == reconstructed[range]
    }
  }

  /// Fraction of the images that have no wrong pixel; nil without images.
  package var exact: Double? { images > 0 ? Double(exactImages) / Double(images) : nil }

  /// Mean over the rare colours of the maps: pixels that have the colour before and after by those
  /// that have it before or after, over all images together; nil where no colour is rare.
  package var rareIoU: Double? {
    let most = Self.rareFraction * Double(wanted.reduce(0, +))
    let rare = wanted.indices.filter { wanted[$0] > 0 && Double(wanted[$0]) < most }
    guard !rare.isEmpty else { return nil }
    let ratios = rare.map { Double(both[$0]) / Double(wanted[$0] + found[$0] - both[$0]) }
    return ratios.reduce(0, +) / Double(rare.count)
  }

  var metrics: [Metric] { [Metric("val/exact", exact), Metric("val/rare_iou", rareIoU)] }
}
