// The steps of a VQGAN's training on images `[N, C, H, W]` in [-1, 1].
import Models
import NN
import TensorCore

extension VQGANTrainer {
  /// One step on batches of images.
  package mutating func step(
    _ batches: [Tensor], step: Int, learningRate: Float, using random: inout RandomSource
  ) -> VQGANLosses {
    self.step(
      batches.map(VQGANInput.values), step: step, learningRate: learningRate, using: &random)
  }

  /// Losses of the generator and gradients of its parameters.
  package mutating func generatorGradients(
    _ batches: [Tensor], isAdversarial: Bool, using random: inout RandomSource
  ) -> GeneratorResult {
    generatorGradients(
      batches.map(VQGANInput.values), isAdversarial: isAdversarial, using: &random)
  }

  /// Gradients of the discriminator's parameters.
  package mutating func discriminatorGradients(
    _ batches: [Tensor], reconstructions: [Tensor], fakeLogits: [Tensor] = [],
    _ losses: inout VQGANLosses, using random: inout RandomSource
  ) -> Gradients {
    discriminatorGradients(
      batches.map(VQGANInput.values), reconstructions: reconstructions, fakeLogits: fakeLogits,
      &losses, using: &random)
  }

  /// Starts from images.
  package mutating func initialize(from batches: [Tensor], using random: inout RandomSource) {
    initialize(from: batches.map(VQGANInput.values), using: &random)
  }
}
