// Files that are not as the formats want them, but have all their pixels: Pillow reads them, and so
// do we. Each is a whole file with something in it that no pixel depends on.

import Images
import TestSupport
import Testing

private func pixels(_ bytes: [UInt8], _ comment: String) -> RGBImage? {
  do {
    return try ImageDecoder.decode(bytes)
  } catch {
    Issue.record("\(comment): \(error)")
    return nil
  }
}

private func fails(_ bytes: [UInt8]) -> Bool { (try? ImageDecoder.decode(bytes)) == nil }

// MARK: JPEG

/// Where the parts of a JPEG begin.
private struct JPEGParts {
  let bytes: [UInt8]
  /// The markers before the first scan's.
  private(set) var segments: [Int] = []
  /// The markers of the scans, and the end of each.
  private(set) var scans: [Range<Int>] = []

  init(_ name: String) throws {
    bytes = try Fixture.bytes(name)
    var position = 2
    while position + 4 < bytes.count {
      let end = position + 2 + Int(bytes[position + 2]) << 8 + Int(bytes[position + 3])
      guard bytes[position + 1] == 0xDA else {
        if scans.isEmpty { segments.append(position) }
        position = end
        continue
      }
      var next = end
      while bytes[next] != 0xFF || bytes[next + 1] == 0 || 0xD0...0xD7 ~= bytes[next + 1] {
        next += 1
      }
      scans.append(position..<next)
      position = next
    }
  }

  /// The three bytes behind the first scan's components: Ss, Se, Ah and Al.
  func progression(_ values: [UInt8]) -> [UInt8] {
    let at = scans[0].lowerBound + 5 + 2 * Int(bytes[scans[0].lowerBound + 4])
    return replacing(at..<at + 3, by: values)
  }

  func inserting(_ more: [UInt8], at position: Int) -> [UInt8] {
    Array(bytes[..<position]) + more + Array(bytes[position...])
  }

  /// The file with other bytes in place of some.
  func replacing(_ range: Range<Int>, by more: [UInt8] = []) -> [UInt8] {
    Array(bytes[..<range.lowerBound]) + more + Array(bytes[range.upperBound...])
  }
}

@Test(
  "Sequential scans whose progression is not 0, 63, 0, 0, as Galaxy phones write them",
  arguments: ["baseline-420.jpg", "baseline-444.jpg", "restart.jpg", "grey.jpg", "cmyk.jpg"])
func oddProgression(name: String) throws {
  let jpeg = try JPEGParts(name)
  let whole = try ImageDecoder.decode(jpeg.bytes)
  for values in [[0, 0, 0], [1, 63, 0], [0, 63, 0x11], [0xFF, 0xFF, 0xFF]] as [[UInt8]] {
    #expect(pixels(jpeg.progression(values), "\(name) \(values)") == whole)
  }
}

@Test(
  "Bytes between the segments of a JPEG, padding before its end, markers with errors",
  arguments: ["baseline-420.jpg", "progressive.jpg", "restart.jpg", "grey.jpg", "ycck.jpg"])
func extraneousBytes(name: String) throws {
  let jpeg = try JPEGParts(name)
  let whole = try ImageDecoder.decode(jpeg.bytes)
  for position in jpeg.segments.dropFirst() + [jpeg.scans[0].lowerBound] {
    #expect(pixels(jpeg.inserting([1, 2, 3], at: position), "\(name) \(position)") == whole)
    #expect(pixels(jpeg.inserting([0xFF, 0xFF], at: position), "\(name) \(position)") == whole)
  }
  #expect(pixels(jpeg.inserting([0, 0], at: jpeg.bytes.count - 2), name) == whole)
  // A profile that says to be longer than it is, and takes the mark of what follows with it; a
  // version of JFIF and a colour code that nobody knows.
  let profile = [0xFF, 0xE2, 0, 16] + Array("ICC_PROFILE\0\u{7}".utf8)
  if name != "ycck.jpg" { #expect(pixels(jpeg.inserting(profile, at: 2), name) == whole) }
  if name.hasPrefix("baseline") {
    let adobe = [0xFF, 0xEE, 0, 14] + Array("Adobe\0d\0\0\0\0\u{9}".utf8)
    #expect(pixels(jpeg.inserting(adobe, at: 2), name) == whole)
    var version = jpeg.bytes
    version[11] = 5
    #expect(pixels(version, name) == whole)
  }
}

@Test("Scans sent twice or before that of the means; none of what they add may be missing")
func scans() throws {
  let jpeg = try JPEGParts("progressive.jpg")
  let (bytes, scans) = (jpeg.bytes, jpeg.scans)
  let whole = try ImageDecoder.decode(bytes)
  let means = bytes[scans[0]]
  #expect(pixels(jpeg.inserting(Array(means), at: scans[0].upperBound), "twice") == whole)
  let second = scans[0].upperBound..<scans[1].upperBound  // with its tables
  let swapped = jpeg.replacing(
    scans[0].lowerBound..<second.upperBound, by: Array(bytes[second]) + Array(means))
  #expect(pixels(swapped, "swapped") == whole)
  // The means at half their precision, not at all, and never of one component.
  #expect(fails(jpeg.progression([0, 0, 0])))
  #expect(fails(jpeg.replacing(scans[0])))
  #expect(
    fails(
      jpeg.replacing(scans[0].lowerBound..<bytes.count, by: Array(bytes[second]) + [0xFF, 0xD9])))
}

@Test("Pixels that libjpeg invents are an error: codes, markers and ends that are missing")
func lostPixels() throws {
  let jpeg = try JPEGParts("restart.jpg")
  let (bytes, scan) = (jpeg.bytes, jpeg.scans[0])
  let restart = try #require(scan.first { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xD1 })
  #expect(fails(jpeg.replacing(restart..<restart + 2)))
  #expect(fails(jpeg.replacing(restart + 1..<restart + 2, by: [0xD3])))
  #expect(fails(jpeg.inserting([0, 0], at: restart)))
  #expect(fails(jpeg.replacing(scan.upperBound - 1..<scan.upperBound)))
  #expect(fails(Array(bytes.dropLast(2)) + [UInt8](repeating: 0, count: 200)))
  #expect(fails(Array(bytes.dropLast(2)) + [UInt8](repeating: 3, count: 200)))
}

/// Cuts a file after every byte, and fills up what is missing as interrupted copies do.
///
/// - Returns: the lengths at which the cut file is read.
private func lengthsRead(_ bytes: [UInt8], _ name: String) throws -> [Int] {
  let whole = try ImageDecoder.decode(bytes)
  var lengths: [Int] = []
  for length in 2..<bytes.count {
    let cut = Array(bytes.prefix(length))
    if let image = try? ImageDecoder.decode(cut) {
      lengths.append(length)
      #expect(image == whole, "\(name) cut to \(length)")
    }
    for value in [UInt8(0), 0xFF] {
      let filled = cut + [UInt8](repeating: value, count: bytes.count - length)
      let image = try? ImageDecoder.decode(filled)
      #expect(image == nil || image == whole, "\(name) filled with \(value) from \(length)")
    }
  }
  return lengths
}

@Test(
  "A JPEG may lack its end marker, and nothing more",
  arguments: [
    "baseline-420.jpg", "grey.jpg", "progressive.jpg", "progressive-grey.jpg", "restart.jpg",
    "cmyk.jpg", "odd-7x5.jpg",
  ])
func missingEnd(name: String) throws {
  let bytes = try Fixture.bytes(name)
  #expect(try lengthsRead(bytes, name) == [bytes.count - 2, bytes.count - 1])
}

@Test("Scans that are missing behind a cut, and those whose last bits need not be there")
func missingScans() throws {
  var random = SeededGenerator(seed: 8)
  for (isProgressive, isArithmetic, restart) in [
    (false, false, 0), (false, false, 2), (true, false, 0), (false, true, 0), (true, true, 0),
  ] {
    let form = JPEGForm(
      sampling: [(2, 1), (1, 1), (1, 1)], isProgressive: isProgressive,
      isArithmetic: isArithmetic, hasSeparateScans: true, restart: UInt32(restart))
    let bytes = form.file(width: 21, height: 18, using: &random)
    // Arithmetic codes say not where they end.
    let expected = isArithmetic ? [] : [bytes.count - 2, bytes.count - 1]
    #expect(try lengthsRead(bytes, "\(form)") == expected, "\(form)")
    let scans = bytes.indices.dropLast().filter { bytes[$0] == 0xFF && bytes[$0 + 1] == 0xDA }
    let second = try #require(scans.dropFirst().first)
    if !isProgressive { #expect(fails(Array(bytes[..<second]) + [0xFF, 0xD9]), "\(form)") }
  }
}

// MARK: PNG

/// zlib's data without compression.
func stored(_ bytes: [UInt8]) -> [UInt8] {
  let (low, high) = bytes.reduce((1, 0)) { sums, byte in
    let low = (sums.0 + Int(byte)) % 65_521
    return (low, (sums.1 + low) % 65_521)
  }
  func little(_ value: Int) -> [UInt8] { [UInt8(value & 255), UInt8(value >> 8)] }
  var data: [UInt8] = [0x78, 1, 1]
  data += little(bytes.count) + little(bytes.count ^ 0xFFFF) + bytes
  data += little(high).reversed() + little(low).reversed()
  return data
}

/// A PNG of 3 columns and 4 rows: 8-bit RGB, indices of a palette or grey, of which this is the
/// compressed data.
private func png(
  _ colorType: UInt8, _ data: [[UInt8]], before: [PNGChunks.Chunk] = []
) -> PNGChunks {
  var png = PNGChunks([])
  png.chunks = [PNGChunks.header(width: 3, height: 4, colorType: colorType)] + before
  if colorType == 3 { png.chunks.append(.init(kind: "PLTE", data: Array(0..<36))) }
  png.chunks += data.map { .init(kind: "IDAT", data: $0) } + [.init(kind: "IEND", data: [])]
  return png
}

/// Rows without a filter, of the smallest indices.
private func rows(_ colorType: UInt8) -> [UInt8] {
  let width = colorType == 2 ? 9 : 3
  return (0..<4).flatMap { (y: Int) -> [UInt8] in
    [0] + (0..<width).map { (x: Int) -> UInt8 in UInt8(y * 3 + x % 3) }
  }
}

@Test("PNGs with more data than they need", arguments: [UInt8(0), 2, 3])
func surplusData(colorType: UInt8) throws {
  let rows = rows(colorType)
  let data = stored(rows)
  let whole = try ImageDecoder.decode(png(colorType, [data]).bytes)
  let row = Array(rows.suffix(rows.count / 4))
  let more: [(String, [[UInt8]])] = [
    ("a byte behind", [data + [0]]), ("chunks behind", [data, [1, 2], []]),
    ("a byte too many", [stored(rows + [7])]), ("a row too many", [stored(rows + row)]),
    ("many rows", [stored(rows + (0..<300).flatMap { _ in row })]),
    ("empty chunks", [[], data, []]), ("chunks of a byte", data.map { [$0] }),
  ]
  for (name, data) in more {
    let file = png(colorType, data).bytes
    #expect(pixels(file, name) == whole)
    if colorType != 2 { #expect(try ImageDecoder.decodeLabels(file).values == Array(0..<12)) }
  }
  // Of the rows and what follows them the checksum must be right, and it must be there.
  for rows in [rows, rows + row] {
    let data = stored(rows)
    var wrong = data
    wrong[data.count - 1] ^= 1
    for bad in [wrong, Array(data.dropLast(4)), Array(data.dropLast())] {
      #expect(fails(png(colorType, [bad]).bytes))
    }
  }
  #expect(fails(png(colorType, [stored(Array(rows.dropLast()))]).bytes))
}

@Test("PNGs whose other chunks are damaged or missing", arguments: [UInt8(0), 2, 3])
func otherChunks(colorType: UInt8) throws {
  let data = stored(rows(colorType))
  let whole = try ImageDecoder.decode(png(colorType, [data]).bytes)
  func changed(
    _ name: String, before: [PNGChunks.Chunk] = [],
    _ change: (inout [PNGChunks.Chunk]) -> Void = { _ in }
  ) {
    var file = png(colorType, [data], before: before)
    change(&file.chunks)
    #expect(pixels(file.bytes, name) == whole)
  }
  changed("no end") { $0.removeLast() }
  changed("damaged end") { $0[$0.count - 1].wrongChecksum = true }
  changed("an end with data") { $0[$0.count - 1].data = [1] }
  changed("a chunk behind") {
    $0[$0.count - 1] = .init(kind: "tEXt", data: [1], wrongChecksum: true)
  }
  changed("damaged text", before: [.init(kind: "tEXt", data: [1, 0], wrongChecksum: true)])
  changed("a gamma of a byte", before: [.init(kind: "gAMA", data: [1])])
  if colorType != 3 { changed("a palette", before: [.init(kind: "PLTE", data: [1, 2, 3])]) }
  let transparency = PNGChunks.Chunk(kind: "tRNS", data: [UInt8](repeating: 7, count: 300))
  changed("transparency twice") {
    $0.insert(contentsOf: [transparency, transparency], at: $0.count - 2)
  }
  // zlib's header claims a window of 256 bytes.
  var small = data
  (small[0], small[1]) = (0x08, 0x1D)
  #expect(pixels(png(colorType, [small]).bytes, "window") == whole)
}

@Test("Numbers without a colour are black in an image, and numbers in a label map")
func shortPalette() throws {
  var file = png(3, [stored(rows(3))])
  file.chunks[1].data = Array(1...9)
  let image = try ImageDecoder.decode(file.bytes)
  #expect(image[2, 0] == RGBColor(red: 7, green: 8, blue: 9))
  #expect(image[0, 1] == RGBColor(red: 0, green: 0, blue: 0))
  #expect(try ImageDecoder.decodeLabels(file.bytes).values == Array(0..<12))
}
