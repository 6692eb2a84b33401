import DurableFiles
import Foundation
import Shards
import Testing

/// A file under its final name is complete; unfinished work has another name and is swept away.
@Suite struct PublishingTests {
  @Test func unfinishedShardsLeaveNothing() throws {
    let scratch = try Scratch()
    do {
      let writer = try ImageShardWriter(
        scratch.file("a.h5"), header: Sample.imageHeader(height: 4, width: 4), compression: .none)
      try writer.append(Sample.pixels(height: 4, width: 4, row: 0), id: 0, name: "0")
      #expect(scratch.names.count == 1)
      #expect(scratch.names.allSatisfy { $0.hasPrefix("a.h5.tmp-") })
      withExtendedLifetime(writer) {}
    }
    #expect(scratch.names == [])
    // An open file that has no name would keep its space on the disk.
    let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
    let open = descriptors.compactMap {
      try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
    }
    #expect(!open.contains { $0.hasPrefix(scratch.path) })
  }

  /// The first shard of a run learns from its rows whether to compress; made again, it is told.
  @Test(arguments: [false, true])
  func aShardThatIsMadeAgainHasTheSameBytes(isNoise: Bool) throws {
    let scratch = try Scratch()
    var header = Sample.imageHeader(height: 8, width: 8)
    header.maps = [.segmentation, .depth]
    func write(_ name: String, compressesImages: Bool?) throws -> Bool? {
      let writer = try ImageShardWriter(
        scratch.file(name), header: header, compression: .auto, compressesImages: compressesImages)
      for row in 0..<3 {
        try writer.append(
          writer.encoder.encode(
            Sample.pixels(height: 8, width: 8, row: row, isNoise: isNoise),
            maps: [
              .segmentation: .bytes([UInt8](repeating: 3, count: 64)),
              .depth: .words([UInt16](repeating: 700, count: 64)),
            ], id: Int64(row), name: "\(row)"))
      }
      try writer.settleCompression()
      try writer.finish()
      return writer.compressesImages
    }
    let decided = try write("first.h5", compressesImages: nil)
    #expect(decided == !isNoise)
    _ = try write("again.h5", compressesImages: decided)
    #expect(
      try DurableFile.read(scratch.file("first.h5")) == DurableFile.read(scratch.file("again.h5")))
  }

  @Test func abandonedFilesAreNotShards() throws {
    let scratch = try Scratch()
    let writer = try ImageShardWriter(
      scratch.file("a.h5"), header: Sample.imageHeader(height: 4, width: 4), compression: .none)
    try writer.append(Sample.pixels(height: 4, width: 4, row: 0), id: 0, name: "0")
    let name = try #require(scratch.names.first)
    // What another process would find after this one was killed: a copy of the bytes so far.
    let copy = scratch.file("copy.h5")
    try FileManager.default.copyItem(atPath: scratch.file(name), toPath: copy)
    #expect(!ShardVerification(copy).findings.isEmpty)
    withExtendedLifetime(writer) {}
  }

  @Test func twoWritersOfOneNameBothGiveWholeFiles() throws {
    let scratch = try Scratch()
    let header = Sample.codeHeader()
    let one = try CodeShardWriter(scratch.file("c.h5"), header: header)
    let two = try CodeShardWriter(scratch.file("c.h5"), header: header)
    let row = Sample.codes(length: header.grid.count, codebook: 9, row: 0)
    one.append(row, id: 1, name: "one")
    two.append(row, id: 2, name: "two")
    try one.finish()
    #expect(try CodeShardReader(scratch.file("c.h5")).contents.ids == [1])
    try two.finish()
    #expect(try CodeShardReader(scratch.file("c.h5")).contents.ids == [2])
    #expect(scratch.names == ["c.h5"])
  }

  @Test func impossiblePlaces() throws {
    let scratch = try Scratch()
    let path = scratch.file("missing/a.h5")
    #expect {
      try CodeShardWriter(path, header: Sample.codeHeader())
    } throws: { error in
      guard case .cannotCreate(path, let reason) = error as? ShardError else { return false }
      return reason.contains("No such file or directory")
    }
  }
}

@Suite struct ShardFolderTests {
  private func plan(size: String = "64", samples: Int = 10) -> ShardPlan {
    ShardPlan(
      shards: PlannedShard.cut(series: "revenge-train", samples: 0..<samples, size: 4),
      inputs: (0..<samples).map { PlannedInput(name: "\($0).png", bytes: $0) },
      options: ["size": size, "fit": "pad"])
  }

  /// Writes a planned shard of codes whose odd samples are skipped.
  private func write(_ shard: PlannedShard, into folder: ShardFolder) throws {
    let header = Sample.codeHeader()
    let writer = try CodeShardWriter(folder.path(of: shard), header: header)
    var skipped: [SkippedSample] = []
    for row in shard.samples {
      if row % 2 == 1 {
        skipped.append(SkippedSample(name: "\(row).png", reason: "truncated \"file\""))
      } else {
        writer.append(
          Sample.codes(length: header.grid.count, codebook: 9, row: row), id: Int64(row),
          name: "\(row).png")
      }
    }
    try folder.record(shard, try writer.finish(), skipped: skipped)
  }

  @Test func cutting() {
    let shards = PlannedShard.cut(series: "a", samples: 5..<14, size: 4)
    #expect(shards.map(\.name) == ["a-00000.h5", "a-00001.h5", "a-00002.h5"])
    #expect(shards.map(\.samples) == [5..<9, 9..<13, 13..<14])
    #expect(PlannedShard.cut(series: "a", samples: 3..<3, size: 4).isEmpty)
  }

  @Test func hashesFollowWhatDecides() {
    #expect(plan().hash == plan().hash)
    #expect(plan().hash != plan(size: "65").hash)
    #expect(plan().hash != plan(samples: 11).hash)
  }

  @Test func interruptedRunContinues() throws {
    let scratch = try Scratch()
    let path = scratch.file("out")
    do {
      let folder = try ShardFolder(path, plan: plan())
      #expect(folder.unfinished.map(\.name) == plan().shards.map(\.name))
      for shard in folder.unfinished.prefix(2) { try write(shard, into: folder) }
    }
    // The last one that was finished is cut by somebody, an unfinished one is left by a dead
    // process.
    let cut = try FileHandle(forWritingTo: URL(filePath: "\(path)/revenge-train-00001.h5"))
    try cut.truncate(atOffset: 100)
    try cut.close()
    try Data().write(to: URL(filePath: "\(path)/revenge-train-00002.h5.tmp-999999999-1234abcd"))

    let folder = try ShardFolder(path, plan: plan())
    #expect(folder.unfinished.map(\.name) == ["revenge-train-00001.h5", "revenge-train-00002.h5"])
    for shard in folder.unfinished { try write(shard, into: folder) }
    #expect(folder.unfinished.isEmpty)
    #expect(try folder.writeReport() == 5)
    #expect(
      folder.finishedPaths.map { ($0 as NSString).lastPathComponent } == plan().shards.map(\.name))
    #expect(
      DurableFile.names(in: path)
        == [".lock", "manifest.json"] + plan().shards.map(\.name) + ["skipped.jsonl"])
    let report = try String(contentsOfFile: "\(path)/skipped.jsonl", encoding: .utf8)
    #expect(
      report.split(separator: "\n").first
        == #"{"name":"1.png","reason":"truncated \"file\"","shard":"revenge-train-00000.h5"}"#)
    let manifest = try #require(try ShardManifest.read(in: path))
    #expect(manifest.shards.map(\.rows) == [2, 2, 1])
    #expect(manifest == folder.manifest)
  }

  /// A shard of the right name and length is not taken for the one that was written: by its
  /// SHA-256, in manifests of earlier versions by what is in it.
  @Test(arguments: [true, false])
  func aChangedShardIsNotTaken(hasHashes: Bool) throws {
    let scratch = try Scratch()
    let path = scratch.file("out")
    let shards = plan().shards
    do {
      let folder = try ShardFolder(path, plan: plan())
      for shard in shards { try write(shard, into: folder) }
    }
    if !hasHashes {
      let manifest = "\(path)/manifest.json"
      let text = try String(contentsOfFile: manifest, encoding: .utf8)
      try text.replacing(/\n *"sha256" : "[0-9a-f]*",/, with: "").write(
        toFile: manifest, atomically: true, encoding: .utf8)
    }
    var checks: [ShardCheck] = []
    func unfinished() throws -> [PlannedShard] {
      checks = []
      return try ShardFolder(path, plan: plan(), checking: { checks.append($0) }).unfinished
    }
    #expect(try unfinished() == [])
    let bytes = try shards.reduce(0) { try $0 + DurableFile.read("\(path)/\($1.name)").count }
    #expect(checks.last == .compared(bytes: bytes, of: bytes))
    // One bit, wherever it is: of the header, the rows, the seal.
    let changed = "\(path)/\(shards[1].name)"
    let whole = try DurableFile.read(changed)
    for position in [20, whole.count / 3, whole.count / 2, whole.count - 70, whole.count - 1] {
      var damaged = whole
      damaged[position] ^= 1
      try DurableFile.write(damaged, to: changed)
      #expect(try unfinished() == [shards[1]], "byte \(position) of \(whole.count)")
      #expect(checks.contains(.changed(path: changed)))
    }
    // Two that are whole, but not at home.
    try DurableFile.write(whole, to: changed)
    let first = "\(path)/\(shards[0].name)"
    try DurableFile.write(try DurableFile.read(first), to: changed)
    #expect(try unfinished() == [shards[1]])
    // One that is gone is no surprise.
    try FileManager.default.removeItem(atPath: changed)
    #expect(try unfinished() == [shards[1]])
    #expect(!checks.contains(.changed(path: changed)))
  }

  /// A signal need not wait for gigabytes to be compared.
  @Test func theComparisonCanBeStopped() throws {
    struct Stop: Error {}
    let scratch = try Scratch()
    let path = scratch.file("out")
    do { try write(plan().shards[0], into: try ShardFolder(path, plan: plan())) }
    #expect(throws: Stop.self) {
      try ShardFolder(path, plan: plan()) { _ in throw Stop() }
    }
    #expect(try ShardFolder(path, plan: plan()).unfinished.count == 2)
  }

  @Test func otherOptionsAreRefused() throws {
    let scratch = try Scratch()
    let path = scratch.file("out")
    do {
      let folder = try ShardFolder(path, plan: plan())
      try write(plan().shards[0], into: folder)
    }
    #expect(
      throws: ShardError.optionsDiffer(path: path, option: "size", found: "64", expected: "128")
    ) { try ShardFolder(path, plan: plan(size: "128")) }
    #expect {
      try ShardFolder(path, plan: plan(samples: 9))
    } throws: { error in
      if case .optionsDiffer(path, "inputs", _, _) = error as? ShardError { true } else { false }
    }
    // Unless the refusals changed something, the first plan still fits.
    #expect(try ShardFolder(path, plan: plan()).unfinished.count == 2)
  }

  @Test func aFolderWithoutAShardTakesOtherOptions() throws {
    let scratch = try Scratch()
    let path = scratch.file("out")
    do { _ = try ShardFolder(path, plan: plan()) }
    do {
      let folder = try ShardFolder(path, plan: plan(size: "128"))
      #expect(folder.unfinished.count == 3)
      #expect(try ShardManifest.read(in: path)?.options["size"] == "128")
    }
    // A shard that was published before the manifest knew it counts.
    try Data("x".utf8).write(to: URL(filePath: "\(path)/revenge-train-00000.h5"))
    #expect(throws: ShardError.self) { try ShardFolder(path, plan: plan()) }
  }

  /// Case 32: files of names that the folder would give, but that no run wrote.
  @Test(arguments: [
    "revenge-train-00000.h5", "revenge-train-00002.h5", "skipped.jsonl", "left-out.jsonl",
  ])
  func externalFilesAreNotOverwritten(name: String) throws {
    let scratch = try Scratch()
    let path = scratch.file("out")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let file = URL(filePath: "\(path)/\(name)")
    try Data("mine".utf8).write(to: file)
    #expect(throws: ShardError.externalShard(path: "\(path)/\(name)")) {
      try ShardFolder(path, plan: plan())
    }
    #expect(try Data(contentsOf: file) == Data("mine".utf8))
    #expect(DurableFile.names(in: path) == [".lock", name].sorted())
  }

  /// The same in a folder of an earlier run: its own shards may be there before its manifest
  /// knows, those that it had not begun are somebody else's.
  @Test func externalShardsOfABegunFolderAreNotOverwritten() throws {
    let scratch = try Scratch()
    let path = scratch.file("out")
    let shards = plan().shards
    do {
      let folder = try ShardFolder(path, plan: plan())
      try write(shards[0], into: folder)
      try folder.begin(shards[1])
    }
    try Data("ours".utf8).write(to: URL(filePath: "\(path)/\(shards[1].name)"))
    do {
      let folder = try ShardFolder(path, plan: plan())
      #expect(folder.unfinished == Array(shards[1...]))
      for shard in folder.unfinished {
        try folder.begin(shard)
        try write(shard, into: folder)
      }
      #expect(folder.manifest.begun == nil)
    }
    try FileManager.default.removeItem(atPath: path)
    do { try write(shards[0], into: try ShardFolder(path, plan: plan())) }
    try Data("mine".utf8).write(to: URL(filePath: "\(path)/\(shards[2].name)"))
    #expect(throws: ShardError.externalShard(path: "\(path)/\(shards[2].name)")) {
      try ShardFolder(path, plan: plan())
    }
  }

  @Test func onlyOneProcessWrites() throws {
    let scratch = try Scratch()
    let path = scratch.file("out")
    let folder = try ShardFolder(path, plan: plan())
    #expect(throws: ShardError.file(.busy(path: path))) { try ShardFolder(path, plan: plan()) }
    withExtendedLifetime(folder) {}
  }

  @Test(arguments: ["", "{}", "[1,2]", #"{"format":"other"}"#])
  func damagedManifest(text: String) throws {
    let scratch = try Scratch()
    try Data(text.utf8).write(to: URL(filePath: scratch.file("manifest.json")))
    #expect {
      try ShardFolder(scratch.path, plan: plan())
    } throws: { error in
      if case .malformed = error as? ShardError { true } else { false }
    }
  }
}
