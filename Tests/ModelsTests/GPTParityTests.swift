import Checkpoints
import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Testing

/// The model, gradients and optimizer steps of the reference implementation, on every engine.
@Suite struct GPTParityTests {
  /// What the fixture's JSON file says.
  struct Description: Decodable {
    let config: GPTConfig
    let learning_rate: Float
    let adamw_betas: [Float]
    let weight_decay: Float
    let eps: Float
    let per_step_loss: [Float]
  }

  struct Golden {
    let model: GPT
    let description: Description
    let results: SafetensorsFile

    init(_ name: String, on device: Device) throws {
      description = try JSONDecoder().decode(
        Description.self, from: try Fixture.data("\(name).json"))
      results = try Fixture.tensors("\(name).safetensors")
      let weights = try Fixture.tensors("\(name).weights.safetensors")
      var random = RandomSource(seed: 0)
      var model = GPT(description.config, using: &random, on: device)
      try model.visitParameters { name, tensor in
        tensor.assign(try weights.tensor("transformer." + name, on: device))
      }
      #expect(weights.names.count == model.namedTensors.count)
      self.model = model
    }
  }

  static let cases: [(name: String, device: Int)] = ["gpt-tiny", "gpt-tiny-unmasked"].flatMap {
    name in Device.all.indices.map { (name, $0) }
  }

  @Test(arguments: cases)
  func logitsAndLoss(name: String, device: Int) throws {
    let golden = try Golden(name, on: Device.all[device])
    let logits = golden.model(try golden.results.indices("idx"))
    let expected = try golden.results.floats(of: "logits")
    #expect(Distance(logits.elements(), expected).largest < 1e-4)
    let loss = logits.crossEntropy(try golden.results.indices("targets")).item()
    #expect(abs(loss - (try golden.results.floats(of: "loss"))[0]) < 1e-4)
  }

  @Test(arguments: cases)
  func everyGradientAndThreeSteps(name: String, device: Int) throws {
    let golden = try Golden(name, on: Device.all[device])
    var model = golden.model
    let indices = try golden.results.indices("idx")
    let targets = try golden.results.indices("targets")
    let betas = golden.description.adamw_betas
    var optimizer = Adam(beta1: betas[0], beta2: betas[1])
    let decayed = model.decayedNames
    for (step, expectedLoss) in golden.description.per_step_loss.enumerated() {
      let loss = model(indices).crossEntropy(targets)
      #expect(abs(loss.item() - expectedLoss) < 1e-4, "loss of step \(step)")
      let gradients = backward(loss)
      if step == 0 {
        for (name, tensor) in model.namedTensors {
          let gradient = try #require(gradients[tensor], "no gradient of \(name)")
          let expected = try golden.results.floats(of: "grad.\(name)")
          let distance = Distance(gradient.elements(), expected)
          // Keys' biases have no effect on a softmax: their gradients are rounding alone.
          #expect(
            distance.relative < 1e-3 || distance.largest < 1e-7, "gradient of \(name): \(distance)")
        }
      }
      optimizer.update(&model, gradients, learningRate: golden.description.learning_rate) {
        decayed.contains($0) ? golden.description.weight_decay : 0
      }
    }
    for (name, tensor) in model.namedTensors {
      // A gradient that is rounding alone (keys' biases) still makes whole steps, in any direction.
      let tolerance = name.hasSuffix("key.bias") ? 6 * golden.description.learning_rate : 1e-4
      let expected = try golden.results.floats(of: "after3.\(name)")
      let distance = Distance(tensor.elements(), expected)
      #expect(distance.largest < tolerance, "\(name) after three steps: \(distance)")
    }
  }

  @Test(arguments: cases)
  func greedyContinuation(name: String, device: Int) throws {
    let golden = try Golden(name, on: Device.all[device])
    let expected = try golden.results.indices("greedy")
    let (n, length) = (expected.shape[0], expected.shape[1])
    let rows = (0..<n).map { item in
      Array(expected.elements[item * length..<(item + 1) * length])
    }
    func prefixes(_ count: Int) -> IndexTensor {
      IndexTensor(rows.flatMap { $0.prefix(count) }, shape: [n, count])
    }
    let sampler = Sampler(
      golden.model, codebookSize: golden.model.config.vocabSize)
    let drawn = try sampler.samples(
      continuing: prefixes(4), length: length - 4, SamplingOptions(isGreedy: true), seed: 0,
      progress: { _ in })
    let continuations: [Int32] = rows.flatMap { $0.dropFirst(4) }
    #expect(drawn.elements == continuations)

    // The same without a cache: the whole sequence for every token.
    var random = RandomSource(seed: 0)
    for count in 4..<length {
      let logits = golden.model(prefixes(count)).positions(count - 1..<count).elements()
      for item in 0..<n {
        let vocabulary = golden.model.config.vocabSize
        let token = try SamplingOptions(isGreedy: true).draw(
          logits[item * vocabulary..<(item + 1) * vocabulary], using: &random)
        #expect(token == rows[item][count], "position \(count)")
      }
    }
  }

  @Test(arguments: cases)
  func topKProbabilities(name: String, device: Int) throws {
    let golden = try Golden(name, on: Device.all[device])
    let indices = try golden.results.indices("idx")
    let length = indices.shape[1]
    let logits = golden.model(indices).positions(length - 1..<length).elements()
    let expected = try golden.results.floats(of: "top5_temp0.7_probs")
    let vocabulary = golden.model.config.vocabSize
    for item in 0..<indices.shape[0] {
      let row = item * vocabulary..<(item + 1) * vocabulary
      let found = SamplingOptions(temperature: 0.7, topK: 5).probabilities(logits[row])
      #expect(Distance(found.map { Float($0) }, Array(expected[row])).largest < 1e-4)
    }
  }
}
