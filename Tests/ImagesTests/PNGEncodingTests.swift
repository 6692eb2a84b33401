// What is written is read back.

import Foundation
import Images
import TestSupport
import Testing

@Test(arguments: [0, 1, 6, 9])
func writtenImagesAreReadBack(level: Int) throws {
  let image = try Fixture.image("source-65x47.rgb", width: 65, height: 47)
  #expect(try ImageDecoder.decode(image.encodedPNG(level: level)) == image)
  #expect(image.encodedPNG(level: level) == image.encodedPNG(level: level))
  let map = LabelMap(width: 47, height: 65, values: image.pixels.prefix(65 * 47).map { $0 })
  #expect(try ImageDecoder.decodeLabels(map.encodedPNG(level: level)) == map)
}

@Test func imagesAppearUnderTheirNameOnly() throws {
  let folder = try TemporaryFolder()
  let image = RGBImage(width: 1, height: 1, filledWith: .white)
  try image.writePNG(to: "\(folder.path)/a.png")
  #expect(try ImageDecoder.decode(contentsOf: "\(folder.path)/a.png") == image)
  #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["a.png"])
  let error = #expect(throws: ImageError.self) {
    try image.writePNG(to: "\(folder.path)/none/a.png")
  }
  guard case .unwritable = error else {
    Issue.record("\(String(describing: error))")
    return
  }
}

@Test func depthsAreWrittenInSixteenBits() throws {
  let last = 47 * 5 - 1
  let stored = (0...last).map { (position: Int) -> UInt16 in UInt16(position * 65535 / last) }
  let map = DepthMap(width: 47, height: 5, stored: stored)
  #expect(try ImageDecoder.header(map.encodedPNG()).bitDepth == 16)
  #expect(try ImageDecoder.decodeDepth(map.encodedPNG()).stored == stored)
}
