import Dispatch
import Shards
import Synchronization
import Testing

@Suite struct ShardSetTests {
  @Test func imagesOfManyShardsAreOneSequence() throws {
    let scratch = try Scratch()
    let sizes = [3, 0, 5, 1]
    for (shard, rows) in sizes.enumerated() {
      try Sample.writeImages(scratch.file("\(shard).h5"), rows: rows)
    }
    let set = try ImageShardSet(sizes.indices.map { scratch.file("\($0).h5") })
    #expect(set.count == 9)
    #expect(set.height == 6 && set.width == 7)
    let rows = sizes.flatMap { Array(0..<$0) }
    for (index, row) in rows.enumerated() {
      #expect(try set.pixels(index) == Sample.pixels(height: 6, width: 7, row: row))
    }
    var batch = [UInt8](repeating: 0, count: 3 * set.rowBytes)
    try set.read([8, 0, 4], into: &batch)
    #expect(try batch == set.pixels(8) + set.pixels(0) + set.pixels(4))
    #expect(try set.labels("action") == .int32(rows.map { Int32($0) }))
    #expect(try set.names == rows.map { "frame ü \($0).png" })
    #expect(set.labelNames == Sample.labels(rows: 1).map(\.0).sorted())
  }

  @Test func codesOfManyShardsAreOneSequence() throws {
    let scratch = try Scratch()
    try Sample.writeCodes(scratch.file("a.h5"), rows: 2)
    try Sample.writeCodes(scratch.file("b.h5"), rows: 3)
    let set = try CodeShardSet([scratch.file("a.h5"), scratch.file("b.h5")])
    #expect(set.count == 5)
    #expect(set.grid.count == 15 && set.grid.codebookSize == 1024 && set.grid.fingerprint == "f00d")
    #expect(try set.codes(4) == Sample.codes(length: 15, codebook: 1024, row: 2))
    #expect(try set.codes([4, 0]) == set.codes(4) + set.codes(0))
  }

  @Test func shardsThatDoNotFitTogether() throws {
    let scratch = try Scratch()
    try Sample.writeImages(scratch.file("a.h5"))
    try Sample.writeImages(scratch.file("b.h5"), height: 5, width: 7)
    #expect(
      throws: ShardError.disagreement(
        path: scratch.file("b.h5"), other: scratch.file("a.h5"), property: "the size of an image",
        found: "7×5", expected: "7×6")
    ) { try ImageShardSet([scratch.file("a.h5"), scratch.file("b.h5")]) }

    try Sample.writeCodes(scratch.file("c.h5"))
    let others = [
      ("the grid", Sample.codeHeader(height: 5, width: 3)),
      ("n_embed", Sample.codeHeader(codebook: 1025)),
      ("vqgan_fingerprint", Sample.codeHeader(fingerprint: "beef")),
    ]
    for (property, header) in others {
      try Sample.writeCodes(scratch.file("d.h5"), header: header)
      #expect {
        try CodeShardSet([scratch.file("c.h5"), scratch.file("d.h5")])
      } throws: { error in
        guard case .disagreement(_, _, property, _, _) = error as? ShardError else { return false }
        return "\(error)".contains("c.h5") && "\(error)".contains("d.h5")
      }
    }
  }

  /// Rows of two files under one name do not make a set.
  @Test func aShardThatIsReplacedIsNotRead() throws {
    let scratch = try Scratch()
    for name in ["a.h5", "b.h5"] { try Sample.writeImages(scratch.file(name)) }
    let set = try ImageShardSet([scratch.file("a.h5"), scratch.file("b.h5")])
    _ = try set.identity
    try Sample.writeImages(scratch.file("b.h5"))  // the same bytes, another file
    #expect(throws: ShardError.changed(path: scratch.file("b.h5"))) { try set.identity }
  }

  @Test func noRows() throws {
    let scratch = try Scratch()
    try Sample.writeImages(scratch.file("a.h5"), rows: 0)
    #expect(throws: ShardError.noRows(paths: [scratch.file("a.h5")])) {
      try ImageShardSet([scratch.file("a.h5")])
    }
  }

  @Test(arguments: ["none", "4"])
  func manyThreadsReadAtOnce(compression: String) throws {
    let scratch = try Scratch()
    let compression = try #require(ShardCompression(compression))
    let paths = (0..<5).map { scratch.file("\($0).h5") }
    for path in paths { try Sample.writeImages(path, rows: 20, compression: compression) }
    let set = try ImageShardSet(paths)
    let wrong = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: 400) { turn in
      let index = turn * 37 % 100
      if (try? set.pixels(index)) != Sample.pixels(height: 6, width: 7, row: index % 20) {
        wrong.add(1, ordering: .relaxed)
      }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
  }

  /// More shards than may be open at once.
  @Test func moreShardsThanOpenFiles() throws {
    let scratch = try Scratch()
    let paths = (0..<300).map { scratch.file("\($0).h5") }
    let header = Sample.codeHeader(height: 1, width: 1, codebook: 300)
    for (shard, path) in paths.enumerated() {
      let writer = try CodeShardWriter(path, header: header)
      writer.append([Int32(shard)], id: 0, name: "x")
      try writer.finish()
    }
    let set = try CodeShardSet(paths)
    for index in (0..<300).reversed() { #expect(try set.codes(index) == [Int32(index)]) }
  }
}
