// The images and expected values that Tests/Fixtures/images/make.py wrote.

import Foundation
import Images
import TestSupport

/// Files of `Tests/Fixtures/images`.
enum Fixture {
  /// What `expected.json` holds.
  struct Expected: Decodable {
    struct Resized: Decodable {
      let source: String
      let from, to: [Int]  // width, height
      let filter: String
      let result: String
    }
    struct Quality: Decodable {
      let name: String
      let psnr: Double?
      let ssim, mae: Double
    }
    let images, labels: [String: [Int]]
    let resized: [Resized]
    let quality: [Quality]
  }

  static func path(_ name: String) -> String {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/images/\(name)").path
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path(name))))
  }

  static func expected() throws -> Expected {
    try JSONDecoder().decode(
      Expected.self, from: Data(contentsOf: URL(filePath: path("expected.json"))))
  }

  /// Raw pixels `[H, W, 3]`.
  static func image(_ name: String, width: Int, height: Int) throws -> RGBImage {
    RGBImage(width: width, height: height, pixels: try bytes(name))
  }

  /// `NAME.png` or `NAME.jpg` with another ending.
  static func replacingEnding(of name: String, by ending: String) -> String {
    name.prefix { $0 != "." } + ending
  }
}

extension TemporaryFolder {
  /// Writes a file and returns its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    try Data(bytes).write(to: URL(filePath: self(name)))
    return self(name)
  }
}

/// The largest difference of two images' values, and nil when their sizes differ.
func largestDifference(_ a: RGBImage, _ b: RGBImage) -> Int? {
  guard a.width == b.width, a.height == b.height else { return nil }
  return zip(a.pixels, b.pixels).map { abs(Int($0) - Int($1)) }.max()
}
