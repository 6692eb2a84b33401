// Code shards to image shards and PNGs.
import Foundation
import Images
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Decoding of code shards") struct DecodingTests {
  private struct Stop: Error {}

  private func decoder(
    _ sample: EncodingSample, _ format: DecodingFormat, stage: FirstStage? = nil
  ) throws -> DatasetDecoder {
    let stage = stage ?? sample.stage
    let plan = try DecodingPlan(
      ["a.h5", "b.h5"].map { sample.folder("codes/\($0)") }, for: stage, as: format)
    return DatasetDecoder(plan, stage: stage, batchSize: 2, toolVersion: "1")
  }

  private func files(_ sample: EncodingSample, _ folder: String) throws -> [String: Data] {
    var found: [String: Data] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: sample.folder(folder))
    where !name.hasPrefix(".") {
      found[name] = try Data(contentsOf: URL(fileURLWithPath: sample.folder("\(folder)/\(name)")))
    }
    return found
  }

  @Test func decodedCodesAreTheReconstructionsWithTheirLabels() throws {
    let sample = try EncodingSample()
    _ = try sample.encode(batchSize: 2)
    let made = try decoder(sample, .shards).writeShards(in: sample.folder("S")) { _ in }
    #expect(made.shards.map(\.rows) == [5, 3])
    let reconstructor = try Reconstructor(sample.stage, on: .default)
    for (source, shard) in zip(sample.paths, made.shards) {
      let (images, decoded) = (try ImageShardReader(source), try ImageShardReader(shard.path))
      for start in stride(from: 0, to: images.count, by: 2) {
        let rows = start..<min(start + 2, images.count)
        let originals = try rows.map {
          RGBImage(width: 12, height: 8, pixels: try images.pixels($0))
        }
        for (row, image) in zip(rows, reconstructor.reconstruct(originals).images) {
          #expect(try decoded.pixels(row) == image.pixels, "row \(row) of \(shard.path)")
        }
      }
      #expect(try decoded.contents.ids == images.contents.ids)
      #expect(try decoded.contents.names == images.contents.names)
      #expect(decoded.contents.labelNames == ["action", "room"])
      for label in images.contents.labelNames {
        #expect(try decoded.contents.labels(label) == images.contents.labels(label))
      }
      #expect(decoded.header.split == "train")
      #expect(decoded.header.source == "test")
    }
  }

  @Test func aResumedRunLeavesTheSameShards() throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    let whole = try decoder(sample, .shards).writeShards(in: sample.folder("whole")) { _ in }
    #expect(whole.earlier == 0)
    var rows = 0
    #expect(throws: Stop.self) {
      try decoder(sample, .shards).writeShards(in: sample.folder("S")) {
        rows += $0
        if rows == 7 { throw Stop() }
      }
    }
    let rest = try decoder(sample, .shards).writeShards(in: sample.folder("S")) { _ in }
    #expect(rest.earlier == 5)
    #expect(try files(sample, "S") == files(sample, "whole"))
  }

  @Test func aResumedRunLeavesTheSamePNGs() throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    var names: [String] = []
    let whole = try decoder(sample, .png).writeImages(
      in: sample.folder("whole"), progress: { _ in }, use: { names.append($0.name) })
    #expect(whole == 0)
    #expect(names.count == 8)
    #expect(throws: Stop.self) {
      try decoder(sample, .png).writeImages(
        in: sample.folder("I"), progress: { _ in throw Stop() }, use: { _ in })
    }
    let rest = try decoder(sample, .png).writeImages(
      in: sample.folder("I"), progress: { _ in }, use: { _ in })
    #expect(rest == 2)
    #expect(try files(sample, "I") == files(sample, "whole"))
    let image = try ImageDecoder.decode(contentsOf: sample.folder("I/b-00002.png"))
    #expect((image.width, image.height) == (12, 8))
  }

  @Test func otherCodesAndOtherFormatsAreRefused() throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    let other = try EncodingSample.writeVQGAN(in: sample.folder("other"), seed: 2)
    #expect(throws: CodesMismatch.self) { try decoder(sample, .shards, stage: other) }
    _ = try decoder(sample, .shards).writeShards(in: sample.folder("S")) { _ in }
    #expect(throws: ShardError.self) {
      try decoder(sample, .png).writeImages(
        in: sample.folder("S"), progress: { _ in }, use: { _ in })
    }
    _ = try decoder(sample, .png).writeImages(
      in: sample.folder("I"), progress: { _ in }, use: { _ in })
    #expect(throws: ShardError.self) {
      try decoder(sample, .shards).writeShards(in: sample.folder("I")) { _ in }
    }
    try FileManager.default.removeItem(atPath: sample.folder("I/decoding.json"))
    #expect(throws: ShardError.externalShard(path: sample.folder("I/a-00000.png"))) {
      try decoder(sample, .png).writeImages(
        in: sample.folder("I"), progress: { _ in }, use: { _ in })
    }
  }
}
