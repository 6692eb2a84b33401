import Foundation
import Models
import TensorCore
import TestSupport
import Testing

@Suite struct SubVocabularyTests {
  /// 11 tokens as 3 coarse parts of 4 fine ones, the last coarse part with 3.
  private static func model() throws -> GPT {
    let config = try GPTConfig(
      vocabSize: 11, blockSize: 7, layers: 2, heads: 3, width: 12, subVocabulary: 4)
    var random = RandomSource(seed: 5)
    var model = GPT(config, using: &random)
    model.visitParameters { _, tensor in
      tensor = (tensor.detached() + random.normal(tensor.shape, deviation: 0.5)).trainable()
    }
    return model
  }

  private static let tokens = IndexTensor((0..<14).map { ($0 * 5 + 3) % 11 }, shape: [2, 7])

  @Test func theLossHasTheGradientsOfItsDifferences() throws {
    let zero = Tensor(0)
    let targets = IndexTensor((0..<14).map { $0 == 3 ? -1 : ($0 * 3 + 1) % 11 }, shape: [2, 7])
    try checkGradient(of: try Self.model(), at: zero, step: 3e-3) { model, zero in
      var none: RandomSource?
      return model.loss(Self.tokens, targets, droppingWith: &none) + zero
    }
  }

  /// p(a) p(b | a) of all tokens and of the twelfth, which is no token, is 1; the loss is its
  /// logarithm.
  @Test func theJointProbabilityIsThatOfTheParts() throws {
    let model = try Self.model()
    let logits = model(Self.tokens).elements()
    for row in 0..<14 {
      let sum = logits[row * 11..<row * 11 + 11].reduce(0) { $0 + exp(Double($1)) }
      #expect(sum > 0.5 && sum < 1 + 1e-5)
    }
    let targets = IndexTensor((0..<14).map { ($0 * 3 + 1) % 11 }, shape: [2, 7])
    var none: RandomSource?
    let loss = model.loss(Self.tokens, targets, droppingWith: &none).item()
    let mean =
      (0..<14).reduce(0.0) { $0 - Double(logits[$1 * 11 + Int(targets.elements[$1])]) } / 14
    #expect(abs(Double(loss) - mean) < 1e-5)
  }

  /// 20,000 samples of one token: each as often as its probability says, within five deviations.
  @Test(arguments: [true, false])
  func tokensAreSampledByTheirJointProbability(caches: Bool) throws {
    let model = try Self.model()
    var sampler = Sampler(
      model, codebookSize: 10, trained: GridSize(height: 1, width: 1), conditionLength: 1)
    sampler.caches = caches
    let count = 20_000
    let task = SamplingTask(
      grid: sampler.trained, streams: SamplingTask.streams(seed: 3, 0..<count))
    let drawn = try sampler.samples(task, SamplingOptions(), progress: { _ in }).map { $0[0] }
    let joint = model(IndexTensor([Int32(0)], shape: [1, 1])).elements().map { exp(Double($0)) }
    // Of the last coarse part tokens 8 and 9 can be sampled; they share its probability.
    let last = 1 - joint[0..<8].reduce(0, +)
    let shares = (0..<10).map { token in
      token < 8 ? joint[token] : last * joint[token] / (joint[8] + joint[9])
    }
    for token in 0..<10 {
      let found = Double(drawn.count { $0 == Int32(token) })
      let deviation = (Double(count) * shares[token] * (1 - shares[token])).squareRoot()
      #expect(abs(found - Double(count) * shares[token]) < 5 * deviation + 1, "\(token)")
    }
    #expect(drawn.allSatisfy { $0 < 10 })
  }

  @Test func onlyLargeVocabulariesHaveParts() throws {
    #expect(GPTConfig.subVocabulary(ofCodes: 16_384) == nil)
    #expect(GPTConfig.subVocabulary(ofCodes: 65_536) == 256)
    #expect(GPTConfig.subVocabulary(ofCodes: 32_768) == 256)
    let plain = try GPTConfig(vocabSize: 9, blockSize: 4, layers: 1, heads: 1, width: 4)
    let text = String(decoding: try JSONEncoder().encode(plain), as: UTF8.self)
    #expect(!text.contains("sub_vocabulary"))
    var fsq = VQGANConfig.tiny
    fsq.quantizer = QuantizerConfig(kind: .fsq)
    (fsq.quantizer.levels, fsq.nEmbed, fsq.embedDim) = ([8, 8, 8, 5, 5, 5], 64_000, 6)
    #expect(fsq.subVocabulary == 512)
    (fsq.quantizer.levels, fsq.nEmbed) = ([8, 5, 5, 5], 1000)
    #expect(fsq.subVocabulary == nil)
    #expect(VQGANConfig.f16.subVocabulary == nil)
  }
}
