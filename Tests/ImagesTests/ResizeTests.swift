// Resizing equals Pillow's bit for bit.

import Images
import Testing

@Test func resizingEqualsPillow() throws {
  let expected = try Fixture.expected().resized
  #expect(expected.count == 56)
  for one in expected {
    let source = try Fixture.image(one.source, width: one.from[0], height: one.from[1])
    let wanted = try Fixture.image(one.result, width: one.to[0], height: one.to[1])
    let filter = try #require(ResizeFilter(rawValue: one.filter))
    let resized = source.resized(width: one.to[0], height: one.to[1], filter: filter)
    #expect(largestDifference(resized, wanted) == 0, "\(one.result)")
  }
}

@Test(arguments: ResizeFilter.allCases)
func aRegionEqualsResizingThenCropping(filter: ResizeFilter) throws {
  let source = try Fixture.image("source-65x47.rgb", width: 65, height: 47)
  for (width, height) in [(40, 30), (65, 30), (40, 47), (65, 47), (130, 90), (60, 25), (80, 25)] {
    let whole = source.resized(width: width, height: height, filter: filter)
    let region = PixelRect(x: 3, y: 5, width: 21, height: 17)
    #expect(
      source.resized(width: width, height: height, filter: filter, region: region)
        == whole.cropped(x: 3, y: 5, width: 21, height: 17), "\(width)x\(height)")
  }
}

@Test func nearestIsTheSameForLabelsAndImages() throws {
  let source = try Fixture.image("source-65x47.rgb", width: 65, height: 47)
  let reds = LabelMap(
    width: 65, height: 47,
    values: stride(from: 0, to: source.pixels.count, by: 3).map { source.pixels[$0] })
  for (width, height) in [(32, 24), (80, 60), (65, 20), (1, 1)] {
    let image = source.resized(width: width, height: height, filter: .nearest)
    let map = reds.resizedNearest(width: width, height: height)
    #expect(
      map.values == stride(from: 0, to: image.pixels.count, by: 3).map { image.pixels[$0] })
  }
}

@Test(arguments: ResizeFilter.allCases)
func aConstantImageStaysConstant(filter: ResizeFilter) {
  let color = RGBColor(red: 255, green: 128, blue: 1)
  for (width, height) in [(5, 3), (64, 64), (200, 90)] {
    let resized = RGBImage(width: 31, height: 17, filledWith: color)
      .resized(width: width, height: height, filter: filter)
    #expect(resized == RGBImage(width: width, height: height, filledWith: color))
  }
}
