// What holds a discriminator to what it said before.
import TensorCore

/// Moving averages of a discriminator's answers, and the loss that keeps its answers of today near
/// them.
///
/// `mean max(0, D(x) - F)² + mean max(0, R - D(x̂))²` with the averages R and F of the mean answers
/// to real images and to reconstructions: a discriminator that learns few images by heart is sure
/// of both, which this makes dear.
/// - Source: Tseng et al. 2021, *Regularizing generative adversarial networks under limited data*
///   (arXiv:2104.03310), in the form of the published code, which has the max(0, ·) and frees the
///   averages from their start at 0; the decay is that of Open-MAGVIT2 (published there: 0.99).
package struct LeCAM: Equatable, Sendable {
  package static let decay: Float = 0.999
  /// Decaying sums of the answers to real images, to reconstructions, and of 1; part of a
  /// checkpoint.
  package private(set) var sums: [Float]

  /// - Parameter sums: those of a checkpoint.
  package init(sums: [Float] = [0, 0, 0]) {
    precondition(sums.count == 3, "\(sums.count) sums")
    self.sums = sums
  }

  /// The average answer to real images.
  package var real: Float { sums[2] > 0 ? sums[0] / sums[2] : 0 }
  /// The average answer to reconstructions.
  package var fake: Float { sums[2] > 0 ? sums[1] / sums[2] : 0 }

  /// Takes in the mean answers of a batch.
  package mutating func update(real: Float, fake: Float) {
    for (index, value) in [real, fake, 1].enumerated() {
      sums[index] = Self.decay * sums[index] + (1 - Self.decay) * value
    }
  }

  /// A scalar from the logits of real images and of reconstructions.
  package func loss(real: Tensor, fake: Tensor) -> Tensor {
    let above = real.scaled(by: 1, plus: -self.fake).activated(.relu)
    let below = fake.scaled(by: -1, plus: self.real).activated(.relu)
    return (above * above).mean() + (below * below).mean()
  }
}
