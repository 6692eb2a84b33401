// Numbers on a grid as colours.

/// Numbers on a grid as colours: black for 0, over violet, red and yellow to white.
package struct HeatMap: Sendable {
  /// Not negative, rows from the top.
  package var values: [Float]
  /// Numbers of a row.
  package var width: Int
  /// What is white, and so is anything above.
  package var largest: Float

  /// A map.
  ///
  /// - Parameters: values: at least one, whole rows; largest: positive.
  package init(_ values: [Float], width: Int, largest: Float) {
    precondition(
      !values.isEmpty && width > 0 && values.count % width == 0 && largest > 0,
      "\(values.count) values in rows of \(width)")
    self.values = values
    self.width = width
    self.largest = largest
  }

  private static let colors: [[Float]] = [
    [0, 0, 0], [80, 20, 120], [210, 50, 70], [255, 190, 40], [255, 255, 255],
  ]

  /// The map with `side`×`side` pixels for each number.
  package func rendered(side: Int = 1) -> RGBImage {
    var image = RGBImage(
      width: width * side, height: values.count / width * side, filledWith: .black)
    for (index, value) in values.enumerated() {
      image.fill(
        PixelRect(x: index % width * side, y: index / width * side, width: side, height: side),
        with: color(of: value))
    }
    return image
  }

  private func color(of value: Float) -> RGBColor {
    let place = min(max(value / largest, 0), 1) * Float(Self.colors.count - 1)
    let first = min(Int(place), Self.colors.count - 2)
    let levels = zip(Self.colors[first], Self.colors[first + 1]).map { low, high in
      UInt8((low + (high - low) * (place - Float(first))).rounded())
    }
    return RGBColor(red: levels[0], green: levels[1], blue: levels[2])
  }
}
