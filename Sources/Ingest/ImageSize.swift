// Sizes of images as one types them.
import ArgumentParser

/// A size in pixels, written as `208` or `160x208`.
package struct ImageSize: Equatable, Sendable, CustomStringConvertible {
  /// The longest side, pixels.
  package static let most = 4096

  package let width: Int
  package let height: Int

  package init(width: Int, height: Int) {
    self.width = width
    self.height = height
  }

  /// Reads an option's value.
  ///
  /// - Throws: `ValidationError` that says what is expected.
  package init(argument: String) throws {
    let sides = argument.split(separator: "x", omittingEmptySubsequences: false).map {
      side -> Int? in
      guard !side.isEmpty, side.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
      return Int(side)
    }
    guard (1...2).contains(sides.count), let width = sides[0], let height = sides[sides.count - 1],
      (1...Self.most).contains(width), (1...Self.most).contains(height)
    else {
      throw ValidationError(
        "expected one number for a square, such as 208, or WxH, such as 160x208, in 1...\(Self.most)"
      )
    }
    self.init(width: width, height: height)
  }

  package var description: String { width == height ? "\(width)" : "\(width)x\(height)" }
}
