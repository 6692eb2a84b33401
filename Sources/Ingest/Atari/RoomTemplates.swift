// Which room of the game a frame shows, by images of the rooms.
import Checksums
import DurableFiles
import Images

/// Images of positions, with which frames are compared.
package struct RoomTemplates: Equatable, Sendable {
  private struct Template: Equatable {
    let number: Int32
    let image: RGBImage
  }

  private let templates: [Template]
  /// SHA-256 of the images.
  package let digest: String

  /// Rows at the top that tell score and lives, not the position.
  private static let statusRows = 47
  /// A frame of which more pixels differ from every image is of no known position: dark, or between
  /// two rooms.
  private static let maxDifferent = 0.12

  /// Reads `1-name.png`, `2-name.png`, … from a folder; several images may have one number.
  ///
  /// - Throws: `ImageError`, `RoomTemplateError`.
  package init(_ folder: String) throws {
    var templates: [Template] = []
    var bytes: [UInt8] = []
    for name in DurableFile.names(in: folder).sorted() where name.hasSuffix(".png") {
      let digits = name.prefix { $0.isASCII && $0.isNumber }
      guard let number = Int32(digits), number > 0 else {
        throw RoomTemplateError.unnumbered(path: "\(folder)/\(name)")
      }
      let image = try ImageDecoder.decode(contentsOf: "\(folder)/\(name)")
      templates.append(Template(number: number, image: image))
      bytes += Array("\(number) \(image.width)".utf8) + image.pixels
    }
    guard !templates.isEmpty else { throw RoomTemplateError.none(path: folder) }
    self.templates = templates
    digest = bytes.withUnsafeBytes { sha256Hex($0) }
  }

  /// The number of the image that is most like a frame; 0 where none is.
  package func number(of frame: RGBImage) -> Int32 {
    var best = (number: Int32(0), difference: Self.maxDifferent)
    for template in templates
    where template.image.width == frame.width && template.image.height == frame.height {
      let difference = Self.difference(frame, template.image)
      if difference < best.difference { best = (template.number, difference) }
    }
    return best.number
  }

  /// The fraction of pixels below the status rows that differ clearly.
  private static func difference(_ a: RGBImage, _ b: RGBImage) -> Double {
    let first = min(statusRows, a.height - 1) * a.width * 3
    return a.pixels.withUnsafeBufferPointer { a in
      b.pixels.withUnsafeBufferPointer { b in
        var count = 0
        for pixel in stride(from: first, to: a.count, by: 3) {
          let distance = (0..<3).reduce(0) { $0 + abs(Int(a[pixel + $1]) - Int(b[pixel + $1])) }
          if distance > 30 { count += 1 }
        }
        return Double(count) / Double((a.count - first) / 3)
      }
    }
  }
}

/// Why a folder holds no images of positions.
package enum RoomTemplateError: Error, Equatable {
  case none(path: String)
  case unnumbered(path: String)
}

extension RoomTemplateError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .none(let path): "\(path): no PNG files; expected images of rooms such as 1-first.png"
    case .unnumbered(let path):
      "\(path): a name without a number; expected one such as 1-first.png"
    }
  }
}
