import Foundation
import Images
import TestSupport
import Testing

/// The maps and expected values that Tests/Fixtures/depth/make.py wrote.
private enum Depth {
  static func path(_ name: String) -> String { TestSupport.Fixture.path("depth/\(name)") }

  static func values(_ name: String) throws -> [Float] {
    let data = try TestSupport.Fixture.data("depth/\(name).f32")
    return stride(from: 0, to: data.count, by: 4).map { position in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[position + $1]) << (8 * $1) })
    }
  }
}

@Suite("Depth maps")
struct DepthMapTests {
  @Test(arguments: [
    ("floats", 11, 7), ("grey-16", 11, 7), ("grey-8", 11, 7), ("constant", 2, 3),
  ])
  func filesOfEveryFormAreBroughtTo01AsInTheReference(name: String, width: Int, height: Int) throws
  {
    let map = try ImageDecoder.decodeDepth(contentsOf: Depth.path("\(name).png"))
    #expect((map.width, map.height) == (width, height))
    let distance = Distance(map.values, try Depth.values(name))
    #expect(distance.largest < 2e-7, "\(distance)")
    if name != "constant" { #expect(map.values.min() == 0 && map.values.max() == 1) }
  }

  /// Pillow's bilinear resize of floats, smaller, larger and of one side alone; and a part of it.
  @Test(arguments: [(5, 3), (22, 14), (6, 7)])
  func resizedAsNumbers(width: Int, height: Int) throws {
    let map = try ImageDecoder.decodeDepth(contentsOf: Depth.path("floats.png"))
    let fit = FitGeometry(from: (11, 7), to: (width, height), mode: .stretch)
    let expected = try Depth.values("resized-\(width)x\(height)")
    let distance = Distance(map.fitted(fit).values, expected)
    #expect(distance.largest < 2e-6, "\(distance)")
    let part = map.fitted(fit.window(PixelRect(x: 2, y: 1, width: 3, height: 2)))
    let picked = (1...2).flatMap { y in (2...4).map { expected[y * width + $0] } }
    #expect(Distance(part.values, picked).largest < 2e-6)
  }

  @Test func shardsHold16Bits() {
    let map = DepthMap(normalizing: [-3, 0, 1, 5], width: 2, height: 2)
    #expect(map.values == [0, 0.375, 0.5, 1])
    #expect(map.stored == [0, 24576, 32768, 65535])
    let again = DepthMap(width: 2, height: 2, stored: map.stored)
    #expect(Distance(again.values, map.values).largest < 1 / 65535)
    #expect(map.image.pixels == [0, 0, 0, 96, 96, 96, 128, 128, 128, 255, 255, 255])
  }

  @Test func otherImagesAreRefused() throws {
    #expect(
      throws: ImageError.damaged(
        path: Depth.path("not-a-number.png"), format: .png,
        reason: "the depth of column 4, row 2 is not a number")
    ) { try ImageDecoder.decodeDepth(contentsOf: Depth.path("not-a-number.png")) }
    for name in [
      "baseline-444.jpg", "rgb-8.png", "rgb-16.png", "rgba-16-interlaced.png", "grey-alpha-8.png",
      "grey-alpha-16.png", "grey-4.png", "palette-8.png",
    ] {
      let error = try #require(throws: ImageError.self, "\(name)") {
        try ImageDecoder.decodeDepth(contentsOf: Fixture.path(name))
      }
      guard case .unsupported = error else {
        Issue.record("\(name): \(error)")
        continue
      }
    }
    // A map that ends in the middle.
    let bytes = [UInt8](try TestSupport.Fixture.data("depth/floats.png"))
    for count in [40, bytes.count / 2, bytes.count - 13] {
      #expect(throws: ImageError.self) { try ImageDecoder.decodeDepth(Array(bytes[..<count])) }
    }
  }
}
