// Code shards to image shards and PNGs.
import Checkpoints
import Foundation
import Images
import Models
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
          NamedImage(
            name: "\($0)", image: RGBImage(width: 12, height: 8, pixels: try images.pixels($0)))
        }
        for (row, image) in zip(rows, try reconstructor.reconstruct(originals).images) {
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

  /// Those of other images in shards of the same names and rows.
  @Test func otherCodesAreRefused() throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    _ = try decoder(sample, .shards).writeShards(in: sample.folder("S")) { _ in }
    try EncodingSample.writeImages(sample.folder("a.h5"), rows: 5, seed: 9)
    try FileManager.default.removeItem(atPath: sample.folder("codes"))
    _ = try sample.encode()
    let error = try #require(throws: ShardError.self) {
      try decoder(sample, .shards).writeShards(in: sample.folder("S")) { _ in }
    }
    guard case .optionsDiffer(_, "inputs", _, _) = error else {
      Issue.record("\(error)")
      return
    }
    #expect("\(error)".contains("what shards and trajectories hold"))
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

  /// What stands under an image's name is taken when it can be read to its end alone.
  @Test func damagedPNGsAreMadeAgain() throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    func write() throws -> (earlier: Int, checks: [ShardCheck]) {
      var checks: [ShardCheck] = []
      let earlier = try decoder(sample, .png).writeImages(
        in: sample.folder("I"), checking: { checks.append($0) }, progress: { _ in },
        use: { _ in })
      return (earlier, checks)
    }
    _ = try write()
    let whole = try files(sample, "I")
    let image = try #require(whole["a-00001.png"])
    var damaged = image
    damaged[damaged.count / 2] ^= 1
    let other = RGBImage(width: 8, height: 12, filledWith: .white)  // of another size
    try other.writePNG(to: sample.folder("other.png"))
    for content in [
      Data(), image.prefix(image.count / 2), image.dropLast(12), damaged, Data("no PNG".utf8),
      try Data(contentsOf: URL(fileURLWithPath: sample.folder("other.png"))),
    ] {
      try content.write(to: URL(fileURLWithPath: sample.folder("I/a-00001.png")))
      let (earlier, checks) = try write()
      #expect(earlier == 7, "\(content.count) bytes")
      #expect(checks == [.changed(path: sample.folder("I/a-00001.png"))])
      #expect(try files(sample, "I") == whole)
    }
    #expect(try write().earlier == 8)
  }

  /// A shard of codes that is replaced before its turn, of either format.
  @Test(arguments: [DecodingFormat.shards, .png])
  func codesThatChangeMeanwhileAreRefused(format: DecodingFormat) throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    let path = sample.folder("codes/b.h5")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    let replace = { (rows: Int) throws in
      guard rows > 0 else { return }
      try bytes.write(to: URL(fileURLWithPath: path), options: .atomic)
    }
    #expect(throws: ShardError.changed(path: path)) {
      if format == .png {
        _ = try decoder(sample, .png).writeImages(
          in: sample.folder("D"), progress: replace, use: { _ in })
      } else {
        _ = try decoder(sample, .shards).writeShards(in: sample.folder("D"), progress: replace)
      }
    }
    #expect(try files(sample, "D").keys.allSatisfy { !$0.hasPrefix("b") })
  }

  @Test func aChangedShardOfImagesIsMadeAgain() throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    _ = try decoder(sample, .shards).writeShards(in: sample.folder("S")) { _ in }
    let whole = try files(sample, "S")
    var changed = try #require(whole["b.h5"])
    changed[changed.count - 1] ^= 1
    try changed.write(to: URL(fileURLWithPath: sample.folder("S/b.h5")))
    let again = try decoder(sample, .shards).writeShards(in: sample.folder("S")) { _ in }
    #expect(again.earlier == 5)
    #expect(try files(sample, "S") == whole)
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

  @Test func residualCodesAreDecodedWithAllTheirDepths() throws {
    let folder = try TemporaryFolder()
    var config = sampleConfig
    config.quantizer.depth = 2
    var random = RandomSource(seed: 3)
    let model = VQGAN(config, using: &random)
    try FileManager.default.createDirectory(atPath: folder("V"), withIntermediateDirectories: true)
    try RunFolder.write(config, to: folder("V/model.json"))
    try SafetensorsWriter.write(ModelFiles.entries(model), to: folder("V/model.safetensors"))
    let stage = try FirstStage.load(folder("V"))
    let codes = (0..<48).map { Int32($0) }  // 4×6 positions of two codes
    let writer = try CodeShardWriter(
      folder("c.h5"),
      header: CodeShardHeader(
        grid: stage.codes(ofHeight: 8, width: 12), sourceShards: [], source: "test",
        split: "train", toolVersion: "1"))
    writer.append(codes, id: 0, name: "row")
    try writer.finish()
    let plan = try DecodingPlan([folder("c.h5")], for: stage, as: .shards)
    #expect((plan.width, plan.height) == (12, 8))
    _ = try DatasetDecoder(plan, stage: stage, batchSize: 2, toolVersion: "1")
      .writeShards(in: folder("S")) { _ in }
    let expected = stage.model.decode(indices: IndexTensor(codes, shape: [1, 4, 12]))
    #expect(try ImageShardReader(folder("S/c.h5")).pixels(0) == expected.pixels())
  }

  /// A VQGAN of f = 2 with 48 codes.
  private var sampleConfig: VQGANConfig {
    VQGANConfig(
      resolution: 16, ch: 32, chMult: [1, 1], numResBlocks: 1, attnResolutions: [],
      zChannels: 32, embedDim: 8, nEmbed: 48)
  }
}
