// Several codebooks one after the other, of every kind, from files; and codes that are restarted.
import Checkpoints
import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Testing
import Training

@Suite("Residual codebooks of every kind") struct ResidualKindsTests {
  private static let kinds = ["gradient", "moving_average", "simvq", "fsq", "lfq", "cosine"]

  /// A VQGAN of f = 2 with two codebooks.
  private static func config(_ name: String) throws -> VQGANConfig {
    var config = VQGANConfig(
      resolution: 16, ch: 32, chMult: [1, 1], numResBlocks: 1, attnResolutions: [],
      zChannels: 32, embedDim: 6, nEmbed: 64)
    config.quantizer.kind =
      name == "cosine" ? .movingAverage : try #require(QuantizerConfig.Kind(rawValue: name))
    config.quantizer.cosine = name == "cosine"
    config.quantizer.depth = 2
    if name == "fsq" {
      config.quantizer.levels = [5, 4, 3]
      (config.nEmbed, config.embedDim) = (60, 3)
    }
    return config
  }

  private static func write(_ config: VQGANConfig, to path: String) throws -> VQGAN {
    var random = RandomSource(seed: 3)
    let model = VQGAN(config, using: &random)
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try RunFolder.write(config, to: "\(path)/model.json")
    try SafetensorsWriter.write(ModelFiles.entries(model), to: "\(path)/model.safetensors")
    return model
  }

  @Test(arguments: kinds)
  func filesGiveTheSameCodesAndImages(name: String) throws {
    let folder = try TemporaryFolder()
    let config = try Self.config(name)
    #expect(config.problem == nil)
    let model = try Self.write(config, to: folder("V"))
    let stage = try FirstStage.load(folder("V"))
    #expect(stage.config == config)
    #expect(stage.fingerprints == VQGANFingerprints(of: model))
    var random = RandomSource(seed: 5)
    let images = random.uniform([2, 3, 8, 12], in: -1..<1)
    let (reconstruction, codes) = model.reconstructWithCodes(images)
    #expect(codes.shape == [2, 4, 12])
    #expect(codes.elements.allSatisfy { (0..<Int32(config.nEmbed)).contains($0) })
    #expect(stage.model.encode(.values(images)) == codes)
    #expect(Distance(stage.model.decode(indices: codes), reconstruction).largest == 0)
    let grid = stage.codes(ofHeight: 8, width: 12)
    #expect((grid.codebookSize, grid.depth) == (config.nEmbed, 2))
    #expect((grid.height, grid.width) == (4, 12))
    var deeper = config
    deeper.quantizer.depth = 3
    let other = VQGANFingerprints(of: VQGAN(deeper, using: &random))
    #expect(other.codes != stage.fingerprints.codes)
  }

  /// Levels of the configuration that are not those of the weights.
  @Test(arguments: [1, 2])
  func otherLevelsAreRefused(depth: Int) throws {
    let folder = try TemporaryFolder()
    var config = try Self.config("fsq")
    config.quantizer.depth = depth
    _ = try Self.write(config, to: folder("V"))
    _ = try FirstStage.load(folder("V"))
    config.quantizer.levels = [4, 5, 3]
    try RunFolder.write(config, to: folder("V/model.json"))
    #expect {
      try FirstStage.load(folder("V"))
    } throws: {
      "\($0)".contains("[4, 5, 3]") && "\($0)".contains("[5, 4, 3]")
    }
  }

  /// Which codes are idle, and what they become with the vectors that were sampled for them, as in
  /// PyTorch.
  @Test func idleCodesAreRestartedAsPyTorchs() throws {
    let golden = try Fixture.tensors("quantizers.safetensors")
    func stored(_ key: String) throws -> [Float] { try golden.floats(of: "restart.\(key)") }
    let codes = try stored("codes").map { Int32($0) }
    let (idle, fractions) = (try stored("idle"), try stored("fractions"))
    var usage = CodebookUsage(entries: 7)
    for step in 0..<4 {
      usage.record([Array(codes[step * 6..<step * 6 + 6])])
      #expect(usage.idleSteps.map { Float($0) } == Array(idle[step * 7..<step * 7 + 7]))
      let expected = Array(fractions[step * 7..<step * 7 + 7])
      #expect(Distance(usage.fractions, expected).largest < 1e-6)
    }
    let dead = usage.idle(in: 0..<7, for: 3)
    #expect(dead == [3, 5, 6])

    var config = VQGANConfig.tiny
    config.quantizer = QuantizerConfig(kind: .movingAverage, decay: 0.9)
    (config.nEmbed, config.embedDim) = (7, 4)
    var random = RandomSource(seed: 1)
    var quantizer = VQGAN(config, using: &random).quantizer
    let rows = try golden.tensor("restart.rows")
    quantizer.replaceEntries(try golden.tensor("restart.start"))
    quantizer.moveEntries(towards: rows, at: IndexTensor(Array(codes[18...]), shape: [6]))
    quantizer.setEntries(dead, to: try golden.tensor("restart.sampled"))
    usage.reset(dead)
    #expect(usage.idle(in: 0..<7, for: 1) == [2])
    #expect(Distance(quantizer.codebook.elements(), try stored("table")).relative < 1e-5)
    quantizer.moveEntries(towards: rows, at: IndexTensor([3, 5, 6, 3, 0, 1], shape: [6]))
    let names = ["embedding.weight": "later", "cluster_size": "size", "embed_avg": "sum"]
    for (part, tensor) in quantizer.namedTensors {
      let wanted = try stored(try #require(names[part]))
      #expect(Distance(tensor.elements(), wanted).relative < 1e-5, "\(part)")
    }
  }
}
