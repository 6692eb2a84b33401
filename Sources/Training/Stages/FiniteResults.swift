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
    if let notFiniteResult { throw NotFiniteError(path: path, tensor: notFiniteResult) }
  }
}

extension VQGAN: Tried {
  package var notFiniteResult: String? {
    withoutGradients {
      var random = RandomSource(seed: 0)
      let side = 2 * config.downsampling
      let noise = random.normal(
        [1, config.inChannels, side, side], on: namedTensors[0].tensor.device)
      guard latents(of: .values(noise)).isFinite else { return "the latents of an image" }
      let codes = (0..<4 * config.depth).map { Int32($0 * 7 % config.codes) }
      let images = decode(indices: IndexTensor(codes, shape: [1, 2, 2 * config.depth]))
      return images.isFinite ? nil : "the image of some codes"
    }
  }
}

extension GPT: Tried {
  package var notFiniteResult: String? {
    let tokens = (0..<min(config.blockSize, 8)).map { Int32($0 * 7 % config.vocabSize) }
    let sequence = IndexTensor(tokens, shape: [1, tokens.count])
    return losses(sequence, sequence).isFinite ? nil : "the logits of some codes"
  }
}

extension WorldModel: Tried {
  package var notFiniteResult: String? {
    withoutGradients {
      let steps = min(2, config.context)
      let codes = (0..<steps * config.codes).map { Int32($0 * 7 % config.codebookSize) }
      let some = [Int32](repeating: 0, count: steps)
      var random = RandomSource(seed: 0)
      let logits = self(
        WorldSteps(
          [.init(codes: codes, actions: some, rewards: some, ends: some)], of: config,
          using: &random))
      let all = [logits.codes, logits.rewards, logits.ends]
      return all.allSatisfy(\.isFinite) ? nil : "the logits of some codes"
    }
  }
}
