import CHDF5
import Foundation
import Glibc
import Shards
import Testing

/// What a damaged or external file gives: an error that names the position, never a trap and never
/// wrong pixels.
@Suite struct BadInputTests {
  let scratch: Scratch
  let path: String

  init() throws {
    scratch = try Scratch()
    path = scratch.file("a.h5")
  }

  private func expectFailure(
    _ matches: (ShardError) -> Bool, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let findings = ShardVerification(path).findings
    let isFound = findings.contains(where: matches)
    #expect(isFound, "\(findings)", sourceLocation: sourceLocation)
    for finding in findings {
      #expect("\(finding)".contains(path), "\(finding)", sourceLocation: sourceLocation)
    }
  }

  @Test func missingFile() {
    #expect(throws: ShardError.missing(path: path)) { try ImageShardReader(path) }
    #expect(throws: ShardError.missing(path: path)) { try ImageShardSet([path]) }
    #expect(throws: ShardError.noRows(paths: [])) { try CodeShardSet([]) }
  }

  @Test(.timeLimit(.minutes(30))) func notAFile() throws {
    #expect(throws: ShardError.notAShard(path: scratch.path, reason: "not a regular file")) {
      try ImageShardReader(scratch.path)
    }
    // A pipe without a writer must not make the reader wait.
    #expect(mkfifo(path, 0o600) == 0)
    #expect(throws: ShardError.notAShard(path: path, reason: "not a regular file")) {
      try ImageShardReader(path)
    }
  }

  @Test(arguments: ["", "hello", String(repeating: "<html>", count: 2000)])
  func notHDF5(text: String) throws {
    try Data(text.utf8).write(to: URL(filePath: path))
    expectFailure { if case .notAShard = $0 { true } else { false } }
  }

  @Test(arguments: ["none", "4"])
  func truncatedAnywhere(compression: String) throws {
    try Sample.writeImages(
      path, rows: 6, height: 24, width: 24, compression: try #require(ShardCompression(compression))
    )
    let whole = try Data(contentsOf: URL(filePath: path))
    for length in Array(stride(from: 0, to: whole.count, by: 997)) + [whole.count - 1] {
      try whole.prefix(length).write(to: URL(filePath: path))
      #expect(!ShardVerification(path).findings.isEmpty, "\(length) of \(whole.count) bytes")
    }
  }

  @Test(arguments: ["none", "4"])
  func flippedBitInPixels(compression: String) throws {
    try Sample.writeImages(
      path, rows: 3, height: 32, width: 32, compression: try #require(ShardCompression(compression))
    )
    var bytes = try Data(contentsOf: URL(filePath: path))
    // The second row, where it stands in the file: as it is, or as the bytes that follow zlib's
    // header.
    let row = Data(Sample.pixels(height: 32, width: 32, row: 1))
    let start: Int
    if compression == "none" {
      start = try #require(bytes.range(of: row)).lowerBound + 1000
    } else {
      start = try #require(bytes.range(of: Data([0x78, 0x5E]))).lowerBound + 20
    }
    bytes[start] ^= 0x10
    try bytes.write(to: URL(filePath: path))
    expectFailure {
      switch $0 {
      case .checksumMismatch(path, 1, _, _): compression == "none"
      case .unreadable(path, _, _): compression != "none"
      default: false
      }
    }
  }

  @Test func flippedBitInCodes() throws {
    try Sample.writeCodes(path, rows: 2, header: Sample.codeHeader(height: 8, width: 8))
    var bytes = try Data(contentsOf: URL(filePath: path))
    let codes = Sample.codes(length: 64, codebook: 1024, row: 1).map { UInt16($0) }
    let row = codes.withUnsafeBytes { Data($0) }
    bytes[try #require(bytes.range(of: row)).lowerBound] ^= 1
    try bytes.write(to: URL(filePath: path))
    expectFailure { if case .checksumMismatch(path, 1, _, _) = $0 { true } else { false } }
  }

  @Test(arguments: ["id", "trajectory", "action", "lives", "crc32c"])
  func flippedBitInAColumn(name: String) throws {
    try Sample.writeImages(path, rows: 9)
    try alter(path) { _ in }
    let contents = try ShardContents(path)
    let values: Data
    switch name {
    case "id": values = try contents.ids.withUnsafeBytes { Data($0) }
    case "crc32c": values = (contents.checksums ?? []).withUnsafeBytes { Data($0) }
    default:
      switch try contents.labels(name) {
      case .int64(let numbers): values = numbers.withUnsafeBytes { Data($0) }
      case .int32(let numbers): values = numbers.withUnsafeBytes { Data($0) }
      case .uint8(let numbers): values = Data(numbers)
      default: values = Data()
      }
    }
    var bytes = try Data(contentsOf: URL(filePath: path))
    bytes[try #require(bytes.range(of: values)).lowerBound + 3] ^= 4
    try bytes.write(to: URL(filePath: path))
    expectFailure { if case .unreadable(path, "/\(name)", _) = $0 { true } else { false } }
  }

  @Test func codeOutOfRange() throws {
    try Sample.writeCodes(path, rows: 2)
    try alter(path) { try setAttribute($0, "n_embed", to: Int64(1000)) }
    expectFailure {
      guard case .codeOutOfRange(path, _, _, let code, 1000) = $0 else { return false }
      return code >= 1000
    }
  }

  @Test(arguments: [
    "format", "format_version", "complete",
  ])
  func missingAttribute(name: String) throws {
    try Sample.writeImages(path)
    try alter(path) { H5Adelete($0, name) }
    expectFailure {
      switch $0 {
      case .notAShard: name == "format"
      case .incomplete: name == "complete"
      case .missingItem(_, let item): item.contains(name)
      default: false
      }
    }
  }

  @Test(arguments: ["grid_height", "grid_width", "n_embed", "vqgan_fingerprint"])
  func missingCodeAttribute(name: String) throws {
    try Sample.writeCodes(path)
    try alter(path) { H5Adelete($0, name) }
    expectFailure { $0 == .missingItem(path: path, item: "attribute `\(name)`") }
  }

  @Test func missingDataset() throws {
    try Sample.writeImages(path)
    try alter(path) { H5Ldelete($0, "images", 0) }
    expectFailure { $0 == .missingItem(path: path, item: "/images") }
  }

  @Test func notFinished() throws {
    try Sample.writeImages(path)
    try alter(path) { try setAttribute($0, "complete", to: Int64(0)) }
    expectFailure { $0 == .incomplete(path: path) }
  }

  @Test func foreignFormats() throws {
    try Sample.writeImages(path)
    #expect(
      throws: ShardError.wrongKind(path: path, found: "vqgan-images", expected: "vqgan-codes")
    ) { try CodeShardReader(path) }
    try alter(path) { try setAttribute($0, "format_version", to: Int64(3)) }
    expectFailure { $0 == .unsupportedVersion(path: path, found: 3, newest: 2) }
    try alter(path) { try setAttribute($0, "format_version", to: Int64(2)) }
    expectFailure { $0 == .noSeal(path: path) }
    try alter(path) { try setAttribute($0, "format", to: "something else") }
    expectFailure { if case .notAShard = $0 { true } else { false } }
    try alter(path) { try setAttribute($0, "format", to: Int64(1)) }
    expectFailure { if case .malformed = $0 { true } else { false } }
  }

  @Test(arguments: [
    ("grid_height", 0), ("grid_height", -1), ("grid_width", 4), ("grid_width", Int64.max),
    ("grid_height", 60_000), ("n_embed", 0), ("n_embed", Int64.max), ("n_embed", 70_000),
  ])
  func impossibleNumbers(name: String, value: Int64) throws {
    try Sample.writeCodes(path)
    try alter(path) { try setAttribute($0, name, to: value) }
    expectFailure { if case .malformed = $0 { true } else { false } }
  }

  @Test func wrongTypesAndShapes() throws {
    let cases: [(String, hid_t, [Int])] = [
      ("images", chdf5_file_uint16(), [5, 6, 7, 3]), ("images", chdf5_file_int8(), [5, 6, 7, 3]),
      ("images", chdf5_file_uint8(), [4, 6, 7, 3]), ("images", chdf5_file_uint8(), [5, 6, 7]),
      ("images", chdf5_file_uint8(), [5, 6, 7, 1]), ("images", chdf5_file_uint8(), [5]),
      ("id", chdf5_file_int32(), [5]), ("id", chdf5_file_int64(), [4]),
      ("id", chdf5_file_int64(), [5, 1]), ("crc32c", chdf5_file_int32(), [5]),
      ("crc32c", chdf5_file_uint32(), [6]), ("crc32c", chdf5_file_uint32(), [5, 1]),
      ("name", chdf5_file_int64(), [5]), ("action", chdf5_file_int32(), [6]),
    ]
    for (name, type, shape) in cases {
      try Sample.writeImages(path)
      try alter(path) { try replaceDataset($0, name, type: type, shape: shape) }
      let findings = ShardVerification(path).findings
      #expect(
        findings.contains { if case .malformed = $0 { true } else { false } },
        "\(name) \(shape): \(findings)")
    }
  }

  @Test func linksElsewhere() throws {
    try Sample.writeImages(path)
    try alter(path) { H5Lcreate_soft("/images", $0, "alias", 0, 0) }
    expectFailure { $0 == .externalLink(path: path, item: "/alias", kind: "a soft link") }
    try Sample.writeImages(path)
    try alter(path) {
      H5Ldelete($0, "images", 0)
      H5Lcreate_external("/etc/passwd", "/images", $0, "images", 0, 0)
    }
    expectFailure { $0 == .externalLink(path: path, item: "/images", kind: "an external link") }
  }

  @Test func externalStorage() throws {
    try Sample.writeImages(path)
    try alter(path) { file in
      H5Ldelete(file, "images", 0)
      let space = H5Screate_simple(4, [5, 6, 7, 3], nil)
      let list = H5Pcreate(chdf5_dataset_create())
      H5Pset_external(list, "/etc/passwd", 0, 630)
      let dataset = H5Dcreate2(file, "images", chdf5_file_uint8(), space, 0, list, 0)
      #expect(dataset >= 0)
      H5Dclose(dataset)
      H5Pclose(list)
      H5Sclose(space)
    }
    expectFailure { if case .externalLink(path, "/images", _) = $0 { true } else { false } }
  }

  /// A claim of 2^60 rows, none of which is in the file, must fail before memory is asked for.
  @Test func hugeShapes() throws {
    for shape: [UInt] in [
      [1 << 60, 6, 7, 3], [1 << 40, 6, 7, 3], [1 << 62, 1 << 62, 1 << 62, 3],
    ] {
      try Sample.writeImages(path)
      try alter(path) { file in
        for (name, type, rank) in [
          ("images", chdf5_file_uint8(), 4), ("crc32c", chdf5_file_uint32(), 1),
          ("id", chdf5_file_int64(), 1),
        ] {
          H5Ldelete(file, name, 0)
          let extent = shape.prefix(rank).map { hsize_t($0) }
          let space = H5Screate_simple(Int32(rank), extent, nil)
          let list = H5Pcreate(chdf5_dataset_create())
          H5Pset_chunk(list, Int32(rank), [1, 6, 7, 3])
          H5Dclose(H5Dcreate2(file, name, type, space, 0, list, 0))
          H5Pclose(list)
          H5Sclose(space)
        }
      }
      expectFailure { if case .malformed = $0 { true } else { false } }
    }
  }

  @Test func missingChunk() throws {
    try Sample.writeImages(path)
    try alter(path) { file in
      let dataset = H5Dopen2(file, "images", 0)
      // Cutting the last row off and adding it again leaves a hole.
      #expect(H5Dset_extent(dataset, [4, 6, 7, 3]) >= 0)
      #expect(H5Dset_extent(dataset, [5, 6, 7, 3]) >= 0)
      H5Dclose(dataset)
    }
    expectFailure { if case .unreadable(path, "/images[4]", _) = $0 { true } else { false } }
  }

  @Test func textThatIsNotUTF8() throws {
    try Sample.writeImages(path)
    try alter(path) { _ in }
    var bytes = try Data(contentsOf: URL(filePath: path))
    let name = try #require(bytes.range(of: Data("ü 3.png".utf8)))
    bytes[name.lowerBound] = 0xFF
    try bytes.write(to: URL(filePath: path))
    expectFailure { if case .malformed(path, "/name[3]", _, _) = $0 { true } else { false } }
  }
}
