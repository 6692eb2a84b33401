import Foundation
import Shards
import Testing

/// Folders that are not as their manifests say.
@Suite struct FolderVerificationTests {
  let scratch: Scratch

  init() throws { scratch = try Scratch() }

  /// Three planned shards, of which the first `finished` are there.
  private func fill(_ finished: Int) throws {
    let shards = PlannedShard.cut(series: "a", samples: 0..<6, size: 2)
    let folder = try ShardFolder(
      scratch.path, plan: ShardPlan(shards: shards, inputs: [], options: [:]))
    for (number, shard) in shards.prefix(finished).enumerated() {
      let writer = try ImageShardWriter(
        folder.path(of: shard), header: Sample.imageHeader(height: 6, width: 7),
        compression: .none)
      for row in 0..<2 {
        let id = number * 2 + row
        try writer.append(
          Sample.pixels(height: 6, width: 7, row: id), id: Int64(id), name: "\(id)")
      }
      try folder.record(shard, try writer.finish(), skipped: [])
    }
  }

  private func findings(isPartial: Bool = false) -> [ShardError] {
    FolderVerification(scratch.path, isPartial: isPartial).findings
  }

  private var names: [String] { (0..<3).map { scratch.file("a-0000\($0).h5") } }

  private func forgetHashes() throws {
    let path = scratch.file("manifest.json")
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try text.replacing(/\n *"sha256" : "[0-9a-f]*",/, with: "").write(
      toFile: path, atomically: true, encoding: .utf8)
  }

  @Test func aFolderAsItWasLeft() throws {
    try fill(3)
    #expect(findings().isEmpty)
    try forgetHashes()
    #expect(findings().isEmpty)
  }

  @Test(arguments: [true, false]) func swappedShards(hasHashes: Bool) throws {
    try fill(3)
    if !hasHashes { try forgetHashes() }
    let other = scratch.file("other")
    try FileManager.default.moveItem(atPath: names[0], toPath: other)
    try FileManager.default.moveItem(atPath: names[1], toPath: names[0])
    try FileManager.default.moveItem(atPath: other, toPath: names[1])
    #expect(
      findings() == [
        .otherThanListed(path: names[0], is: hasHashes ? "a-00001.h5" : nil),
        .otherThanListed(path: names[1], is: hasHashes ? "a-00000.h5" : nil),
      ])
  }

  @Test func missingChangedAndUnknownShards() throws {
    try fill(3)
    try FileManager.default.removeItem(atPath: names[1])
    try FileManager.default.copyItem(atPath: names[0], toPath: scratch.file("b.h5"))
    try Data("x".utf8).write(to: URL(filePath: names[2]))
    #expect(
      findings() == [
        .missing(path: names[1]), .otherThanListed(path: names[2], is: nil),
        .notListed(path: scratch.file("b.h5")),
      ])
    #expect(throws: ShardError.missing(path: names[1])) {
      try ShardManifest.requireComplete(scratch.path)
    }
  }

  @Test func aFolderThatIsStillBeingFilled() throws {
    try fill(2)
    let unfinished = ShardError.unfinished(path: scratch.path, finished: 2, planned: 3)
    #expect(findings() == [unfinished])
    #expect(findings(isPartial: true).isEmpty)
    #expect(throws: unfinished) { try ShardManifest.requireComplete(scratch.path) }
    try fill(3)
    try ShardManifest.requireComplete(scratch.path)
  }

  @Test func folderWithoutAManifestOrWithAnotherProgramsOne() throws {
    try ShardManifest.requireComplete(scratch.path)
    #expect(findings().isEmpty)
    try Data("{}".utf8).write(to: URL(filePath: scratch.file("manifest.json")))
    try ShardManifest.requireComplete(scratch.path)
    #expect(findings().count == 1)
  }
}
