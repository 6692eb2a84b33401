import Images

extension RGBColor {
  /// A colour for a number: neighbouring numbers get hues far apart, by steps of the golden ratio.
  static func falseColor(of number: Int) -> RGBColor {
    let hue = (Double(number) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1) * 6
    // Three levels of brightness tell numbers of like hue apart.
    let value = [1.0, 0.75, 0.5][number % 3]
    let channels = [5.0, 3.0, 1.0].map { offset in
      let distance = (offset + hue).truncatingRemainder(dividingBy: 6)
      let saturation = 0.8 * max(0, min(distance, 4 - distance, 1))
      return UInt8((value * (1 - saturation) * 255).rounded())
    }
    return RGBColor(red: channels[0], green: channels[1], blue: channels[2])
  }
}
