// Maps of labels as pictures.
import Foundation
import Images

extension LabelMap {
  /// Every label in a colour of its own, 0 black.
  package func colored() -> RGBImage {
    let palette = (0..<256).map(Self.color)
    var pixels: [UInt8] = []
    pixels.reserveCapacity(values.count * 3)
    for value in values {
      let color = palette[Int(value)]
      pixels += [color.red, color.green, color.blue]
    }
    return RGBImage(width: width, height: height, pixels: pixels)
  }

  /// Neighbouring numbers are far apart on the colour circle.
  private static func color(of label: Int) -> RGBColor {
    guard label > 0 else { return RGBColor(red: 0, green: 0, blue: 0) }
    let angle = Double(label) * 2.399963229728653  // the golden angle
    func level(_ phase: Double) -> UInt8 {
      let bright = label % 3 == 0 ? 0.65 : 1.0
      return UInt8(255 * bright * (0.55 + 0.45 * cos(angle + phase)))
    }
    return RGBColor(red: level(0), green: level(2.0944), blue: level(4.1888))
  }
}
