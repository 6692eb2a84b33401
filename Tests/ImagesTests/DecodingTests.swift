// Every form of PNG and JPEG gives the pixels that Pillow gives (or that the manual states).

import Images
import TestSupport
import Testing

@Test func everyFormDecodesToTheExpectedPixels() throws {
  let expected = try Fixture.expected().images
  #expect(expected.count == 36)
  for (name, size) in expected.sorted(by: { $0.key < $1.key }) {
    let image = try ImageDecoder.decode(contentsOf: Fixture.path(name))
    let wanted = try Fixture.image(
      Fixture.replacingEnding(of: name, by: ".rgb"), width: size[0], height: size[1])
    #expect(largestDifference(image, wanted) == 0, "\(name)")
  }
}

@Test func labelMapsKeepTheirStoredValues() throws {
  let expected = try Fixture.expected().labels
  #expect(expected.count == 12)
  for (name, size) in expected {
    let map = try ImageDecoder.decodeLabels(contentsOf: Fixture.path(name))
    let values = try Fixture.bytes(Fixture.replacingEnding(of: name, by: ".labels"))
    #expect(map == LabelMap(width: size[0], height: size[1], values: values), "\(name)")
  }
}

@Test(arguments: ["rgb-8.png", "rgba-8.png", "grey-16.png", "grey-alpha-8.png", "grey.jpg"])
func otherImagesAreNoLabelMaps(name: String) throws {
  let path = Fixture.path(name)
  let error = #expect(throws: ImageError.self) { try ImageDecoder.decodeLabels(contentsOf: path) }
  guard case .unsupported(path, _, _, _) = error else {
    Issue.record("\(name): \(String(describing: error))")
    return
  }
}

@Test func headersTellTheStoredForm() throws {
  func header(_ name: String) throws -> [Int] {
    let header = try ImageDecoder.header(contentsOf: Fixture.path(name))
    return [header.width, header.height, header.channels, header.bitDepth]
  }
  #expect(try header("palette-2.png") == [33, 25, 1, 2])
  #expect(try header("rgba-16-interlaced.png") == [33, 25, 4, 16])
  #expect(try header("odd-65x47.jpg") == [65, 47, 3, 8])
  #expect(try header("cmyk.jpg") == [33, 25, 4, 8])
  #expect(try ImageDecoder.header(contentsOf: Fixture.path("grey.jpg")).format == .jpeg)
}

@Test func contentDecidesNotTheName() throws {
  let folder = try TemporaryFolder()
  for (original, disguise) in [("rgb-8.png", "a.jpg"), ("baseline-420.jpg", "b.png")] {
    let path = try folder.file(disguise, Fixture.bytes(original))
    let image = try ImageDecoder.decode(contentsOf: path)
    let original = try ImageDecoder.decode(contentsOf: Fixture.path(original))
    #expect(image == original)
  }
}
