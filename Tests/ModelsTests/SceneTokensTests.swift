import Models
import Testing

@Suite struct SceneTokensTests {
  private static let boxes = SceneTokens(form: .boxes, vocabulary: 8192, classes: 80, objects: 30)

  @Test func publishedLengths() {
    #expect(Self.boxes.length == 92)
    #expect(SceneTokens(form: .points, vocabulary: 8192, classes: 80, objects: 30).length == 62)
  }

  @Test func cellsOfThePublishedGrid() {
    // 90×90 cells: a position is rounded to the nearest of 0…89 along each side.
    #expect(Self.boxes.token(x: 0, y: 0) == 0)
    #expect(Self.boxes.token(x: 1, y: 1) == 8099)
    #expect(Self.boxes.token(x: 0.5, y: 0) == 44)  // 44.5, to even
    #expect(Self.boxes.token(x: 0.25, y: 0.75) == 6052)
    #expect(Self.boxes.token(x: 1.5, y: -1) == 89)
  }

  @Test func objectsThenNothingThenTheCrop() {
    var group = SceneObject(
      category: 3, box: UnitBox(x: 0, y: 0, width: 0.5, height: 1), isGroup: true)
    group.isInside = true
    let outside = SceneObject(category: 1, box: UnitBox(x: 0.9, y: 0, width: 0.1, height: 0.1))
    let crop = UnitBox(x: 0, y: 0, width: 0.5, height: 1)
    let small = SceneTokens(form: .boxes, vocabulary: 8192, classes: 80, objects: 2)
    let tokens = small.tokens(Scene(objects: [outside, group], crop: crop))
    // Class 3 in a group and inside something, bits 0 and 3; 44 columns to the right in the last
    // row.
    let expected: [Int32] = [723, 0, 8054, 8191, 8191, 8191, 0, 8054]
    #expect(tokens == expected)
    let back = small.scene(tokens)
    #expect(back.objects.map(\.category) == [3])
    #expect(back.objects[0].isGroup && back.objects[0].isInside && !back.objects[0].isDepiction)
    #expect(abs(back.objects[0].box.width - 44.0 / 89) < 1e-9)
    #expect(abs(back.crop.width - 44.0 / 89) < 1e-9)
    let points = SceneTokens(form: .points, vocabulary: 8192, classes: 80, objects: 1)
    let ofPoint: [Int32] = [723, 3982, 0, 8099]
    #expect(points.tokens(Scene(objects: [group])) == ofPoint)
  }

  @Test func windowsAreCrops() {
    let grid = GridSize(height: 8, width: 16)
    let window = GridWindow(row: 0, column: 4, size: GridSize(height: 8, width: 8))
    let part = Self.boxes.scene(Scene(objects: []), in: window, of: grid)
    #expect(part.crop == UnitBox(x: 0.25, y: 0, width: 0.5, height: 1))
  }
}
