// Weights that are finite and too large to compute with.
import Checkpoints
import Foundation
import Models
import NN
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct FiniteResultsTests {
  private static func enlarge<L: Layer>(_ layer: inout L, _ part: String) {
    layer.visitParameters { name, tensor in
      if name.hasPrefix(part) { tensor.assign(tensor.scaled(by: 1e30)) }
    }
  }

  private static func vqgan(_ kind: QuantizerConfig.Kind = .gradient) -> VQGAN {
    var config = VQGANConfig.tiny
    config.quantizer = QuantizerConfig(kind: kind)
    if kind == .fsq {
      config.quantizer.levels = [8, 6, 5]
      (config.nEmbed, config.embedDim) = (240, 3)
    }
    var random = RandomSource(seed: 3)
    return VQGAN(config, using: &random)
  }

  private static func stage(_ model: VQGAN) -> FirstStage {
    FirstStage(model, path: "model.safetensors")
  }

  @Test(
    arguments: [
      ("encoder.", "the latents of an image"), ("decoder.", "the image of some codes"),
      ("quant_conv.", nil), ("discriminator.", nil),
    ] as [(String, String?)])
  func aVQGANIsTriedOnBothWays(part: String, expected: String?) {
    var model = Self.vqgan()
    Self.enlarge(&model, part)
    #expect(model.notFiniteResult == expected)
  }

  /// Whatever the trial has shown: of FSQ every latent that is no number would be an entry.
  @Test(arguments: [QuantizerConfig.Kind.gradient, .fsq])
  func codesOfLatentsThatAreNotFiniteAreNoCodes(kind: QuantizerConfig.Kind) throws {
    var model = Self.vqgan(kind)
    let images = VQGANInput.values(Tensor(repeating: 0.5, shape: [1, 3, 16, 16]))
    _ = try Self.stage(model).encode(images)
    Self.enlarge(&model, "encoder.")
    let stage = Self.stage(model)
    let error = NotFiniteError(path: "model.safetensors", result: "the latents")
    #expect(throws: error) { try stage.encode(images) }
    #expect(throws: error) { try stage.reconstruct(images) }
  }

  @Test func imagesThatAreNotFiniteAreNoImages() throws {
    var model = Self.vqgan()
    let codes = IndexTensor([1, 2, 3, 4], shape: [1, 2, 2])
    #expect(try Self.stage(model).images(of: codes).count == 1)
    Self.enlarge(&model, "decoder.")
    let stage = Self.stage(model)
    #expect(
      throws: NotFiniteError(path: "model.safetensors", result: "an image of codes")
    ) { try stage.images(of: codes) }
  }

  @Test(
    arguments: [
      ("blocks.", "the logits of some codes"), ("head.", "the logits of some codes"), ("none", nil),
    ] as [(String, String?)])
  func aTransformerIsTriedOnSomeCodes(part: String, expected: String?) throws {
    var random = RandomSource(seed: 4)
    var model = GPT(try GPTRunTests.config(steps: 1, dropout: 0).model, using: &random)
    for _ in 0..<2 { Self.enlarge(&model, part) }
    #expect(model.notFiniteResult == expected)
  }

  /// Whatever grid `model.json` claims, a small one is tried.
  @Test(
    arguments: [
      ("blocks.", "the logits of some codes"), ("head.", "the logits of some codes"), ("none", nil),
    ] as [(String, String?)])
  func aWorldModelIsTriedOnASmallGrid(part: String, expected: String?) {
    var random = RandomSource(seed: 4)
    var model = WorldModel(
      WorldConfig(
        gridHeight: 4096, gridWidth: 4096, codebookSize: 16, actions: 3, context: 4096, layers: 1,
        heads: 1, width: 16), using: &random)
    for _ in 0..<2 { Self.enlarge(&model, part) }
    #expect(model.notFiniteResult == expected)
  }

  @Test func logitsThatAreNotFiniteAreNotSampledFrom() throws {
    var random = RandomSource(seed: 4)
    for wrong in [Float.nan, .infinity] {
      for options in [SamplingOptions(), SamplingOptions(isGreedy: true)] {
        #expect(throws: NotFiniteLogits.self) {
          try options.draw([0, wrong, 1] as [Float], using: &random)
        }
      }
    }
  }
}
