// Cropping, padding and fitting.

import Images
import Testing

/// An image whose red is the column and whose green is the row.
private func coordinates(width: Int, height: Int) -> RGBImage {
  var image = RGBImage(width: width, height: height, filledWith: .black)
  for y in 0..<height {
    for x in 0..<width { image[x, y] = RGBColor(red: UInt8(x), green: UInt8(y), blue: 7) }
  }
  return image
}

@Test func cropsTakeTheNamedPixels() {
  let image = coordinates(width: 10, height: 8)
  let part = image.cropped(x: 3, y: 2, width: 4, height: 5)
  #expect([part.width, part.height] == [4, 5])
  #expect(part[0, 0] == RGBColor(red: 3, green: 2, blue: 7))
  #expect(part[3, 4] == RGBColor(red: 6, green: 6, blue: 7))
  // Of an odd rest of 10 - 5 and 8 - 3 pixels the smaller half is cut at the left and the top.
  #expect(image.centerCropped(width: 5, height: 3)[0, 0] == RGBColor(red: 2, green: 2, blue: 7))
}

@Test func paddingSurroundsTheImage() {
  let image = coordinates(width: 3, height: 2)
  let padded = image.padded(left: 1, top: 2, right: 3, bottom: 4, color: .white)
  #expect([padded.width, padded.height] == [7, 8])
  #expect(padded.cropped(x: 1, y: 2, width: 3, height: 2) == image)
  #expect(padded.pixels.count { $0 == 255 } == (7 * 8 - 6) * 3)
}

@Test func drawingCutsWhatLiesOutside() {
  var image = RGBImage(width: 4, height: 4, filledWith: .black)
  image.draw(coordinates(width: 3, height: 3), x: -1, y: 2)
  #expect(image[0, 2] == RGBColor(red: 1, green: 0, blue: 7))
  #expect(image[1, 3] == RGBColor(red: 2, green: 1, blue: 7))
  #expect(image[2, 2] == .black)
  image.draw(coordinates(width: 3, height: 3), x: 9, y: 9)
  #expect(image[3, 3] == .black)
}

@Test func fittingKeepsWhatItPromises() {
  // 640x480 to a square: scaled to 341x256, 42 columns cut at the left, 43 at the right.
  let crop = FitGeometry(from: (640, 480), to: (256, 256), mode: .crop)
  #expect([crop.scaledWidth, crop.scaledHeight, crop.x, crop.y] == [341, 256, -42, 0])
  let pad = FitGeometry(from: (640, 480), to: (256, 256), mode: .pad)
  #expect([pad.scaledWidth, pad.scaledHeight, pad.x, pad.y] == [256, 192, 0, 32])
  let stretch = FitGeometry(from: (640, 480), to: (256, 256), mode: .stretch)
  #expect([stretch.scaledWidth, stretch.scaledHeight, stretch.x, stretch.y] == [256, 256, 0, 0])
  let point = crop.map(x: 320, y: 240)
  #expect(point.x == 128.5)
  #expect(point.y == 128)
}

@Test(arguments: FitMode.allCases)
func fittingGivesTheWantedSizeForEveryShape(mode: FitMode) {
  for (width, height) in [(1, 1), (1, 40), (40, 1), (16, 16), (17, 15), (33, 250), (160, 210)] {
    let fit = FitGeometry(from: (width, height), to: (16, 12), mode: mode)
    let image = RGBImage(width: width, height: height, filledWith: .white)
    let fitted = image.fitted(fit, filter: .bilinear, color: .black)
    #expect([fitted.width, fitted.height] == [16, 12])
    let map = LabelMap(
      width: width, height: height, values: .init(repeating: 9, count: width * height))
    let fittedMap = map.fitted(fit)
    #expect([fittedMap.width, fittedMap.height] == [16, 12])
    // White is where the image is, and the map has its labels in the same positions.
    let white = stride(from: 0, to: 16 * 12 * 3, by: 3).map { fitted.pixels[$0] == 255 }
    #expect(white == fittedMap.values.map { $0 == 9 })
    #expect(mode == .pad || fittedMap.values.allSatisfy { $0 == 9 })
  }
}

@Test func croppingFitEqualsResizingThenCropping() throws {
  let source = try Fixture.image("source-65x47.rgb", width: 65, height: 47)
  let fit = source.fitted(width: 32, height: 32, mode: .crop)
  #expect(
    fit
      == source.resized(width: 44, height: 32, filter: .bicubic).centerCropped(
        width: 32, height: 32))
}
