import CHDF5
import Foundation
import Shards
import Testing

/// What a shard of another program may lack.
@Suite struct OptionalItemsTests {
  let scratch: Scratch
  let path: String

  init() throws {
    scratch = try Scratch()
    path = scratch.file("a.h5")
  }

  @Test func anImageShardNeedsImagesAndThreeAttributes() throws {
    try Sample.writeImages(path)
    try alter(path) { file in
      for name in ["tool_version", "source", "split", "preprocessing"] { H5Adelete(file, name) }
      for name in ["id", "name", "crc32c", "room"] { H5Ldelete(file, name, 0) }
    }
    #expect(ShardVerification(path).findings.isEmpty)
    let reader = try ImageShardReader(path)
    #expect(try reader.contents.ids == [0, 1, 2, 3, 4])
    #expect(try reader.contents.names == ["0", "1", "2", "3", "4"])
    #expect(reader.contents.split == "train" && reader.contents.checksums == nil)
    #expect(try reader.pixels(4) == Sample.pixels(height: 6, width: 7, row: 4))
  }

  @Test func aCodeShardNeedsItsGridToo() throws {
    try Sample.writeCodes(path)
    try alter(path) { file in
      for name in ["tool_version", "source", "split", "source_shards"] { H5Adelete(file, name) }
      for name in ["id", "name", "crc32c"] { H5Ldelete(file, name, 0) }
    }
    let reader = try CodeShardReader(path)
    #expect(try reader.codes(3) == Sample.codes(length: 15, codebook: 1024, row: 3))
    #expect(reader.header.sourceShards.isEmpty)
  }

  @Test("What is there must be right", arguments: ["id", "name", "crc32c"])
  func aColumnOfOtherLength(name: String) throws {
    try Sample.writeImages(path)
    try alter(path) { try replaceDataset($0, name, type: chdf5_file_float32(), shape: [5]) }
    #expect(throws: ShardError.self) { try ImageShardReader(path) }
  }
}
