// Training steps and sampling of the second stage.
import Models
import NN
import TensorCore
import Training

extension Workload {
  static let gpt: [Workload] = [
    gptTraining(.small, batch: 8), gptTraining(.large, batch: 1),
    gptSampling(.small, batch: 1), gptSampling(.large, batch: 1), gptSampling(.large, batch: 16),
  ]

  /// A transformer over 1024 codes.
  private struct Size {
    let layers, heads, width, length: Int

    static let small = Size(layers: 6, heads: 8, width: 256, length: 256)
    static let large = Size(layers: 24, heads: 16, width: 1024, length: 512)

    var name: String { "gpt_\(layers)x\(width)" }
    var description: String { "a GPT of \(layers) layers, \(heads) heads, width \(width)" }

    func model(using random: inout RandomSource, on device: Device) throws -> GPT {
      let config = try GPTConfig(
        vocabSize: 1024, blockSize: length, layers: layers, heads: heads, width: width)
      return GPT(config, using: &random, on: device)
    }
  }

  private static func gptTraining(_ size: Size, batch: Int) -> Workload {
    Workload(
      name: "\(size.name)_T\(size.length)_b\(batch)_train",
      summary: "one training step of \(size.description), on \(batch)×\(size.length) codes",
      unit: .perSecond("tokens", Double(batch * size.length)), tellsMemory: true
    ) { device in
      var random = RandomSource(seed: 1)
      var trainer = try GPTTrainer(size.model(using: &random, on: device), weightDecay: 0.01)
      let count = batch * size.length
      let codes = IndexTensor(
        (0..<count).map { _ in Int.random(in: 0..<1024, using: &random) },
        shape: [batch, size.length])
      let sequences = TokenSequences(
        codes: codes, conditions: TokenSequences.unconditional(batch))
      var source = random
      return { _ = try trainer.step([sequences], learningRate: 1e-4, using: &source) }
    }
  }

  /// Samples all codes but the first, as many as the published code samples for a grid.
  private static func gptSampling(_ size: Size, batch: Int) -> Workload {
    let count = size.length - 1
    return Workload(
      name: "\(size.name)_sample_b\(batch)",
      summary: "sampling \(count) codes of \(batch) samples at a time by \(size.description)",
      unit: .perSecond("tokens", Double(count * batch)), tellsMemory: true
    ) { device in
      var random = RandomSource(seed: 1)
      let sampler = Sampler(
        try size.model(using: &random, on: device).frozen(), codebookSize: 1024)
      return {
        _ = try sampler.samples(
          continuing: TokenSequences.unconditional(batch), length: count,
          SamplingOptions(topK: 100), seed: 1, progress: { _ in })
      }
    }
  }
}
