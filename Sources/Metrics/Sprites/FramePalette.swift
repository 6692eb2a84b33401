// The few colours that a frame of a game is painted in.

/// The colours of a frame, the most frequent first.
///
/// A frame of at most 16 colours has all of them. Resizing that averages adds mixtures along edges:
/// where there are more colours, one within two levels of the line between two more frequent ones
/// of the palette is left out, and its pixels count for the nearest that is left.
package struct FramePalette: Equatable, Sendable {
  /// Red, green and blue of each colour.
  package let colours: [SIMD3<Int32>]

  /// A frame of more colours has no palette.
  package static let maxColours = 256
  /// So many colours are taken as they are.
  static let plainColours = 16

  /// - Parameter pixels: `[H, W, 3]`.
  /// - Returns: nil for more than 256 colours, as photos have.
  package init?(_ pixels: [UInt8]) {
    var counts: [UInt32: Int] = [:]
    for start in stride(from: 0, to: pixels.count - 2, by: 3) {
      let colour =
        UInt32(pixels[start]) << 16 | UInt32(pixels[start + 1]) << 8 | UInt32(pixels[start + 2])
      counts[colour, default: 0] += 1
      if counts.count > Self.maxColours { return nil }
    }
    let ordered = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
      SIMD3(Int32($0.key >> 16), Int32($0.key >> 8 & 255), Int32($0.key & 255))
    }
    if ordered.count <= Self.plainColours {
      colours = ordered
    } else {
      colours = ordered.reduce(into: []) { kept, colour in
        if !Self.isMixture(colour, of: kept) { kept.append(colour) }
      }
    }
  }

  /// Whether a colour lies between two of the others, but for rounding.
  private static func isMixture(_ colour: SIMD3<Int32>, of others: [SIMD3<Int32>]) -> Bool {
    let colour = SIMD3<Float>(colour)
    for (index, first) in others.enumerated() {
      let a = SIMD3<Float>(first)
      for second in others[..<index] {
        let direction = SIMD3<Float>(second) - a
        let t = ((colour - a) * direction).sum() / (direction * direction).sum()
        guard t > 0, t < 1 else { continue }
        let distance = a + t * direction - colour
        if max(distance.max(), -distance.min()) <= 2 { return true }
      }
    }
    return false
  }

  /// The nearest colour of every pixel, by squared distance; the first of equally near ones.
  ///
  /// - Parameter pixels: `[H, W, 3]`.
  /// - Returns: positions in `colours`, `[H, W]`.
  package func nearest(_ pixels: [UInt8]) -> [UInt8] {
    colours.withUnsafeBufferPointer { colours in
      (0..<pixels.count / 3).map { pixel in
        let value = SIMD3<Int32>(
          Int32(pixels[3 * pixel]), Int32(pixels[3 * pixel + 1]), Int32(pixels[3 * pixel + 2]))
        var (best, least) = (0, Int32.max)
        for index in colours.indices {
          let difference = value &- colours[index]
          let distance = (difference &* difference).wrappedSum()
          if distance < least { (best, least) = (index, distance) }
        }
        return UInt8(best)
      }
    }
  }
}
