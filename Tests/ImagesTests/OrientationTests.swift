// The EXIF orientation of photos, and turning them upright.

import Images
import TestSupport
import Testing

/// A JPEG with an EXIF segment behind its first marker.
private func tagged(
  _ orientation: UInt8, bigEndian: Bool = false, type: UInt8 = 3, jpeg: [UInt8]
) -> [UInt8] {
  func number(_ value: UInt8, bytes: Int) -> [UInt8] {
    let zeros = [UInt8](repeating: 0, count: bytes - 1)
    return bigEndian ? zeros + [value] : [value] + zeros
  }
  let tag: [UInt8] = bigEndian ? [0x01, 0x12] : [0x12, 0x01]
  var tiff: [UInt8] = bigEndian ? [0x4D, 0x4D] : [0x49, 0x49]
  tiff += number(42, bytes: 2) + number(8, bytes: 4) + number(1, bytes: 2)
  tiff += tag + number(type, bytes: 2) + number(1, bytes: 4) + number(orientation, bytes: 2)
  tiff += [0, 0] + number(0, bytes: 4)
  let body = Array("Exif\0\0".utf8) + tiff
  let length = body.count + 2
  return Array(jpeg[..<2]) + [0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 255)] + body
    + Array(jpeg[2...])
}

@Test func orientationsAreFoundInEitherByteOrder() throws {
  let jpeg = try Fixture.bytes("baseline-420.jpg")
  #expect(EXIFOrientation(of: jpeg) == .upright)
  for orientation in EXIFOrientation.allCases {
    for bigEndian in [false, true] {
      let bytes = tagged(UInt8(orientation.rawValue), bigEndian: bigEndian, jpeg: jpeg)
      #expect(EXIFOrientation(of: bytes) == orientation)
      #expect(try ImageDecoder.decode(bytes) == ImageDecoder.decode(jpeg), "pixels stay as stored")
    }
  }
}

@Test func whatIsNoOrientationCountsAsUpright() throws {
  let jpeg = try Fixture.bytes("baseline-420.jpg")
  for value in [UInt8(0), 9, 255] {
    #expect(EXIFOrientation(of: tagged(value, jpeg: jpeg)) == .upright)
  }
  #expect(EXIFOrientation(of: tagged(6, type: 7, jpeg: jpeg)) == .upright)
  #expect(EXIFOrientation(of: []) == .upright)
  #expect(EXIFOrientation(of: try Fixture.bytes("rgb-8.png")) == .upright)
  // Cut or changed anywhere, it never traps.
  let bytes = tagged(6, jpeg: jpeg)
  for length in 0..<60 { _ = EXIFOrientation(of: Array(bytes[..<length])) }
  for position in 2..<60 {
    for change in [UInt8(0xFF), 0x80, 0x01] {
      var changed = bytes
      changed[position] ^= change
      _ = EXIFOrientation(of: changed)
    }
  }
}

/// A letter F, 3 columns and 4 rows, as each orientation stores it (the table of the Exif
/// standard).
@Test func everyOrientationIsTurnedUpright() {
  let upright = ["###", "#..", "##.", "#.."]
  let stored: [EXIFOrientation: [String]] = [
    .upright: ["###", "#..", "##.", "#.."],
    .mirrored: ["###", "..#", ".##", "..#"],
    .upsideDown: ["..#", ".##", "..#", "###"],
    .flipped: ["#..", "##.", "#..", "###"],
    .transposed: ["####", "#.#.", "#..."],
    .needsClockwise: ["#...", "#.#.", "####"],
    .transversed: ["...#", ".#.#", "####"],
    .needsAnticlockwise: ["####", ".#.#", "...#"],
  ]
  func image(_ rows: [String]) -> RGBImage {
    RGBImage(
      width: rows[0].count, height: rows.count,
      pixels: rows.joined().flatMap { $0 == "#" ? [9, 99, 199] : [1, 2, 3] })
  }
  for (orientation, rows) in stored {
    #expect(image(rows).upright(orientation) == image(upright), "\(orientation)")
    #expect(orientation.exchangesSides == (rows.count == 3), "\(orientation)")
  }
}

// MARK: The forms that Pillow turns (tried with 13.0)

/// A little-endian TIFF structure with the tag alone, its value elsewhere where it is long.
private func tiff(type: UInt8, _ value: [UInt8], count: UInt8 = 1) -> [UInt8] {
  let header: [UInt8] = [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, type, 0, count, 0, 0, 0]
  let isLong = value.count > 4
  let entry: [UInt8] =
    isLong ? [26, 0, 0, 0] : value + [UInt8](repeating: 0, count: 4 - value.count)
  return header + entry + [0, 0, 0, 0] + (isLong ? value : [])
}

private func jpeg(_ segment: [UInt8]) throws -> [UInt8] {
  let jpeg = try Fixture.bytes("baseline-420.jpg")
  return Array(jpeg[..<2]) + [0xFF, 0xE1, 0, UInt8(segment.count + 2)] + segment
    + Array(jpeg[2...])
}

private func png(_ chunks: [PNGChunks.Chunk], atEnd: Bool = false) throws -> [UInt8] {
  var png = PNGChunks(try Fixture.bytes("rgb-8.png"))
  png.chunks.insert(contentsOf: chunks, at: atEnd ? png.chunks.count - 1 : 1)
  return png.bytes
}

private func littleEndian<Value>(_ value: Value) -> [UInt8] {
  withUnsafeBytes(of: value) { Array($0) }
}

@Test func numbersOfAllTypesTurn() throws {
  let six: [(type: UInt8, value: [UInt8])] = [
    (3, [6, 0]), (4, [6, 0, 0, 0]), (5, [6, 0, 0, 0, 1, 0, 0, 0]), (5, [12, 0, 0, 0, 2, 0, 0, 0]),
    (6, [6]), (8, [6, 0]), (9, [6, 0, 0, 0]), (10, [6, 0, 0, 0, 1, 0, 0, 0]),
    (11, littleEndian(Float(6))), (12, littleEndian(6.0)), (13, [6, 0, 0, 0]),
    (16, [6, 0, 0, 0, 0, 0, 0, 0]),
  ]
  for (type, value) in six {
    let tiff = tiff(type: type, value)
    let exif = Array("Exif\0\0".utf8) + tiff
    #expect(EXIFOrientation(of: try jpeg(exif)) == .needsClockwise, "type \(type)")
    for atEnd in [false, true] {
      let chunk = PNGChunks.Chunk(kind: "eXIf", data: atEnd ? exif : tiff)
      #expect(EXIFOrientation(of: try png([chunk], atEnd: atEnd)) == .needsClockwise)
    }
  }
  let two = tiff(type: 3, [6, 0, 6, 0], count: 2)
  #expect(EXIFOrientation(of: try png([.init(kind: "eXIf", data: two)])) == .needsClockwise)
  let none: [(type: UInt8, value: [UInt8], count: UInt8)] = [
    (1, [6], 1), (2, [0x36, 0], 1), (7, [6], 1), (3, [6, 0], 0), (4, [6, 1, 0, 0], 1),
    (5, [13, 0, 0, 0, 2, 0, 0, 0], 1), (5, [6, 0, 0, 0, 0, 0, 0, 0], 1),
    (11, littleEndian(Float.nan), 1), (12, littleEndian(6.5), 1),
    (16, [UInt8](repeating: 255, count: 8), 1),
  ]
  for (type, value, count) in none {
    let tiff = tiff(type: type, value, count: count)
    #expect(EXIFOrientation(of: try png([.init(kind: "eXIf", data: tiff)])) == .upright)
  }
}

/// Each may have a mebibyte: a thousand of them are one megabyte of a file, and took a minute.
@Test(arguments: [(63, EXIFOrientation.flipped), (64, .upright)])
func compressedTextsAreReadUpTo64(others: Int, expected: EXIFOrientation) throws {
  let name = Array("XML:com.adobe.xmp\0\0".utf8)
  let other = PNGChunks.Chunk(kind: "zTXt", data: name + stored(Array("nothing".utf8)))
  let xmp = Array("<x tiff:Orientation=\"4\"/>".utf8)
  let chunks =
    [PNGChunks.Chunk](repeating: other, count: others)
    + [.init(kind: "zTXt", data: name + stored(xmp))]
  #expect(EXIFOrientation(of: try png(chunks)) == expected)
}

@Test func textsOfOtherProgramsTurn() throws {
  let exif = Array("Exif\0\0".utf8) + tiff(type: 3, [8, 0])
  let digits = exif.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
  let profile = Array("\nexif\n      32\n\(digits.joined())\n".utf8)
  let name = Array("Raw profile type exif\0".utf8)
  for xmp in ["<x tiff:Orientation=\"8\"/>", "<tiff:Orientation>8</tiff:Orientation>"] {
    let xmp = Array(xmp.utf8)
    let adobe = Array("XML:com.adobe.xmp\0".utf8)
    for (kind, data) in [
      ("tEXt", name + profile), ("zTXt", name + [0] + stored(profile)), ("tEXt", adobe + xmp),
      ("iTXt", adobe + [0, 0, 0, 0] + xmp),
      ("iTXt", adobe + [1, 0] + Array("en\0x\0".utf8) + stored(xmp)),
    ] {
      let file = try png([.init(kind: kind, data: data)])
      #expect(EXIFOrientation(of: file) == .needsAnticlockwise, "\(kind)")
      for length in 0..<file.count where length < 200 {
        _ = EXIFOrientation(of: Array(file[..<length]))
      }
    }
    let header = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
    #expect(EXIFOrientation(of: try jpeg(header + xmp)) == .needsAnticlockwise)
    // What EXIF says comes first.
    let both = try jpeg(header + xmp)
    let upright = try jpeg(Array("Exif\0\0".utf8) + tiff(type: 3, [1, 0]))
    #expect(EXIFOrientation(of: Array(upright[..<40]) + Array(both[2...])) == .upright)
  }
  // A text that would fill the memory, and one that is damaged.
  let bomb = name + [0] + stored([UInt8](repeating: 0x30, count: 60_000)).dropLast(3)
  #expect(EXIFOrientation(of: try png([.init(kind: "zTXt", data: bomb)])) == .upright)
}
