import Shards
import Testing

@Suite struct ShardDescriptionTests {
  @Test func images() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    let finished = try Sample.writeImages(
      path, rows: 5, height: 16, width: 24, compression: .level(4))
    let shard = try ShardDescription(path)
    #expect(shard.format == "vqgan-images")
    #expect(shard.rows == 5)
    #expect(shard.fileBytes == finished.bytes)
    #expect(
      shard.attributes == [
        "format": "vqgan-images", "format_version": "2", "tool_version": "1.0.0", "source": "test",
        "split": "train", "preprocessing": #"{"size":[16,24]}"#, "complete": "1",
      ])
    let images = try #require(shard.datasets.first { $0.name == "images" })
    #expect(images.type == "uint8")
    #expect(images.shape == [5, 16, 24, 3])
    #expect(images.storage == "chunks of 1×16×24×3, gzip")
    #expect(images.storedBytes > 0 && images.storedBytes < 5 * 16 * 24 * 3)
    #expect(
      Dictionary(uniqueKeysWithValues: shard.datasets.map { ($0.name, $0.type) }) == [
        "images": "uint8", "id": "int64", "name": "string", "crc32c": "uint32",
        "trajectory": "int64", "action": "int32", "terminal": "bool", "room": "string",
        "lives": "uint8",
      ])
  }

  @Test func codes() throws {
    let scratch = try Scratch()
    let path = scratch.file("c.h5")
    try Sample.writeCodes(path, rows: 4)
    let shard = try ShardDescription(path)
    #expect(shard.attributes["source_shards"] == "a-00000.h5, a-00001.h5")
    #expect(shard.attributes["n_embed"] == "1024")
    let codes = try #require(shard.datasets.first { $0.name == "codes" })
    #expect(codes.type == "uint16" && codes.shape == [4, 15] && codes.storage == "contiguous")
  }

  @Test func damagedShardsAreNotDescribed() throws {
    let scratch = try Scratch()
    let path = scratch.file("a.h5")
    try Sample.writeImages(path)
    try alter(path) { try setAttribute($0, "format_version", to: Int64(9)) }
    #expect(throws: ShardError.unsupportedVersion(path: path, found: 9, newest: 2)) {
      try ShardDescription(path)
    }
  }
}
