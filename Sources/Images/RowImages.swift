// What rows of shards hold, as images that people see, and maps as rows hold them.
import Foundation
import RowMaps

/// A map of one value per pixel that is fitted as an image is, and stored beside it.
package protocol PixelMap: Sendable {
  var width: Int { get }
  var height: Int { get }
  /// The map in a geometry that was made for its size.
  func fitted(_ fit: FitGeometry) -> Self
  /// As a row of a shard holds it, `[H, W]`.
  var row: RowValues { get }
}

extension LabelMap: PixelMap {
  package var row: RowValues { .bytes(values) }
}

extension DepthMap: PixelMap {
  package var row: RowValues { .words(stored) }
}

extension RGBImage {
  /// A row of a shard: images as they are, classes in colours, amounts as grey.
  ///
  /// - Parameters:
  ///   - row: `[height, width, channels]`.
  ///   - palette: the colours of a palette map; without it classes have colours of their own.
  package init(
    _ row: RowValues, of map: RowMap, width: Int, height: Int, palette: Palette? = nil
  ) {
    switch row {
    case .words(let values): self = DepthMap(width: width, height: height, stored: values).image
    case .bytes(let values) where map.channels == 3:
      self.init(width: width, height: height, pixels: values)
    case .bytes(let values):
      if let pixels = palette?.pixels(of: values) {
        self.init(width: width, height: height, pixels: pixels)
        return
      }
      let colors = (0..<256).map { map.isLabels ? RGBColor(label: $0) : .grey(UInt8($0)) }
      self.init(width: width, height: height, pixels: values.flatMap { colors[Int($0)].channels })
    }
  }
}

extension RGBColor {
  /// The color of a class or a code in every image of such numbers: 0 is black, neighbors are far
  /// apart on the color circle.
  package init(label: Int) {
    guard label > 0 else {
      self = .black
      return
    }
    let angle = Double(label) * 2.399963229728653  // the golden angle
    func level(_ phase: Double) -> UInt8 {
      let bright = label % 3 == 0 ? 0.65 : 1.0
      return UInt8(255 * bright * (0.55 + 0.45 * cos(angle + phase)))
    }
    self.init(red: level(0), green: level(2.0944), blue: level(4.1888))
  }

  fileprivate var channels: [UInt8] { [red, green, blue] }
}
