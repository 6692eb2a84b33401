// Training steps and sampling of the second stage.
import Models
import NN
import TensorCore

extension Workload {
  private static let length = 256

  static let gpt: [Workload] = [
    Workload(
      name: "gpt_6x256_T256_b8_train",
      summary: "one training step of a GPT, 6 layers, 8 heads, width 256, on 8×256 codes",
      unit: .perSecond("tokens", Double(8 * length)), tellsMemory: true
    ) { device in
      var random = RandomSource(seed: 1)
      var model = try model(using: &random, on: device)
      var optimizer = Adam(beta1: 0.9, beta2: 0.95)
      let decayed = model.decayedNames
      let codes = IndexTensor(
        (0..<8 * length).map { _ in Int.random(in: 0..<1024, using: &random) }, shape: [8, length])
      let sequences = TokenSequences(
        codes: codes, conditions: TokenSequences.unconditional(8))
      return {
        let loss = model(sequences.input).crossEntropy(sequences.targets)
        optimizer.update(&model, backward(loss), learningRate: 1e-4) {
          decayed.contains($0) ? 0.01 : 0
        }
      }
    },
    Workload(
      name: "gpt_6x256_sample_b1",
      summary: "drawing 256 codes, one sample at a time, with the cache of keys and values",
      unit: .perSecond("tokens", Double(length))
    ) { device in
      var random = RandomSource(seed: 1)
      let sampler = Sampler(
        try model(using: &random, on: device).frozen(), codebookSize: 1024,
        options: SamplingOptions(topK: 100))
      return {
        _ = sampler.samples(
          continuing: TokenSequences.unconditional(1), length: length, seed: 1, progress: { _ in })
      }
    },
  ]

  private static func model(using random: inout RandomSource, on device: Device) throws -> GPT {
    let config = try GPTConfig(
      vocabSize: 1024, blockSize: length, layers: 6, heads: 8, width: 256)
    return GPT(config, using: &random, on: device)
  }
}
