import DurableFiles
import Foundation
import Shards

/// A folder of its own for one test, removed at the end of its scope.
final class Scratch {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/shards-tests-" + UUID().uuidString
    try DurableFile.createFolder(path)
  }

  deinit { DurableFile.remove(path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  var names: [String] { DurableFile.names(in: path) }
}

enum Sample {
  static func imageHeader(height: Int, width: Int) -> ImageShardHeader {
    ImageShardHeader(
      height: height, width: width, source: "test", split: "train",
      preprocessing: #"{"size":[\#(height),\#(width)]}"#, toolVersion: "1.0.0")
  }

  static func codeHeader(
    height: Int = 3, width: Int = 5, codebook: Int = 1024, fingerprint: String = "f00d"
  ) -> CodeShardHeader {
    CodeShardHeader(
      grid: CodeGrid(
        height: height, width: width, codebookSize: codebook, fingerprint: fingerprint),
      sourceShards: ["a-00000.h5", "a-00001.h5"], source: "test", split: "train",
      toolVersion: "1.0.0")
  }

  /// Smooth images compress well, noise does not.
  static func pixels(height: Int, width: Int, row: Int, isNoise: Bool = false) -> [UInt8] {
    var state = UInt64(row &+ 1) &* 0x9E37_79B9_7F4A_7C15
    return (0..<height * width * 3).map { index in
      guard isNoise else { return UInt8(truncatingIfNeeded: index / 24 + row) }
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt8(truncatingIfNeeded: state >> 33)
    }
  }

  static func codes(length: Int, codebook: Int, row: Int) -> [Int32] {
    (0..<length).map { Int32(($0 * 7919 + row * 104_729 + codebook - 1) % codebook) }
  }

  /// The labels of the Atari corpus, one of every column type but two.
  static func labels(rows: Int) -> [(String, ShardColumn)] {
    [
      ("trajectory", .int64((0..<rows).map { Int64($0) << 33 })),
      ("action", .int32((0..<rows).map { Int32($0 % 18) })),
      ("terminal", .bool((0..<rows).map { $0 % 3 == 0 })),
      ("room", .string((0..<rows).map { "Raum \($0) ä" })),
      ("lives", .uint8((0..<rows).map { UInt8($0 % 6) })),
    ]
  }

  @discardableResult
  static func writeImages(
    _ path: String, rows: Int = 5, height: Int = 6, width: Int = 7,
    compression: ShardCompression = .none, threads: Int = 1, isNoise: Bool = false
  ) throws -> FinishedShard {
    let writer = try ImageShardWriter(
      path, header: imageHeader(height: height, width: width), compression: compression)
    let encoder = writer.encoder
    try inOrder(count: rows, threads: threads) { row in
      encoder.encode(
        pixels(height: height, width: width, row: row, isNoise: isNoise), id: Int64(row * 10),
        name: "frame ü \(row).png")
    } consume: { _, row in
      try writer.append(row)
    }
    for (name, column) in labels(rows: rows) { writer.setLabels(name, column) }
    return try writer.finish()
  }

  @discardableResult
  static func writeCodes(
    _ path: String, rows: Int = 4, header: CodeShardHeader = codeHeader()
  ) throws -> FinishedShard {
    let writer = try CodeShardWriter(path, header: header)
    for row in 0..<rows {
      writer.append(
        codes(length: header.grid.count, codebook: header.grid.codebookSize, row: row),
        id: Int64(row * 10), name: "frame ü \(row).png")
    }
    for (name, column) in labels(rows: rows) { writer.setLabels(name, column) }
    return try writer.finish()
  }
}
