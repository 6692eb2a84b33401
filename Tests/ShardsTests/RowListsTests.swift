import Foundation
import Shards
import Testing

/// Shards with label maps, captions, objects and categories.
@Suite struct RowListsTests {
  static let captions = [["A dog.", "Ein Hund mit Ä\nund 🐕."], [], ["", "x"]]
  static let objects = [
    [],
    [
      ShardObject(
        id: 7, category: 18, x: 0.5, y: 0, width: 3.25, height: 4, visible: 0.75, isCrowd: false),
      ShardObject(
        id: 1 << 40, category: 1, x: 0, y: 0, width: 6, height: 5, visible: 1, isCrowd: true),
    ],
    [ShardObject(id: 9, category: 3, x: 1, y: 2, width: 0, height: 0, visible: 1, isCrowd: false)],
  ]
  static let categories = [
    ShardCategory(id: 1, name: "person", supercategory: "person"),
    ShardCategory(id: 18, name: "Hündchen", supercategory: ""),
  ]

  static func map(_ row: Int) -> [UInt8] { (0..<6 * 7).map { UInt8(($0 / 5 + row * 60) % 183) } }

  static func write(_ path: String, compression: ShardCompression) throws -> FinishedShard {
    var header = Sample.imageHeader(height: 6, width: 7)
    header.maps = [.segmentation]
    let writer = try ImageShardWriter(path, header: header, compression: compression)
    for row in 0..<3 {
      try writer.append(
        writer.encoder.encode(
          Sample.pixels(height: 6, width: 7, row: row), maps: [.segmentation: .bytes(map(row))],
          id: Int64(row),
          name: "\(row)"))
    }
    writer.setLabels("fraction", .float32([0.25, -1, 3e7]))
    writer.setCaptions(captions)
    writer.setObjects(objects)
    writer.setCategories(categories)
    return try writer.finish()
  }

  @Test(arguments: ["none", "auto", "4"])
  func whatIsWrittenIsReadBack(compression: String) throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    _ = try Self.write(path, compression: try #require(ShardCompression(compression)))
    let reader = try ImageShardReader(path)
    #expect(reader.header.maps == [.segmentation])
    for row in 0..<3 {
      #expect(try reader.row(row, .segmentation) == .bytes(Self.map(row)))
      #expect(try reader.pixels(row) == Sample.pixels(height: 6, width: 7, row: row))
    }
    #expect(try reader.contents.captions == Self.captions)
    #expect(try reader.contents.objects == Self.objects)
    #expect(try reader.contents.categories == Self.categories)
    #expect(reader.contents.labelNames == ["fraction"])
    #expect(try reader.contents.labels("fraction") == .float32([0.25, -1, 3e7]))
    #expect(ShardVerification(path).findings.isEmpty)
    let described = try ShardDescription(path).datasets.map(\.name)
    #expect(described.contains("captions/text") && described.contains("objects/box"))
  }

  @Test func shardsWithoutHaveNone() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    try Sample.writeImages(path)
    let reader = try ImageShardReader(path)
    #expect(reader.header.maps == [])
    #expect(try reader.contents.captions == nil)
    #expect(try reader.contents.objects == nil)
    #expect(try reader.contents.categories == nil)
  }

  @Test func codeShardsCarryThemToo() throws {
    let scratch = try Scratch()
    let header = Sample.codeHeader()
    let writer = try CodeShardWriter(scratch.file("c.h5"), header: header)
    for row in 0..<3 {
      writer.append(
        Sample.codes(length: header.grid.count, codebook: 9, row: row), id: 0, name: "\(row)")
    }
    writer.setLists(captions: Self.captions, objects: Self.objects, categories: nil)
    try writer.finish()
    let contents = try ShardContents(scratch.file("c.h5"))
    #expect(try contents.captions == Self.captions)
    #expect(try contents.objects == Self.objects)
    #expect(try contents.categories == nil)
  }

  @Test func theSameRowsGiveTheSameBytes() throws {
    let scratch = try Scratch()
    let paths = ["a.h5", "b.h5"].map { scratch.file($0) }
    for path in paths { _ = try Self.write(path, compression: .level(4)) }
    let bytes = try paths.map { try Data(contentsOf: URL(filePath: $0)) }
    #expect(bytes[0] == bytes[1])
  }

  @Test func emptyListsAreLists() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    let writer = try ImageShardWriter(
      path, header: Sample.imageHeader(height: 2, width: 2), compression: .none)
    for row in 0..<2 {
      try writer.append(Sample.pixels(height: 2, width: 2, row: row), id: 0, name: "")
    }
    writer.setCaptions([[], []])
    writer.setObjects([[], []])
    try writer.finish()
    let contents = try ShardContents(path)
    #expect(try contents.captions == [[], []])
    #expect(try contents.objects == [[], []])
  }

  /// Every byte of the file belongs to something; a change is noticed or changes nothing that is
  /// read.
  @Test func changedBytesAreNoticedOrHarmless() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    _ = try Self.write(path, compression: .none)
    let whole = try Data(contentsOf: URL(filePath: path))
    // The third map as it stands in the file, uncompressed.
    let position = try #require(whole.firstRange(of: Data(Self.map(2))))
    var damaged = whole
    damaged[position.lowerBound + 20] ^= 1
    try damaged.write(to: URL(filePath: path))
    let findings = ShardVerification(path).findings
    guard case .checksumMismatch(path, 2, _, _) = findings.first else {
      Issue.record("\(findings)")
      return
    }
    // The captions' text stands in one chunk with a checksum of the library's own.
    let text = try #require(whole.firstRange(of: Data("Ein Hund".utf8)))
    damaged = whole
    damaged[text.lowerBound] ^= 1
    try damaged.write(to: URL(filePath: path))
    #expect(throws: ShardError.self) { try ShardContents(path).captions }
  }
}
