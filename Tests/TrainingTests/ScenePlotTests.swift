import Images
import Models
import Testing
import Training

@Suite("Images of objects")
struct ScenePlotTests {
  private static let blue = RGBColor(red: 31, green: 119, blue: 180)
  private static let orange = RGBColor(red: 255, green: 127, blue: 14)

  private func tokens(_ form: SceneTokens.Form) -> SceneTokens {
    SceneTokens(form: form, vocabulary: 8192, classes: 2, objects: 5)
  }

  private static let objects = [
    SceneObject(category: 0, box: UnitBox(x: 0.25, y: 0.25, width: 0.5, height: 0.5)),
    SceneObject(
      category: 1, box: UnitBox(x: 0.75, y: 0.5, width: 0.25, height: 0.5), isGroup: true),
  ]

  /// Pixels of a colour in a part of an image.
  private func count(_ color: RGBColor, in image: RGBImage, _ part: PixelRect) -> Int {
    (part.y..<part.y + part.height).reduce(0) { sum, y in
      sum + (part.x..<part.x + part.width).count { image[$0, y] == color }
    }
  }

  @Test func boxesHaveColoursAndNames() {
    let plot = ScenePlot(
      Scene(objects: Self.objects), of: tokens(.boxes), names: ["dog", "cat"]
    ).rendered(width: 128, height: 64)
    #expect((plot.width, plot.height) == (256, 128))
    // Cell 22 of 90 is at 0.247, cell 67 at 0.753: columns 63 to 192, rows 31 to 96, edges of 3
    // pixels inside.
    #expect(plot[63, 64] == Self.blue && plot[65, 64] == Self.blue && plot[66, 64] == .white)
    #expect(plot[192, 40] == Self.blue && plot[193, 40] == .white)
    #expect(plot[128, 31] == Self.blue && plot[128, 30] == .white)
    #expect(plot[128, 96] == Self.blue && plot[128, 97] == .white)
    #expect(plot[254, 100] == Self.orange && plot[255, 127] == Self.orange)
    // Both names, the second with its mark, and nothing else is black.
    let whole = PixelRect(x: 0, y: 0, width: 256, height: 128)
    let first = count(.black, in: plot, PixelRect(x: 69, y: 37, width: 40, height: 10))
    #expect(first > 10)
    let second = count(.black, in: plot, PixelRect(x: 150, y: 60, width: 106, height: 30))
    #expect(second > first)  // "cat (group)"
    #expect(count(.black, in: plot, whole) == first + second)
  }

  @Test func pointsAreDiscsAndThePartHasAFrame() {
    var scene = Scene(objects: Self.objects)
    scene.crop = UnitBox(x: 0.5, y: 0, width: 0.5, height: 1)
    let plot = ScenePlot(scene, of: tokens(.points), names: []).rendered(width: 128, height: 256)
    // The part is 45 of 89 cells wide, so the whole is nearly twice as wide.
    #expect(plot.height == 256 && (250...262).contains(plot.width))
    let whole = PixelRect(x: 0, y: 0, width: plot.width, height: plot.height)
    #expect(count(.grey(63), in: plot, whole) > 2 * 256 * 3)
    #expect((40...90).contains(count(Self.blue, in: plot, whole)))
    #expect((40...90).contains(count(Self.orange, in: plot, whole)))
    #expect(count(.black, in: plot, whole) > 0)
  }
}
