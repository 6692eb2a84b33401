import Foundation
import Shards
import Testing

@Suite struct RoundTripTests {
  @Test(arguments: [
    ("none", 1, 1, 1), ("none", 5, 6, 7), ("1", 20, 16, 16), ("12", 3, 1, 64), ("auto", 3, 8, 8),
    ("auto", 40, 8, 24), ("none", 0, 4, 4), ("auto", 0, 4, 4),
  ])
  func images(compression: String, rows: Int, height: Int, width: Int) throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    let compression = try #require(ShardCompression(compression))
    let finished = try Sample.writeImages(
      path, rows: rows, height: height, width: width, compression: compression)
    #expect(finished.rows == rows)
    #expect(scratch.names == ["a.h5"])

    let reader = try ImageShardReader(path)
    #expect(reader.header == Sample.imageHeader(height: height, width: width))
    #expect(reader.count == rows)
    for row in (0..<rows).reversed() {
      #expect(try reader.pixels(row) == Sample.pixels(height: height, width: width, row: row))
    }
    #expect(try reader.contents.ids == (0..<rows).map { Int64($0 * 10) })
    #expect(try reader.contents.names == (0..<rows).map { "frame ü \($0).png" })
    let labels = Sample.labels(rows: rows)
    #expect(reader.contents.labelNames == labels.map(\.0).sorted())
    for (name, column) in labels { #expect(try reader.contents.labels(name) == column) }
  }

  @Test(arguments: [(1, 1, 1), (4, 8, 1024), (2, 3, 65_536), (2, 3, 65_537), (0, 2, 2)])
  func codes(rows: Int, side: Int, codebook: Int) throws {
    let scratch = try Scratch()
    let path = scratch.file("c.h5")
    let header = Sample.codeHeader(height: side, width: side + 1, codebook: codebook)
    try Sample.writeCodes(path, rows: rows, header: header)
    let reader = try CodeShardReader(path)
    #expect(reader.header == header)
    #expect(reader.count == rows)
    for row in 0..<rows {
      let expected = Sample.codes(length: header.grid.count, codebook: codebook, row: row)
      #expect(try reader.codes(row) == expected)
    }
    for (name, column) in Sample.labels(rows: rows) {
      #expect(try reader.contents.labels(name) == column)
    }
  }

  /// Copying the labels from images to codes is one loop.
  @Test func labelsCopy() throws {
    let scratch = try Scratch()
    try Sample.writeImages(scratch.file("a.h5"), rows: 4)
    let images = try ImageShardReader(scratch.file("a.h5")).contents
    let header = Sample.codeHeader()
    let writer = try CodeShardWriter(scratch.file("c.h5"), header: header)
    let names = try images.names
    for (row, id) in try images.ids.enumerated() {
      writer.append(
        Sample.codes(length: header.grid.count, codebook: 9, row: row), id: id, name: names[row])
    }
    for name in images.labelNames { writer.setLabels(name, try images.labels(name)) }
    try writer.finish()
    let codes = try CodeShardReader(scratch.file("c.h5")).contents
    #expect(codes.labelNames == images.labelNames)
    #expect(try codes.ids == images.ids)
    for name in images.labelNames { #expect(try codes.labels(name) == images.labels(name)) }
  }

  @Test func automaticCompressionFollowsTheContent() throws {
    let scratch = try Scratch()
    let smooth = try Sample.writeImages(
      scratch.file("smooth.h5"), rows: 30, height: 32, width: 32, compression: .auto)
    let noise = try Sample.writeImages(
      scratch.file("noise.h5"), rows: 30, height: 32, width: 32, compression: .auto, isNoise: true)
    let plain = try Sample.writeImages(
      scratch.file("plain.h5"), rows: 30, height: 32, width: 32, isNoise: true)
    #expect(smooth.bytes < 30 * 32 * 32 * 3 / 2)
    #expect(noise.bytes == plain.bytes)
    #expect(
      try Data(contentsOf: URL(filePath: scratch.file("noise.h5")))
        == Data(contentsOf: URL(filePath: scratch.file("plain.h5"))))
  }

  /// Rows that do not shrink are stored as they are, with the filter masked out.
  @Test func incompressibleRows() throws {
    let scratch = try Scratch()
    try Sample.writeImages(
      scratch.file("a.h5"), rows: 3, height: 16, width: 16, compression: .level(6), isNoise: true)
    let reader = try ImageShardReader(scratch.file("a.h5"))
    for row in 0..<3 {
      #expect(
        try reader.pixels(row) == Sample.pixels(height: 16, width: 16, row: row, isNoise: true))
    }
  }

  @Test(arguments: ["none", "4", "auto"])
  func bytesDoNotDependOnThreads(compression: String) throws {
    let scratch = try Scratch()
    let compression = try #require(ShardCompression(compression))
    var files: [Data] = []
    for threads in [1, 2, 7] {
      let path = scratch.file("\(threads).h5")
      try Sample.writeImages(
        path, rows: 70, height: 16, width: 20, compression: compression, threads: threads)
      files.append(try Data(contentsOf: URL(filePath: path)))
    }
    #expect(files[0] == files[1])
    #expect(files[0] == files[2])
  }

  @Test func levels() {
    #expect(ShardCompression("none") == ShardCompression.none)
    #expect(ShardCompression("auto") == .auto)
    #expect(ShardCompression("1") == .level(1))
    #expect(ShardCompression("12") == .level(12))
    for text in ["", "0", "13", "-1", "fast", "1.5"] { #expect(ShardCompression(text) == nil) }
  }
}
