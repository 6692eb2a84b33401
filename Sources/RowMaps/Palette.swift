// The few colours of pixel art, and pixels as their numbers.

/// Different colours in an order that gives each its number.
package struct Palette: Equatable, Sendable {
  /// The most that a byte can number.
  package static let most = 256

  /// Red, green and blue of every colour, `[P, 3]`.
  package let bytes: [UInt8]
  private let numbers: [UInt32: UInt8]

  /// Colours in their order.
  ///
  /// - Parameter bytes: `[P, 3]`.
  /// - Returns: `nil` unless they are 1 to 256 different colours.
  package init?(bytes: [UInt8]) {
    guard bytes.count % 3 == 0, (1...Self.most).contains(bytes.count / 3) else { return nil }
    var numbers: [UInt32: UInt8] = [:]
    for number in 0..<bytes.count / 3 { numbers[color(bytes, 3 * number)] = UInt8(number) }
    guard numbers.count == bytes.count / 3 else { return nil }
    self.bytes = bytes
    self.numbers = numbers
  }

  /// Colours `0xRRGGBB`, black first; 1 to 256 of them.
  package init?(_ colors: Set<UInt32>) {
    self.init(
      bytes: colors.sorted().flatMap {
        [UInt8($0 >> 16 & 255), UInt8($0 >> 8 & 255), UInt8($0 & 255)]
      })
  }

  /// Number of colours, P.
  package var count: Int { bytes.count / 3 }

  /// The numbers of pixels.
  ///
  /// - Parameter pixels: `[…, 3]`.
  /// - Returns: `[…]`, each below `count`.
  /// - Throws: `UnknownColor` at the first pixel of another colour.
  package func numbers(of pixels: [UInt8]) throws(UnknownColor) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(pixels.count / 3)
    var last: (color: UInt32, number: UInt8)?
    for pixel in 0..<pixels.count / 3 {
      let color = color(pixels, 3 * pixel)
      if last?.color != color {
        guard let number = numbers[color] else { throw UnknownColor(pixel: pixel, color: color) }
        last = (color, number)
      }
      if let last { result.append(last.number) }
    }
    return result
  }

  /// The pixels `[…, 3]` of numbers `[…]`; `nil` where one is not below `count`.
  package func pixels(of numbers: [UInt8]) -> [UInt8]? {
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 * numbers.count)
    for number in numbers {
      let start = 3 * Int(number)
      guard start < bytes.count else { return nil }
      pixels.append(bytes[start])
      pixels.append(bytes[start + 1])
      pixels.append(bytes[start + 2])
    }
    return pixels
  }

  /// The colours `0xRRGGBB` of pixels `[…, 3]`.
  package static func colors(of pixels: [UInt8]) -> Set<UInt32> {
    var colors: Set<UInt32> = []
    var last: UInt32?
    for pixel in 0..<pixels.count / 3 {
      let color = color(pixels, 3 * pixel)
      if color != last { colors.insert(color) }
      last = color
    }
    return colors
  }
}

/// A pixel whose colour is in no palette.
package struct UnknownColor: Error, Equatable {
  /// Its index in row-major order.
  package let pixel: Int
  /// `0xRRGGBB`.
  package let color: UInt32

  package init(pixel: Int, color: UInt32) {
    self.pixel = pixel
    self.color = color
  }

  /// `#rrggbb`.
  package var text: String { "#" + hexadecimal(color) }
}

extension Palette: CustomStringConvertible {
  /// `rrggbb` of every colour.
  package var texts: [String] { (0..<count).map { hexadecimal(color(bytes, 3 * $0)) } }

  package var description: String { texts.joined(separator: ",") }
}

extension Palette: Codable {
  /// Reads a list of `rrggbb`.
  package init(from decoder: any Decoder) throws {
    let values = try decoder.singleValueContainer()
    var bytes: [UInt8] = []
    for text in try values.decode([String].self) {
      guard text.utf8.count == 6, text.allSatisfy(\.isHexDigit), let color = UInt32(text, radix: 16)
      else {
        throw DecodingError.dataCorruptedError(
          in: values, debugDescription: "\"\(text)\", expected a colour such as \"0080ff\"")
      }
      bytes += [UInt8(color >> 16), UInt8(color >> 8 & 255), UInt8(color & 255)]
    }
    guard let palette = Palette(bytes: bytes) else {
      throw DecodingError.dataCorruptedError(
        in: values, debugDescription: "expected 1 to \(Self.most) different colours")
    }
    self = palette
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.singleValueContainer()
    try values.encode(texts)
  }
}

/// Three bytes as `0xRRGGBB`.
private func color(_ bytes: [UInt8], _ start: Int) -> UInt32 {
  UInt32(bytes[start]) << 16 | UInt32(bytes[start + 1]) << 8 | UInt32(bytes[start + 2])
}

private func hexadecimal(_ color: UInt32) -> String {
  let digits = String(color, radix: 16)
  return String(repeating: "0", count: 6 - digits.count) + digits
}
