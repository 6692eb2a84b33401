// What decides the codes of a VQGAN has a fingerprint of its own, and so has its decoder.
import Checkpoints
import Foundation
import Models
import NN
import Shards
import TensorCore
import TestSupport
import Testing
import Training

/// The sample's VQGAN with one tensor changed, in a folder of its own.
private func changed(_ sample: EncodingSample, _ tensor: String) throws -> FirstStage {
  let path = sample.folder("changed-\(tensor)")
  var model = sample.stage.model
  model.visitParameters { name, values in
    if name == tensor { values.assign(1.01 * values) }
  }
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  try RunFolder.write(model.config, to: "\(path)/model.json")
  try SafetensorsWriter.write(ModelFiles.entries(model), to: "\(path)/model.safetensors")
  return try FirstStage.load(path)
}

private let ofDecoder = ["decoder.conv_out.weight", "post_quant_conv.bias"]
private let ofCodes = [
  "encoder.conv_in.weight", "quant_conv.weight", "quantize.embedding.weight",
]

@Suite("Fingerprints of codes and decoders") struct CodesFingerprintTests {
  @Test func everyPartHasItsOwn() throws {
    let sample = try EncodingSample()
    let before = sample.stage.fingerprints
    #expect(before.vqgan == sample.stage.model.fingerprint)
    #expect(Set([before.vqgan, before.codes, before.decoder]).count == 3)
    #expect(try FirstStageFile.open(sample.folder("vqgan")).fingerprints() == before)
    for tensor in ofDecoder + ofCodes {
      let after = try changed(sample, tensor).fingerprints
      #expect(after.vqgan != before.vqgan, "\(tensor)")
      #expect((after.codes == before.codes) == ofDecoder.contains(tensor), "\(tensor)")
      #expect((after.decoder == before.decoder) == ofCodes.contains(tensor), "\(tensor)")
    }
  }

  /// Rules of the quantizer that are in no tensor.
  @Test func theRuleOfTheQuantizerDecidesCodes() {
    func prints(_ change: (inout VQGANConfig) -> Void) -> VQGANFingerprints {
      var config = VQGANConfig.tiny
      change(&config)
      var random = RandomSource(seed: 4)
      return VQGANFingerprints(of: VQGAN(config, using: &random))
    }
    let plain = prints { _ in }
    let cosine = prints { $0.quantizer.cosine = true }
    #expect(cosine.vqgan == plain.vqgan && cosine.decoder == plain.decoder)
    #expect(cosine.codes != plain.codes)
    // Averages that move the codebook decide no code, nor does how it is trained.
    let averaged = prints { $0.quantizer.kind = .movingAverage }
    #expect(averaged.vqgan != plain.vqgan && averaged.codes == plain.codes)
    #expect(prints { $0.quantizer.beta = 3 } == plain)
    let unknown: [CodeRemap.Unknown] = [.random, .extra, .code(0), .code(1)]
    let remapped = unknown.map { unknown in
      prints { $0.quantizer.remap = CodeRemap.Config(used: 5, unknownIndex: unknown) }.codes
    }
    #expect(Set(remapped + [plain.codes]).count == 5)
    let levels = [[8, 5, 3], [5, 8, 3]].map { levels in
      prints {
        $0.quantizer = QuantizerConfig(kind: .fsq)
        $0.quantizer.levels = levels
        ($0.nEmbed, $0.embedDim) = (120, 3)
      }
    }
    #expect(levels[0].codes != levels[1].codes && levels[0].decoder == levels[1].decoder)
  }

  @Test(arguments: ofDecoder)
  func shardsStayValidWhenTheDecoderChanges(tensor: String) throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    let paths = ["a.h5", "b.h5"].map { sample.folder("codes/\($0)") }
    let tuned = try changed(sample, tensor)
    #expect(try CodeShardSet(paths).grid.codesFingerprint == tuned.fingerprints.codes)
    func decode(_ stage: FirstStage, to path: String) throws -> [UInt8] {
      let plan = try DecodingPlan(paths, for: stage, as: .shards)
      _ = try DatasetDecoder(plan, stage: stage, batchSize: 2, toolVersion: "1")
        .writeShards(in: sample.folder(path)) { _ in }
      let shard = try ImageShardReader(sample.folder("\(path)/a.h5"))
      let made = shard.header.preprocessing
      #expect(made.contains(#""decoded_by":"\#(stage.fingerprints.decoder)""#), "\(made)")
      #expect(made.contains(#""codes_fingerprint":"\#(stage.fingerprints.codes)""#), "\(made)")
      return try (0..<shard.count).flatMap { try shard.pixels($0) }
    }
    #expect(try decode(sample.stage, to: "S") != decode(tuned, to: "T"))
    // Images of two decoders are not mixed.
    #expect {
      try decode(tuned, to: "S")
    } throws: {
      guard case .optionsDiffer(_, "decoder_fingerprint", _, _) = $0 as? ShardError else {
        return false
      }
      return true
    }
    // The folder of codes goes on.
    try FileManager.default.removeItem(atPath: paths[1])
    let plan = try EncodingPlan(sample.paths, for: tuned)
    let outcome = try DatasetEncoder(
      plan, stage: tuned, on: .default, batchSize: 1, toolVersion: "1"
    ).run(in: sample.folder("codes")) { _ in }
    #expect(outcome.earlier == 5)
    let set = try CodeShardSet(paths)
    #expect(set.count == 8)
    try tuned.requireCodes(set.grid, of: "test")
    try sample.stage.requireCodes(try CodeShardReader(paths[1]).header.grid, of: "test")
  }

  @Test(arguments: ofCodes)
  func shardsAreRefusedWhenTheEncoderOrTheCodebookChanges(tensor: String) throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    let other = try changed(sample, tensor)
    let error = #expect(throws: CodesMismatch.self) {
      try DecodingPlan([sample.folder("codes/a.h5")], for: other, as: .shards)
    }
    #expect(error?.description.contains("codes_fingerprint") == true)
    let plan = try EncodingPlan(sample.paths, for: other)
    let encoder = DatasetEncoder(
      plan, stage: other, on: .default, batchSize: 1, toolVersion: "1")
    #expect {
      try encoder.run(in: sample.folder("codes")) { _ in }
    } throws: {
      guard case .optionsDiffer(_, "codes_fingerprint", _, _) = $0 as? ShardError else {
        return false
      }
      return true
    }
  }

  /// Shards of earlier versions tell the fingerprint of all weights alone.
  @Test func earlierShardsAreReadByTheirVQGAN() throws {
    let sample = try EncodingSample()
    _ = try sample.encode()
    let stage = sample.stage
    let earlier = sample.folder("earlier.h5")
    try codeShard(
      earlier, rows: 2, grid: (4, 6), codebook: 48, fingerprint: stage.fingerprint
    ) { _ in ((0..<24).map { Int32($0) }, nil) }
    let grid = try CodeShardReader(earlier).header.grid
    #expect(grid.codesFingerprint == nil)
    try stage.requireCodes(grid, of: "test")
    _ = try DecodingPlan([earlier], for: stage, as: .shards)
    // Beside later ones, in either order.
    #expect(try CodeShardSet([earlier, sample.folder("codes/a.h5")]).count == 7)
    #expect(try CodeShardSet([sample.folder("codes/a.h5"), earlier]).count == 7)
    let error = #expect(throws: CodesMismatch.self) {
      try DecodingPlan([earlier], for: try changed(sample, ofDecoder[0]), as: .shards)
    }
    #expect(error?.description.contains("vqgan_fingerprint") == true)
  }

  /// While their VQGAN is where they say, it tells what they mean.
  @Test func earlierShardsAreTracedToTheirVQGAN() throws {
    let sample = try EncodingSample()
    func shard(_ name: String, vqgan: String) throws -> CodeGrid {
      try codeShard(
        sample.folder(name), rows: 1, grid: (4, 6), codebook: 48,
        fingerprint: sample.stage.fingerprint, vqgan: vqgan
      ) { _ in ((0..<24).map { Int32($0) }, nil) }
      return try CodeShardReader(sample.folder(name)).header.grid
    }
    let grid = try shard("old.h5", vqgan: sample.folder("vqgan"))
    let (tuned, other) = (try changed(sample, ofDecoder[0]), try changed(sample, ofCodes[0]))
    try tuned.requireCodes(grid, of: "test")
    _ = try DecodingPlan([sample.folder("old.h5")], for: tuned, as: .shards)
    #expect(throws: CodesMismatch.self) { try other.requireCodes(grid, of: "test") }
    // Another one at its path does not.
    for path in [tuned.checkpointPath, sample.folder("nowhere")] {
      let strange = try shard("\(UUID().uuidString).h5", vqgan: path)
      #expect(throws: CodesMismatch.self) { try tuned.requireCodes(strange, of: "test") }
    }
  }

  /// A folder that an earlier version began is finished.
  @Test func earlierFoldersGoOn() throws {
    let sample = try EncodingSample()
    let plan = try EncodingPlan(sample.paths, for: sample.stage)
    let begun = plan.shards.begun(with: ["vqgan_fingerprint": "", "inputs": ""])
    #expect(begun.options["vqgan_fingerprint"] == sample.stage.fingerprint)
    #expect(begun.options["codes_fingerprint"] == nil && begun.hash != plan.shards.hash)
    func begin() throws {
      let folder = try ShardFolder(sample.folder("codes"), plan: begun)
      let first = folder.unfinished[0]
      try folder.begin(first)
      let writer = try CodeShardWriter(
        folder.path(of: first),
        header: CodeShardHeader(
          grid: CodeGrid(
            height: 4, width: 6, codebookSize: 48, fingerprint: sample.stage.fingerprint),
          sourceShards: ["a.h5"], source: "test", split: "train", toolVersion: "0"))
      for row in 0..<5 {
        writer.append(Array(repeating: 7, count: 24), id: Int64(row), name: "\(row)")
      }
      try folder.record(first, try writer.finish(), skipped: [])
    }
    try begin()
    let outcome = try sample.encode()
    #expect(outcome.earlier == 5)
    let set = try CodeShardSet(outcome.shards.map(\.path))
    #expect(set.count == 8 && set.grid.codesFingerprint == nil)
    let manifest = try #require(try ShardManifest.read(in: sample.folder("codes")))
    #expect(manifest.options == begun.options)
    // By a VQGAN of another decoder it is not: nobody knows that its codes are the same.
    let tuned = try changed(sample, ofDecoder[0])
    let other = try EncodingPlan(sample.paths, for: tuned)
    #expect {
      try DatasetEncoder(other, stage: tuned, on: .default, batchSize: 1, toolVersion: "1")
        .run(in: sample.folder("codes")) { _ in }
    } throws: {
      guard case .optionsDiffer(_, "vqgan_fingerprint", _, _) = $0 as? ShardError else {
        return false
      }
      return true
    }
  }

  @Test func descriptionsOfGPTsKeepBoth() throws {
    let grid = CodeGrid(
      height: 2, width: 3, codebookSize: 9, fingerprint: "f", codesFingerprint: "c", vqgan: "v")
    let data = try JSONEncoder().encode(grid)
    #expect(String(decoding: data, as: UTF8.self).contains(#""codes_fingerprint":"c""#))
    #expect(try JSONDecoder().decode(CodeGrid.self, from: data) == grid)
    var earlier = grid
    earlier.codesFingerprint = nil
    let short = try JSONEncoder().encode(earlier)
    #expect(!String(decoding: short, as: UTF8.self).contains("codes_fingerprint"))
    #expect(try JSONDecoder().decode(CodeGrid.self, from: short) == earlier)
  }
}
