import Foundation
import RowMaps
import Shards
import Testing

/// Palettes, and shards with palette maps.
@Suite struct PaletteRowsTests {
  private static let bytes: [UInt8] = [0, 0, 0, 200, 72, 72, 66, 158, 130, 255, 255, 255]

  private static func numbers(_ row: Int) -> [UInt8] {
    (0..<6 * 7).map { UInt8(3 - ($0 + row) % 4) }
  }

  private static func write(_ path: String, _ palette: Palette, wrong: Bool = false) throws {
    var header = Sample.imageHeader(height: 6, width: 7)
    (header.maps, header.palette) = ([.palette], palette)
    let writer = try ImageShardWriter(path, header: header, compression: .none)
    for row in 0..<3 {
      let pixels = try #require(palette.pixels(of: numbers(wrong && row == 2 ? 0 : row)))
      try writer.append(
        writer.encoder.encode(
          pixels, maps: [.palette: .bytes(numbers(row))], id: Int64(row), name: "\(row)"))
    }
    try writer.finish()
  }

  @Test func numbersAndPixelsAreTheSameImage() throws {
    let palette = try #require(Palette(bytes: Self.bytes))
    #expect(palette.count == 4)
    #expect("\(palette)" == "000000,c84848,429e82,ffffff")
    let numbers = Self.numbers(1)
    let pixels = try #require(palette.pixels(of: numbers))
    #expect(try palette.numbers(of: pixels) == numbers)
    #expect(palette.pixels(of: [3, 4]) == nil)
    #expect(Palette(Palette.colors(of: pixels))?.bytes.prefix(6) == [0, 0, 0, 66, 158, 130])
    let error = UnknownColor(pixel: 2, color: 0x00FF01)
    #expect(error.text == "#00ff01")
    #expect(throws: error) { try palette.numbers(of: [0, 0, 0, 255, 255, 255, 0, 255, 1]) }
  }

  @Test func whatIsNoPaletteIsRefused() throws {
    #expect(Palette(bytes: []) == nil)
    #expect(Palette(bytes: [1, 2, 3, 4]) == nil)
    #expect(Palette(bytes: [1, 2, 3, 1, 2, 3]) == nil)
    #expect(Palette(Set(0..<257)) == nil)
    #expect(Palette(Set(0..<256))?.count == 256)
    let palette = try #require(Palette(bytes: Self.bytes))
    let json = try JSONEncoder().encode(palette)
    #expect(String(decoding: json, as: UTF8.self) == #"["000000","c84848","429e82","ffffff"]"#)
    #expect(try JSONDecoder().decode(Palette.self, from: json) == palette)
    for text in [#"["0000"]"#, #"["gg0000"]"#, #"["+12345"]"#, "[]", #"["000000","000000"]"#, "3"] {
      #expect(throws: DecodingError.self, "\(text)") {
        try JSONDecoder().decode(Palette.self, from: Data(text.utf8))
      }
    }
  }

  @Test func whatIsWrittenIsReadBack() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    let palette = try #require(Palette(bytes: Self.bytes))
    try Self.write(path, palette)
    let reader = try ImageShardReader(path)
    #expect(reader.header.maps == [.palette] && reader.header.palette == palette)
    #expect(reader.contents.labelNames == [])
    for row in 0..<3 {
      let numbers = Self.numbers(row)
      #expect(try reader.row(row, .palette) == .bytes(numbers))
      #expect(try reader.pixels(row) == palette.pixels(of: numbers))
    }
    #expect(ShardVerification(path).findings.isEmpty)
    let colors = try #require(
      ShardDescription(path).datasets.first { $0.name == "palette_colors" })
    #expect(colors.type == "uint8" && colors.shape == [4, 3])
    #expect(try ImageShardSet([path]).palette() == palette)
  }

  /// A map must show its image exactly, or the shard is not published.
  @Test func mapsOfOtherImagesAreRefused() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    let palette = try #require(Palette(bytes: Self.bytes))
    let error = try #require(throws: ShardError.self) {
      try Self.write(path, palette, wrong: true)
    }
    #expect("\(error)".contains("/palette[2] is in other colours than /images[2]"), "\(error)")
    #expect(!FileManager.default.fileExists(atPath: path))
  }

  @Test func aChangedColourBreaksTheSeal() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    try Self.write(path, try #require(Palette(bytes: Self.bytes)))
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let position = try #require(bytes.range(of: Data(Self.bytes)))
    bytes[position.lowerBound + 4] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    #expect(throws: ShardError.brokenSeal(path: path)) { try ImageShardReader(path) }
  }

  @Test func shardsReadTogetherHaveOnePalette() throws {
    let scratch = try Scratch()
    let palette = try #require(Palette(bytes: Self.bytes))
    let other = try #require(Palette(bytes: [1] + Self.bytes.dropFirst()))
    try Self.write(scratch.file("a.h5"), palette)
    try Self.write(scratch.file("b.h5"), other)
    var header = Sample.imageHeader(height: 6, width: 7)
    header.maps = []
    let writer = try ImageShardWriter(scratch.file("c.h5"), header: header, compression: .none)
    try writer.append(Sample.pixels(height: 6, width: 7, row: 0), id: 0, name: "0")
    try writer.finish()
    let error = try #require(throws: ShardError.self) {
      try ImageShardSet([scratch.file("a.h5"), scratch.file("b.h5")]).palette()
    }
    guard
      case .disagreement(scratch.file("b.h5"), _, "the palette", "\(other)", "\(palette)") = error
    else {
      Issue.record("\(error)")
      return
    }
    #expect(throws: ShardError.noMaps(path: scratch.file("c.h5"), map: .palette)) {
      try ImageShardSet([scratch.file("a.h5"), scratch.file("c.h5")]).palette()
    }
  }
}
