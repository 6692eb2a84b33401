// Files that are no images, or not whole ones: each throws the right error, none crashes or hangs.

import Foundation
import Images
import TestSupport
import Testing

/// The error's case, as a word.
private func kind(_ error: ImageError?) -> String {
  guard let error else { return "none" }
  return String("\(Mirror(reflecting: error).children.first?.label ?? "?")")
}

private func kindOfError(_ path: String) -> String {
  do {
    _ = try ImageDecoder.decode(contentsOf: path)
    return "none"
  } catch {
    return kind(error)
  }
}

private func kindOfError(_ bytes: [UInt8]) -> String {
  do {
    _ = try ImageDecoder.decode(bytes)
    return "none"
  } catch {
    return kind(error)
  }
}

@Test(arguments: [
  "baseline-420.jpg", "progressive.jpg", "restart.jpg", "cmyk.jpg", "rgb-8.png",
  "rgb-8-interlaced.png", "palette-4.png",
])
func truncationAnywhereIsAnError(name: String) throws {
  let bytes = try Fixture.bytes(name)
  // The end of a PNG, 12 bytes, and that of a JPEG say nothing of the pixels.
  let end = bytes.count - (name.hasSuffix(".png") ? 12 : 2)
  for length in 1..<end {
    let found = kindOfError(Array(bytes.prefix(length)))
    // A cut may leave bytes that contradict the format before they end.
    #expect(found == "truncated" || found == "damaged", "\(name) cut to \(length): \(found)")
  }
  for length in end..<bytes.count { #expect(kindOfError(Array(bytes.prefix(length))) == "none") }
  for length in [1, 2, bytes.count / 2, end - 2] {
    #expect(kindOfError(Array(bytes.prefix(length))) == "truncated", "\(name) cut to \(length)")
  }
  #expect(kindOfError([]) == "empty")
}

@Test func changingAnyByteNeverCrashes() throws {
  for name in [
    "tiny-interlaced.png", "palette-1-transparent.png", "odd-1x1.jpg", "progressive.jpg",
  ] {
    let bytes = try Fixture.bytes(name)
    for position in bytes.indices {
      for change in [UInt8(0xFF), 0x01, 0x80] {
        var changed = bytes
        changed[position] ^= change
        // Limits as a caller may set them, so that a changed size allocates little.
        let limits = ImageLimits(maxPixels: 100_000, maxSide: 1_000, maxScans: 100)
        _ = try? ImageDecoder.decode(changed, limits: limits)
        _ = try? ImageDecoder.decodeLabels(changed, limits: limits)
      }
    }
  }
}

@Test func foreignContentIsNamed() throws {
  for (bytes, name) in [
    (Array("<!DOCTYPE html><html>404".utf8), "an HTML page"),
    (Array("  \n<HTML><body>".utf8), "an HTML page"),
    (Array("GIF89a".utf8), "a GIF image"),
    (Array("RIFF\0\0\0\0WEBPVP8 ".utf8), "a WebP image"),
    (Array("BM\0\0\0\0".utf8), "a BMP image"),
    ([0x1F, 0x8B, 8, 0], "gzip data"),
    (Array("hello".utf8), "text"),
    ([0, 1, 2, 3], "unknown content"),
  ] as [([UInt8], String)] {
    #expect(throws: ImageError.notAnImage(path: "x.jpg", found: name)) {
      try ImageDecoder.decode(bytes, path: "x.jpg")
    }
  }
}

@Test(.timeLimit(.minutes(30)))
func onlyRegularFilesAreRead() throws {
  let folder = try TemporaryFolder()
  let fifo = "\(folder.path)/fifo.jpg"
  #expect(mkfifo(fifo, 0o600) == 0)
  #expect(kindOfError(fifo) == "notARegularFile")
  #expect(kindOfError(folder.path) == "notARegularFile")
  #expect(kindOfError("/dev/zero") == "notARegularFile")
  let loop = "\(folder.path)/loop.jpg"
  #expect(symlink(loop, loop) == 0)
  #expect(kindOfError(loop) == "unreadable")
  #expect(kindOfError("\(folder.path)/none.png") == "missing")
  #expect(kindOfError(Fixture.path("rgb-8.png/x.png")) == "missing")
  #expect(kindOfError(try folder.file("empty.jpg", [])) == "empty")
}

@Test func errorsNameTheFileAndWhatWasFound() throws {
  let path = Fixture.path("make.py")
  let error = #expect(throws: ImageError.self) { try ImageDecoder.decode(contentsOf: path) }
  #expect(error?.description == "\(path): text, expected a PNG or JPEG image")
}

@Test func damagedPNGsAreRefused() throws {
  let good = PNGChunks(try Fixture.bytes("palette-4.png"))
  #expect(kindOfError(good.bytes) == "none")
  func changed(_ change: (inout [PNGChunks.Chunk]) -> Void) -> String {
    var png = good
    change(&png.chunks)
    return kindOfError(png.bytes)
  }
  #expect(good.chunks.map(\.kind) == ["IHDR", "PLTE", "IDAT", "IEND"])
  for i in 0..<2 {
    #expect(changed { $0[i].wrongChecksum = true } == "damaged", "CRC of chunk \(i)")
  }
  // That of the compressed data has zlib's own behind it.
  #expect(changed { $0[2].wrongChecksum = true } == "none")
  #expect(
    changed {
      $0[2].wrongChecksum = true
      $0[2].data[$0[2].data.count - 6] ^= 1
    } == "damaged")
  // The last byte of the compressed data belongs to zlib's own checksum.
  #expect(changed { $0[2].data[$0[2].data.count - 1] ^= 1 } == "damaged")
  #expect(changed { $0.remove(at: 1) } == "damaged")  // no palette
  #expect(changed { $0.remove(at: 2) } == "damaged")  // no pixels
  #expect(changed { $0.swapAt(2, 3) } == "damaged")  // pixels after the end
  #expect(changed { $0.insert($0[0], at: 1) } == "damaged")  // two headers
  #expect(changed { $0[0] = PNGChunks.header(width: 0, height: 4) } == "damaged")
  #expect(changed { $0[0] = PNGChunks.header(width: 4, height: 4, colorType: 5) } == "damaged")
  #expect(changed { $0[0] = PNGChunks.header(width: 1 << 31 - 1, height: 1) } == "tooLarge")
  #expect(changed { $0.append($0[3]) } == "none")  // bytes after the end are ignored
}

@Test func damagedJPEGsAreRefused() throws {
  let good = try Fixture.bytes("baseline-420.jpg")
  // Bytes after the end are ignored, padding before the end marker is harmless.
  #expect(kindOfError(good + [1, 2, 3]) == "none")
  #expect(kindOfError(good.dropLast(2) + [0, 0] + good.suffix(2)) == "none")
  #expect(kindOfError([0xFF, 0xD8]) == "truncated")
  // libjpeg decodes the rest of a cut scan as grey and only warns.
  let scan = try #require(good.indices.dropLast().last { good[$0] == 0xFF && good[$0 + 1] == 0xDA })
  let half = (scan + good.count) / 2
  #expect(kindOfError(Array(good[..<half]) + good.suffix(2)) == "damaged")
}

@Test func sizesBeyondTheLimitsAreRefusedFromTheHeader() throws {
  var png = PNGChunks([])
  png.chunks = [PNGChunks.header(width: 30_000, height: 30_000, depth: 1, colorType: 0)]
  #expect(kindOfError(png.bytes) == "tooLarge")
  var jpeg = try Fixture.bytes("grey.jpg")
  let frame = try #require(
    jpeg.indices.dropLast().first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
  jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xFF, 0xDC, 0xFF, 0xDC])  // 65,500 twice
  #expect(kindOfError(jpeg) == "tooLarge")

  let bytes = try Fixture.bytes("rgb-8.png")
  let limits = ImageLimits(maxPixels: 33 * 25, maxSide: 33, maxScans: 100)
  #expect(throws: Never.self) { try ImageDecoder.decode(bytes, limits: limits) }
  for tight in [
    ImageLimits(maxPixels: 33 * 25 - 1, maxSide: 33, maxScans: 100),
    ImageLimits(maxPixels: 33 * 25, maxSide: 32, maxScans: 100),
  ] {
    #expect(throws: ImageError.tooLarge(path: "x", width: 33, height: 25, limits: tight)) {
      try ImageDecoder.decode(bytes, path: "x", limits: tight)
    }
  }
}

@Test func theLimitIsThatOfPillowsError() throws {
  func allows(_ width: Int, _ height: Int) throws -> Bool {
    var png = PNGChunks([])
    png.chunks = [PNGChunks.header(width: UInt32(width), height: UInt32(height))]
    return (try? ImageDecoder.header(png.bytes)) != nil
  }
  #expect(try allows(12_000, 9_000))
  #expect(try allows(2, 89_478_485) == false)  // a side of more than a million
  #expect(try allows(178_956, 1000) && allows(10, 1_000_000))
  #expect(try allows(13_377, 13_377) && !allows(13_378, 13_378))
  #expect(178_956_970 / 13_378 == 13_376 && 13_377 * 13_378 > 178_956_970)
  var jpeg = try Fixture.bytes("grey.jpg")
  let frame = try #require(
    jpeg.indices.dropLast().first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == 0xC0 })
  jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0x23, 0x28, 0x2E, 0xE0])  // 9,000 · 12,000
  #expect(try ImageDecoder.header(jpeg).width == 12_000)
}

@Test func hugeFilesAreRefusedUnread() throws {
  let folder = try TemporaryFolder()
  let path = try folder.file("huge.png", Fixture.bytes("rgb-8.png"))
  #expect(truncate(path, 1 << 40) == 0)  // a hole of a terabyte
  #expect(kindOfError(path) == "fileTooLarge")
}

@Test func manyScansAreRefused() throws {
  let jpeg = try Fixture.bytes("progressive-grey.jpg")
  func next(_ marker: UInt8, from start: Int) throws -> Int {
    try #require(
      (start..<jpeg.count - 1).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] == marker })
  }
  // The first scan, of the means alone, at full precision may be repeated without end.
  let scan = try next(0xDA, from: 0)
  let end = try #require(
    (scan + 10..<jpeg.count - 1).first { jpeg[$0] == 0xFF && jpeg[$0 + 1] != 0 })
  var body = Array(jpeg[scan..<end])
  body[9] = 0  // Ss, Se, then Ah and Al
  func repeated(_ count: Int) -> [UInt8] {
    jpeg[..<scan] + (0..<count).flatMap { _ in body } + [0xFF, 0xD9]
  }
  #expect(kindOfError(repeated(1)) == "none")
  #expect(kindOfError(repeated(100)) == "none")
  #expect(kindOfError(repeated(1_001)) == "unsupported")
}

@Test func compressedTextAndProfilesAreNotUnpacked() throws {
  // Whoever unpacked these chunks would find that they are no zlib data at all.
  let body = Array("Comment".utf8) + [0, 0] + [UInt8](repeating: 0xFF, count: 50_000)
  var png = PNGChunks(try Fixture.bytes("rgb-8.png"))
  for kind in ["zTXt", "iCCP", "iTXt"] {
    png.chunks.insert(.init(kind: kind, data: body), at: 1)
  }
  let image = try ImageDecoder.decode(png.bytes)
  let plain = try ImageDecoder.decode(contentsOf: Fixture.path("rgb-8.png"))
  #expect(image == plain)
}
