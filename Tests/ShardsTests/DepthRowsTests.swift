import Foundation
import RowMaps
import Shards
import Testing

/// Shards with depth maps.
@Suite struct DepthRowsTests {
  static func map(_ row: Int) -> [UInt16] {
    (0..<6 * 7).map { UInt16(truncatingIfNeeded: $0 * 1571 + row * 40_503) }
  }

  static func write(_ path: String, compression: ShardCompression) throws {
    var header = Sample.imageHeader(height: 6, width: 7)
    header.maps = [.segmentation, .depth]
    let writer = try ImageShardWriter(path, header: header, compression: compression)
    for row in 0..<3 {
      try writer.append(
        writer.encoder.encode(
          Sample.pixels(height: 6, width: 7, row: row),
          maps: [.segmentation: .bytes(RowListsTests.map(row)), .depth: .words(map(row))],
          id: Int64(row), name: "\(row)"))
    }
    try writer.finish()
  }

  @Test(arguments: ["none", "auto", "4"])
  func whatIsWrittenIsReadBack(compression: String) throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    try Self.write(path, compression: try #require(ShardCompression(compression)))
    let reader = try ImageShardReader(path)
    #expect(reader.header.maps == [.segmentation, .depth])
    let set = try ImageShardSet([path])
    for row in 0..<3 {
      #expect(try reader.row(row, .depth) == .words(Self.map(row)))
      #expect(try set.row(row, .depth) == .words(Self.map(row)))
      #expect(try reader.row(row, .segmentation) == .bytes(RowListsTests.map(row)))
    }
    #expect(reader.contents.labelNames == [])
    #expect(ShardVerification(path).findings.isEmpty)
    let depth = try #require(ShardDescription(path).datasets.first { $0.name == "depth" })
    #expect(depth.type == "uint16" && depth.shape == [3, 6, 7])
  }

  @Test func aChangedMapIsFound() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    try Self.write(path, compression: .none)
    var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let row = Data(Self.map(1).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] })
    let position = try #require(bytes.range(of: row))
    bytes[position.lowerBound + 20] ^= 1
    try bytes.write(to: URL(fileURLWithPath: path))
    let findings = ShardVerification(path).findings
    #expect(findings.count == 1)
    guard case .checksumMismatch(_, 1, _, _) = findings.first else {
      Issue.record("\(findings)")
      return
    }
  }

  @Test func shardsWithoutHaveNone() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    try Sample.writeImages(path)
    for map in [RowMap.depth, .segmentation] {
      let error = ShardError.noMaps(path: path, map: map)
      #expect(throws: error) { try ImageShardSet([path]).row(0, map) }
      #expect(throws: error) { try ImageShardSet([path]).require(map) }
    }
    #expect(try ImageShardSet([path]).row(0, .images) == .bytes(ImageShardReader(path).pixels(0)))
  }
}
