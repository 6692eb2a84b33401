// Contact sheets, text and bar charts.

import Images
import Testing

private let red = RGBColor(red: 255, green: 0, blue: 0)
private let blue = RGBColor(red: 0, green: 0, blue: 255)

/// The pixels of one colour.
private func count(_ color: RGBColor, in image: RGBImage) -> Int {
  var count = 0
  for y in 0..<image.height {
    for x in 0..<image.width where image[x, y] == color { count += 1 }
  }
  return count
}

@Test func aSheetIsAGridWithGaps() {
  let cells = [red, blue, blue].map { RGBImage(width: 5, height: 3, filledWith: $0) }
  let page = ContactSheet(cells, columns: 2, smallestSide: 0).rendered()
  #expect([page.width, page.height] == [16, 12])  // 2 + 2 · (5 + 2), 2 + 2 · (3 + 2)
  #expect(page.cropped(x: 2, y: 2, width: 5, height: 3) == cells[0])
  #expect(page.cropped(x: 9, y: 2, width: 5, height: 3) == cells[1])
  #expect(page.cropped(x: 2, y: 7, width: 5, height: 3) == cells[2])
  #expect(count(red, in: page) == 15)
  #expect(count(blue, in: page) == 30)
}

@Test func smallImagesAreEnlargedByWholeFactors() {
  let page = ContactSheet(
    rows: [
      [
        RGBImage(width: 10, height: 7, filledWith: red),
        RGBImage(width: 70, height: 70, filledWith: blue),
      ]
    ]
  ).rendered()
  // 10 times 7 is the first multiple that reaches 64.
  #expect(count(red, in: page) == 70 * 49)
  #expect(count(blue, in: page) == 70 * 70)
}

@Test func textsSurroundTheGridAndLeaveTheImages() {
  let cell = RGBImage(width: 80, height: 64, filledWith: red)
  let plain = ContactSheet(rows: [[cell, cell]]).rendered()
  let page = ContactSheet(
    rows: [[cell, cell]], columnHeaders: ["input", "reconstruction of everything"],
    rowLabels: ["row 1"], caption: "step 500\nand a second line"
  ).rendered()
  #expect(count(red, in: page) == count(red, in: plain))
  #expect(page.width == plain.width + BitmapFont.width(of: "row 1") + 4)
  #expect(page.height == plain.height + 12 + 2 * BitmapFont.lineHeight + 2)
  #expect(count(.grey(230), in: page) > 200)
}

@Test func everyPrintableCharacterHasItsOwnGlyph() {
  var seen: Set<[UInt8]> = []
  for code in UInt8(32)...126 {
    var image = RGBImage(width: 6, height: 10, filledWith: .black)
    image.drawText(String(UnicodeScalar(code)), x: 0, y: 0, color: .white)
    #expect((code == 32) == (count(.white, in: image) == 0))
    #expect(seen.insert(image.pixels).inserted, "\(code)")
  }
  #expect(seen.count == 95)
}

@Test func textIsCutToItsPlace() {
  var image = RGBImage(width: 8, height: 8, filledWith: .black)
  image.drawText("HHHH", x: -3, y: -2, color: .white)
  #expect(count(.white, in: image) > 0)
  #expect(BitmapFont.shortened("reconstruction", toFit: 41) == "recon..")
  #expect(BitmapFont.shortened("input", toFit: 29) == "input")
  #expect(
    BitmapFont.wrapped("one two threefour\nfive", toFit: 41) == [
      "one two", "threefo", "ur", "five",
    ])
}

@Test(arguments: BarChart.Scale.allCases)
func barsHaveTheirHeights(scale: BarChart.Scale) {
  let chart = BarChart([0, 1, 99, 9], scale: scale, title: "use").rendered(width: 40, height: 100)
  let left = BitmapFont.width(of: "99") + 8
  func height(ofBar bar: Int) -> Int {
    count(
      RGBColor(red: 38, green: 90, blue: 160),
      in: chart.cropped(x: left + bar * 10, y: 0, width: 10, height: chart.height)) / 10
  }
  let heights = (0..<4).map(height)
  let wanted: [Int] =
    switch scale {
    case .linear: [0, 1, 100, 9]
    case .log: [0, 15, 100, 50]
    }
  #expect(heights == wanted)
}

@Test func moreBarsThanPixelsShowTheLargest() {
  var counts = [Int](repeating: 0, count: 1_000)
  counts[777] = 5
  let chart = BarChart(counts).rendered(width: 100, height: 50)
  #expect(count(RGBColor(red: 38, green: 90, blue: 160), in: chart) == 50)
}
