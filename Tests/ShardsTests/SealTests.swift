import Foundation
import Shards
import TestSupport
import Testing

/// Damage that HDF5 does not notice, and damage that kills libhdf5.
@Suite struct SealTests {
  let scratch: Scratch
  let path: String

  init() throws {
    scratch = try Scratch()
    path = scratch.file("a.h5")
  }

  private func findings(in bytes: Data) throws -> [ShardError] {
    try bytes.write(to: URL(filePath: path))
    return ShardVerification(path).findings
  }

  /// A shard with everything that shards of COCO have.
  private func photos() throws -> Data {
    let object = ShardObject(
      id: 7, category: 1, x: 1, y: 2, width: 3, height: 4, visible: 1, isCrowd: false)
    let writer = try ImageShardWriter(
      path, header: Sample.imageHeader(height: 6, width: 7), compression: .none)
    for row in 0..<3 {
      try writer.append(
        Sample.pixels(height: 6, width: 7, row: row), id: Int64(row), name: "\(row).jpg")
    }
    writer.setLabels("room", .string(["a", "b", ""]))
    writer.setCaptions([["one", "two"], [], ["three"]])
    writer.setObjects([[object], [object, object], []])
    writer.setCategories([ShardCategory(id: 1, name: "cat", supercategory: "animal")])
    try writer.finish()
    return try Data(contentsOf: URL(filePath: path))
  }

  @Test func anyChangedByteIsFound() throws {
    for (name, whole) in [("images", try photos()), ("codes", try codes())] {
      for position in stride(from: 3, to: whole.count, by: 31) {
        var bytes = whole
        bytes[position] ^= 1 << UInt8(position % 8)
        #expect(try !findings(in: bytes).isEmpty, "byte \(position) of the \(name)")
      }
    }
  }

  private func codes() throws -> Data {
    try Sample.writeCodes(path)
    return try Data(contentsOf: URL(filePath: path))
  }

  @Test func anyZeroedSectorIsFound() throws {
    let whole = try photos()
    for start in stride(from: 0, to: whole.count, by: 512) {
      var bytes = whole
      let end = min(start + 512, whole.count)
      bytes.replaceSubrange(start..<end, with: Data(count: end - start))
      if bytes == whole { continue }
      #expect(try !findings(in: bytes).isEmpty, "sector at \(start)")
    }
  }

  @Test func bytesBehindTheSealAreFound() throws {
    #expect(try findings(in: try photos() + Data([0])) == [.noSeal(path: path)])
  }

  @Test("A seal that claims other rows or lengths", arguments: [8, 16, 24, 32, 71, 79])
  func aFalseSealIsFound(fromTheEnd: Int) throws {
    for value: UInt8 in [0, 1, 0x7F, 0xFF] {
      var bytes = try photos()
      let position = bytes.count - fromTheEnd
      if bytes[position] == value { continue }
      bytes[position] = value
      let found = try findings(in: bytes)
      #expect(found == [.brokenSeal(path: path)] || found == [.noSeal(path: path)], "\(found)")
    }
  }

  @Test func rowsAreFoundByTheirOwnChecksum() throws {
    var bytes = try photos()
    let row = Data(Sample.pixels(height: 6, width: 7, row: 1))
    bytes[try #require(bytes.range(of: row)).lowerBound] ^= 1
    let found = try findings(in: bytes)
    guard case .checksumMismatch(path, 1, _, _)? = found.first else {
      Issue.record("\(found)")
      return
    }
  }

  @Test func earlierVersionsAreRead() throws {
    _ = try photos()
    try alter(path) { _ in }
    #expect(ShardVerification(path).findings.isEmpty)
    #expect(try ImageShardReader(path).contents.names == ["0.jpg", "1.jpg", "2.jpg"])
  }

  // MARK: Version 1

  @Test(
    "Damage that kills libhdf5 1.10.8",
    arguments: ["hang-two-bytes", "crash-one-bit-2205", "sector-zeroed-coco-90112"])
  func deadlyFiles(name: String) throws {
    let path = Fixture.path("damaged-shards/\(name).h5")
    let began = ContinuousClock.now
    #expect(throws: ShardError.self) { try ImageShardReader(path) }
    #expect(ContinuousClock.now - began < .seconds(5))
  }

  @Test func silentDamage() throws {
    let zeros = Fixture.path("damaged-shards/silent-zeroed-id.h5")
    guard
      case .malformed(zeros, "/id[1]", "0, as /id[0]", _)? = ShardVerification(zeros).findings.first
    else {
      Issue.record("\(ShardVerification(zeros).findings)")
      return
    }
    let split = Fixture.path("damaged-shards/silent-split-bit.h5")
    #expect(
      throws: ShardError.malformed(
        path: split, item: "attribute `split`", found: "\"walidation\"",
        expected: "train, validation, samples")
    ) { try CodeShardReader(split) }
  }

  @Test("Changed lengths of texts end in an error or in texts, never in a crash")
  func changedTextHeaps() throws {
    _ = try photos()
    try alter(path) { _ in }
    let whole = try Data(contentsOf: URL(filePath: path))
    var start = whole.startIndex
    while let heap = whole.range(of: Data("GCOL".utf8), in: start..<whole.endIndex) {
      for position in [8, 9, 16, 24, 25, 30, 31, 47] {
        for value: UInt8 in [0, 0xFF] {
          var bytes = whole
          bytes[heap.lowerBound + position] = value
          _ = try findings(in: bytes)
        }
      }
      start = heap.upperBound
    }
  }
}
