import Checkpoints
import Foundation
import Models
import TamingCheckpoints
import TestSupport
import Testing

/// Models are recognised by names and shapes.
struct InferenceTests {
  private func checkpoint(
    _ name: String, project: TamingProject? = nil, heads: Int? = nil
  ) throws -> TamingCheckpoint {
    try TamingCheckpoint(
      try CheckpointFile.open(Fixture.path(name)), project: project, heads: heads)
  }

  @Test func vqganOfTheReference() throws {
    guard case .firstStage(let weights) = try checkpoint("vqgan-tiny.ckpt") else {
      Issue.record("not recognised")
      return
    }
    let expected = VQGANConfig(
      resolution: 256, ch: 32, chMult: [1, 2], numResBlocks: 1, attnResolutions: [128],
      zChannels: 32, embedDim: 32, nEmbed: 64)
    #expect(weights.config == expected)
    #expect(weights.config.quantizer.legacy)
    #expect(weights.discriminator == DiscriminatorConfig(ndf: 8, nLayers: 2))
    #expect(weights.hasPerceptual)
  }

  @Test func activationNormalisation() throws {
    guard case .firstStage(let weights) = try checkpoint("vqgan-tiny-actnorm.weights.safetensors")
    else {
      Issue.record("not recognised")
      return
    }
    #expect(weights.config.chMult == [1, 1, 2])
    #expect(weights.config.attnResolutions == [64])
    #expect(
      weights.discriminator == DiscriminatorConfig(ndf: 8, nLayers: 2, normalization: .activation))
  }

  @Test(arguments: [("gpt-tiny", 0), ("gpt-tiny-unmasked", 8)])
  func transformers(name: String, unmasked: Int) throws {
    guard case .transformer(let weights) = try checkpoint("\(name).ckpt", heads: 4) else {
      Issue.record("not recognised")
      return
    }
    let expected = try GPTConfig(
      vocabSize: 64, blockSize: 32, layers: 2, heads: 4, width: 32, unmasked: unmasked)
    #expect(weights.config == expected)
    #expect(weights.firstStage == nil)
    #expect(weights.isUnconditional)
    #expect(!weights.tensors.names.contains { $0.hasSuffix("mask") })
  }

  @Test func headsMustBeNamed() throws {
    let path = Fixture.path("gpt-tiny.ckpt")
    #expect(throws: ArchitectureError.unknownHeads(path: path)) {
      try checkpoint("gpt-tiny.ckpt")
    }
  }

  @Test func headsOfLPIPSAloneAreKnown() throws {
    #expect(try checkpoint("lpips-vgg.pth").title == "the heads of LPIPS without VGG16")
  }

  @Test func otherFilesAreNotRecognised() throws {
    #expect(throws: ArchitectureError.self) { try checkpoint("pytorch-views.pt") }
  }

  // MARK: What does not fit

  /// The tensors of the tiny VQGAN, changed.
  private func mismatch(
    _ change: (inout [SafetensorsEntry], any TensorSource) throws -> Void
  ) throws -> ModelMismatchError? {
    let folder = try TemporaryFolder()
    let source = try PyTorchFile(Fixture.path("vqgan-tiny.ckpt"))
    var entries = try source.names.map { try source.entry(of: $0, as: $0) }
    try change(&entries, source)
    try SafetensorsWriter.write(entries, to: folder("a"))
    do {
      _ = try TamingCheckpoint(try CheckpointFile.open(folder("a")))
      return nil
    } catch let error as ModelMismatchError {
      return error
    }
  }

  @Test func everyMismatchIsNamed() throws {
    #expect(try mismatch { _, _ in } == nil)
    let error = try mismatch { entries, source in
      entries.removeAll {
        ["decoder.mid.attn_1.k.bias", "loss.discriminator.main.0.bias"].contains($0.name)
      }
      entries.append(SafetensorsEntry("model_ema.decay", shape: [], floats: [1]))
      entries.removeAll { $0.name == "post_quant_conv.bias" }
      entries.append(SafetensorsEntry("post_quant_conv.bias", shape: [3], floats: [1, 2, 3]))
    }
    #expect(error?.missing == ["decoder.mid.attn_1.k.bias", "loss.discriminator.main.0.bias"])
    #expect(error?.unexpected == ["model_ema.decay"])
    #expect(error?.misshapen == ["post_quant_conv.bias [3] instead of [32]"])
  }

  /// Weights are no whole numbers; counters, which the same file has as int64, are.
  @Test(arguments: [ElementType.int64, .int32, .int16, .int8, .uint8, .bool])
  func integersAreNoWeights(type: ElementType) throws {
    let name = "encoder.conv_in.bias"
    let error = try mismatch { entries, source in
      let shape = try source.shape(of: name)
      let count = shape.reduce(1, *) * type.bits / 8
      entries.removeAll { $0.name == name }
      entries.append(
        SafetensorsEntry(name: name, type: type, shape: shape) { body in
          try [UInt8](repeating: 1, count: count).withUnsafeBytes { try body($0) }
        })
    }
    #expect(error?.integers == ["\(name) \(type.rawValue)"])
    #expect(
      error?.description.contains("1 of integers instead of floats: \(name) \(type.rawValue)")
        == true)
  }
}
