// Weights can be finite and too large to compute with: models are tried on a small input.
import Checkpoints
import Models
import NN
import TensorCore

/// A model that can be tried on an input of its own.
package protocol Tried {
  /// The first result for a small input that is not finite; nil if all are.
  var notFiniteResult: String? { get }
}

extension Tried {
  /// Refuses weights that the model cannot compute with.
  ///
  /// - Parameter path: of the weights, for the message.
  func requireFiniteResults(of path: String) throws(NotFiniteError) {
    if let notFiniteResult { throw NotFiniteError(path: path, result: notFiniteResult) }
  }
}

extension VQGAN: Tried {
  package var notFiniteResult: String? {
    withoutGradients {
      guard latents(of: trial).isFinite else { return "the latents of an image" }
      let codes = someCodes(4 * config.depth, below: config.codes)
      let images = decode(indices: IndexTensor(codes, shape: [1, 2, 2 * config.depth]))
      return images.isFinite ? nil : "the image of some codes"
    }
  }
}

extension VQGAN {
  /// Noise of two squares by two.
  private var trial: VQGANInput {
    let side = 2 * config.downsampling
    if config.input.isLabels {
      let labels = someCodes(side * side, below: config.inChannels)
      return .labels(IndexTensor(labels, shape: [1, side, side]))
    }
    var random = RandomSource(seed: 0)
    return .values(
      random.normal([1, config.inChannels, side, side], on: namedTensors[0].tensor.device))
  }
}

extension GPT: Tried {
  package var notFiniteResult: String? {
    let tokens = someCodes(min(config.blockSize, 8), below: config.vocabSize)
    let sequence = IndexTensor(tokens, shape: [1, tokens.count])
    return losses(sequence, sequence).isFinite ? nil : "the logits of some codes"
  }
}

extension WorldModel: Tried {
  package var notFiniteResult: String? {
    withoutGradients {
      let (model, steps) = trial
      let logits = model(steps)
      let all = [logits.codes, logits.rewards, logits.ends]
      return all.allSatisfy(\.isFinite) ? nil : "the logits of some codes"
    }
  }
}

extension GPT {
  /// What a step is tried with.
  package var trial: (model: GPT, batch: TokenSequences) {
    let codes = someCodes(min(config.blockSize, 8), below: config.vocabSize)
    return (
      self,
      TokenSequences(
        codes: IndexTensor(codes, shape: [1, codes.count]),
        conditions: TokenSequences.unconditional(1))
    )
  }
}

extension WorldModel {
  /// What a step is tried with: of a small grid, for `model.json` may claim any.
  package var trial: (model: WorldModel, batch: WorldSteps) {
    let model = of(gridHeight: min(config.gridHeight, 2), gridWidth: min(config.gridWidth, 4))
    let steps = min(2, config.context)
    let some = [Int32](repeating: 0, count: steps)
    let codes = someCodes(steps * model.config.codes, below: config.codebookSize)
    return (
      model,
      WorldSteps(
        [.init(codes: codes, actions: some, rewards: some, ends: some)], of: model.config)
    )
  }
}

private func someCodes(_ count: Int, below limit: Int) -> [Int32] {
  (0..<count).map { Int32($0 * 7 % limit) }
}
