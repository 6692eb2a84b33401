import Checkpoints
import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Testing

/// A model with a codebook of one of the kinds that the reference does not have.
private func config(
  _ kind: QuantizerConfig.Kind, _ change: (inout QuantizerConfig) -> Void = { _ in }
)
  -> VQGANConfig
{
  var config = VQGANConfig.tiny
  config.quantizer = QuantizerConfig(kind: kind, legacy: false)
  change(&config.quantizer)
  switch kind {
  case .fsq:
    config.quantizer.levels = [8, 5, 3]
    (config.nEmbed, config.embedDim) = (120, 3)
  case .lfq: (config.nEmbed, config.embedDim) = (16, 4)
  default: (config.nEmbed, config.embedDim) = (7, 4)
  }
  return config
}

private func quantizer(_ config: VQGANConfig) -> any Quantizer {
  var random = RandomSource(seed: 3)
  return VQGAN(config, using: &random).quantizer
}

private let kinds: [(String, VQGANConfig)] = [
  ("fsq", config(.fsq)), ("lfq", config(.lfq)), ("simvq", config(.simVQ)),
  ("cosine", config(.gradient) { $0.cosine = true }),
  ("cosine by averages", config(.movingAverage) { $0.cosine = true }),
  ("rotation", config(.gradient) { $0.gradient = .rotation }),
]

@Suite struct NewQuantizerTests {
  private static func example(_ name: String) throws -> (VQGANConfig, any Quantizer, Tensor) {
    let config = try #require(kinds.first { $0.0 == name }).1
    var random = RandomSource(seed: 9)
    return (config, quantizer(config), random.normal([2, config.embedDim, 3, 2]))
  }

  @Test(arguments: kinds.map(\.0))
  func resultsAreEntriesAndEntriesAreTheirOwn(name: String) throws {
    let (config, quantizer, z) = try Self.example(name)
    #expect(config.problem == nil)
    let quantized = quantizer(z)
    #expect(quantized.indices.shape == [2, 3, 2])
    #expect(Distance(quantized.latents, quantizer.vectors(of: quantized.indices)).largest < 1e-6)
    #expect(quantizer.codebook.shape == [config.nEmbed, config.embedDim])
    // Every entry is the nearest of its own vector.
    guard name != "lfq", name != "fsq" else { return }
    let all = IndexTensor(Array(0..<config.nEmbed), shape: [1, config.nEmbed, 1])
    #expect(quantizer(quantizer.vectors(of: all)).indices == all)
  }

  @Test func everyCodeOfImpliedCodebooksComesBack() {
    let fsq = quantizer(config(.fsq))
    let all = IndexTensor(Array(0..<120), shape: [1, 120, 1])
    #expect(Distance(fsq.vectors(of: all).vectors(), fsq.codebook).largest == 0)
    // What tanh turns into each level: the inverse of the bound.
    let latents = fsq.codebook.elements().enumerated().map { index, value -> Float in
      let level = [8, 5, 3][index % 3]
      let half = Double(level - 1) * 1.001 / 2
      let offset = level == 8 ? 0.5 : 0
      return Float(
        atanh((Double(value) * Double(level / 2) + offset) / half) - atanh(offset / half))
    }
    let z = Tensor(latents, shape: [1, 120, 3]).image(height: 120, width: 1)
    #expect(fsq(z).indices == all)
    let lfq = quantizer(config(.lfq))
    let signs = IndexTensor(Array(0..<16), shape: [1, 4, 4])
    #expect(lfq(lfq.vectors(of: signs)).indices == signs)
  }

  /// Of the losses whose gradients are those of their values: nothing is held constant for another.
  @Test(arguments: ["lfq", "cosine by averages"])
  func lossesHaveTheGradientsOfTheirDifferences(name: String) throws {
    let (_, quantizer, z) = try Self.example(name)
    try checkGradient(at: [("z", z)], step: 2e-4, tolerance: 5e-2) { quantizer($0[0]).loss }
  }

  /// ‖q‖/‖e‖ times an orthogonal map: the gradient keeps its angle to the latent.
  @Test func rotationKeepsAnglesAndScalesLengths() throws {
    let (_, quantizer, z) = try Self.example("rotation")
    let leaf = z.trainable()
    var random = RandomSource(seed: 2)
    let seed = random.normal(z.shape)
    let quantized = quantizer(leaf)
    let gradient = try #require(backward([(quantized.latents, seed)])[leaf])
    let (g, dy, e, q) = (
      gradient.vectors().elements(), seed.vectors().elements(), z.vectors().elements(),
      quantized.latents.detached().vectors().elements()
    )
    func dot(_ a: [Float], _ b: [Float], _ row: Int) -> Double {
      (row * 4..<row * 4 + 4).reduce(0) { $0 + Double(a[$1]) * Double(b[$1]) }
    }
    for row in 0..<12 {
      let scale = (dot(q, q, row) / dot(e, e, row)).squareRoot()
      #expect(abs(dot(g, g, row).squareRoot() - scale * dot(dy, dy, row).squareRoot()) < 1e-5)
      let before = dot(dy, q, row) / dot(q, q, row).squareRoot()
      let after = dot(g, e, row) / dot(e, e, row).squareRoot()
      #expect(abs(after - scale * before) < 1e-5)
    }
  }

  @Test func cosineLooksAtDirectionsAlone() {
    for kind in [QuantizerConfig.Kind.gradient, .movingAverage] {
      var quantizer = quantizer(config(kind) { $0.cosine = true })
      var random = RandomSource(seed: 4)
      let z = random.normal([1, 4, 5, 5])
      #expect(quantizer(z).indices == quantizer((17 as Float) * z).indices)
      let rows = random.normal([60, 4])
      quantizer.startEntries(from: rows, using: &random)
      for vector in quantizer.codebook.elements().chunked(4) {
        #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
      }
      quantizer.moveEntries(
        towards: quantizer(z).levels[0].vectors, at: quantizer(z).indices.reshaped([25]))
      for vector in quantizer.codebook.elements().chunked(4) {
        #expect(abs(vector.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5)
      }
    }
  }

  /// Of vectors apart, each with a sign pattern of its own, every one is sure and all are used.
  @Test func evenUseOfSureCodesIsTheLeastEntropyLoss() {
    let even = quantizer(config(.lfq) { $0.beta = 0 })
    let all = IndexTensor(Array(0..<16), shape: [1, 4, 4])
    let z = even.vectors(of: all)
    #expect(abs(even(z).loss.item() + 0.1 * 4 * 0.6931472) < 1e-4)
  }

  @Test func configurationsWithAProblem() {
    var fsq = config(.fsq)
    fsq.nEmbed = 121
    #expect(fsq.problem?.contains("120 codes") == true)
    fsq = config(.fsq)
    fsq.embedDim = 4
    #expect(fsq.problem?.contains("3 channels") == true)
    fsq = config(.fsq) { $0.restartAfter = 5 }
    #expect(fsq.problem?.contains("revive_after") == true)
    fsq = config(.fsq)
    fsq.quantizer.levels = [2, 60]
    #expect(fsq.problem?.contains("levels") == true)
    var lfq = config(.lfq)
    lfq.nEmbed = 17
    #expect(lfq.problem?.contains("bit") == true)
    #expect(config(.simVQ) { $0.cosine = true }.problem?.contains("cosine") == true)
    #expect(config(.lfq) { $0.gradient = .rotation }.problem?.contains("rotation") == true)
    #expect(config(.simVQ) { $0.initialization = .kMeans }.problem?.contains("k_means") == true)
    for (codes, levels) in FSQuantizer.presets {
      var preset = VQGANConfig.tiny
      preset.quantizer = QuantizerConfig(kind: .fsq)
      preset.quantizer.levels = levels
      (preset.nEmbed, preset.embedDim) = (levels.reduce(1, *), levels.count)
      #expect(preset.problem == nil)
      #expect(abs(Double(preset.nEmbed) / Double(codes) - 1) < 0.07, "\(codes)")
    }
  }

  /// No weight tells two rounding models apart, so their levels are in the file.
  @Test func levelsDecideTheFingerprint() {
    var other = config(.fsq)
    other.quantizer.levels = [5, 8, 3]
    var (a, b) = (RandomSource(seed: 1), RandomSource(seed: 1))
    let models = [VQGAN(config(.fsq), using: &a), VQGAN(other, using: &b)]
    #expect(models[0].namedTensors.contains { $0.name == "quantize.levels" })
    let named = models.map { model in
      model.namedTensors.filter { $0.name != "quantize.levels" }.map { $0.tensor.elements() }
    }
    #expect(named[0] == named[1])
    let levels = models.map { model in
      model.namedTensors.first { $0.name == "quantize.levels" }?.tensor.elements()
    }
    #expect(levels[0] == [8, 5, 3] && levels[1] == [5, 8, 3])
  }
}

extension [Float] {
  fileprivate func chunked(_ size: Int) -> [[Float]] {
    stride(from: 0, to: count, by: size).map { Array(self[$0..<$0 + size]) }
  }
}
