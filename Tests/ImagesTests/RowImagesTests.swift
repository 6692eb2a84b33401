import Images
import RowMaps
import Testing

@Suite("Rows of shards as images")
struct RowImagesTests {
  @Test func everyLabelHasAColorOfItsOwnAndNoneIsBlack() {
    let all = RGBImage(
      .bytes((0...255).map { UInt8($0) }), of: .segmentation, width: 256, height: 1)
    let colors = (0..<256).map { all[$0, 0] }
    #expect(Set(colors).count == 256)
    #expect(colors[0] == .black && colors[7] == RGBColor(label: 7))
  }

  @Test func imagesStayAndDepthIsGrey() {
    let pixels: [UInt8] = [1, 2, 3, 4, 5, 6]
    #expect(RGBImage(.bytes(pixels), of: .images, width: 2, height: 1).pixels == pixels)
    let depth = RGBImage(.words([0, 65_535]), of: .depth, width: 1, height: 2)
    #expect(depth.pixels == [0, 0, 0, 255, 255, 255])
  }

  @Test func palettesGiveTheirColours() throws {
    let palette = try #require(Palette(bytes: [9, 8, 7, 0, 0, 0]))
    let row = RowValues.bytes([1, 0])
    let image = RGBImage(row, of: .palette, width: 2, height: 1, palette: palette)
    #expect(image.pixels == [0, 0, 0, 9, 8, 7])
    #expect(RGBImage(row, of: .palette, width: 2, height: 1)[0, 0] == RGBColor(label: 1))
  }

  @Test func windowsAreCutAndMirrored() {
    let row = RowValues.words((0..<12).map { UInt16($0) })  // 3 rows of 4
    let window = RowWindow(top: 1, left: 1, height: 2, width: 3)
    var mirrored = window
    mirrored.isMirrored = true
    let values = RowValues([(row, window), (row, mirrored)], of: .depth, width: 4)
    #expect(values == .words([5, 6, 7, 9, 10, 11, 7, 6, 5, 11, 10, 9]))
    #expect(values.littleEndian.prefix(4) == [5, 0, 6, 0])
  }
}
