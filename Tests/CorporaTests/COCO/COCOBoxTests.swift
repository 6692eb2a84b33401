import Corpora
import Testing

@Suite("COCO boxes in stored images")
struct COCOBoxTests {
  private let box = COCOBox(x: 10, y: 20, width: 30, height: 40)

  private func placed(
    _ box: COCOBox, scale: Double = 1, x: Double = 0, y: Double = 0
  ) -> (box: COCOBox, visible: Double)? {
    box.placed(scaleX: scale, scaleY: scale, x: x, y: y, width: 50, height: 50)
  }

  @Test("A box inside is scaled and moved and wholly visible")
  func inside() throws {
    let found = try #require(placed(box, scale: 0.5, x: 3, y: 4))
    #expect(found.box == COCOBox(x: 8, y: 14, width: 15, height: 20))
    #expect(found.visible == 1)
    let uneven = try #require(
      box.placed(scaleX: 1, scaleY: 0.25, x: 0, y: 0, width: 50, height: 50))
    #expect(uneven.box == COCOBox(x: 10, y: 5, width: 30, height: 10))
  }

  @Test("What is cut off is missing from the box and from its visible fraction")
  func cut() throws {
    let left = try #require(placed(box, x: -25))
    #expect(left.box == COCOBox(x: 0, y: 20, width: 15, height: 30))
    #expect(left.visible == 0.5 * 0.75)
    let large = try #require(placed(box, scale: 10, x: -200, y: -300))
    #expect(large.box == COCOBox(x: 0, y: 0, width: 50, height: 50))
    #expect(abs(large.visible - 2500.0 / 120_000) < 1e-15)
  }

  @Test("A box that is outside, or only touches, is gone")
  func outside() {
    #expect(placed(box, x: -40) == nil)
    #expect(placed(box, x: 40) == nil)
    #expect(placed(box, y: -60) == nil)
    #expect(placed(box, y: 100) == nil)
  }

  @Test("A box without area is visible where it lies")
  func flat() throws {
    let line = try #require(placed(COCOBox(x: 40, y: 20, width: 20, height: 0)))
    #expect(line.box == COCOBox(x: 40, y: 20, width: 10, height: 0) && line.visible == 0.5)
    let point = try #require(placed(COCOBox(x: 50, y: 50, width: 0, height: 0)))
    #expect(point.visible == 1)
    #expect(placed(COCOBox(x: 51, y: 20, width: 0, height: 9)) == nil)
  }
}
