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
  #expect(EXIFOrientation(jpeg: jpeg) == .upright)
  for orientation in EXIFOrientation.allCases {
    for bigEndian in [false, true] {
      let bytes = tagged(UInt8(orientation.rawValue), bigEndian: bigEndian, jpeg: jpeg)
      #expect(EXIFOrientation(jpeg: bytes) == orientation)
      #expect(try ImageDecoder.decode(bytes) == ImageDecoder.decode(jpeg), "pixels stay as stored")
    }
  }
}

@Test func whatIsNoOrientationCountsAsUpright() throws {
  let jpeg = try Fixture.bytes("baseline-420.jpg")
  for value in [UInt8(0), 9, 255] {
    #expect(EXIFOrientation(jpeg: tagged(value, jpeg: jpeg)) == .upright)
  }
  #expect(EXIFOrientation(jpeg: tagged(6, type: 4, jpeg: jpeg)) == .upright)
  #expect(EXIFOrientation(jpeg: []) == .upright)
  #expect(EXIFOrientation(jpeg: try Fixture.bytes("rgb-8.png")) == .upright)
  // Cut or changed anywhere, it never traps.
  let bytes = tagged(6, jpeg: jpeg)
  for length in 0..<60 { _ = EXIFOrientation(jpeg: Array(bytes[..<length])) }
  for position in 2..<60 {
    for change in [UInt8(0xFF), 0x80, 0x01] {
      var changed = bytes
      changed[position] ^= change
      _ = EXIFOrientation(jpeg: changed)
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
