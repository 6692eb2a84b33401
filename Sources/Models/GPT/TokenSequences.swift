// How codes become training sequences: condition tokens in front, the loss on the codes alone.
import TensorCore

/// What the model reads, and what it should say after every position.
///
/// The second stage reads the condition followed by the codes without the last; after the last condition token it should
/// say the first code. Positions inside the condition carry no loss.
///
/// - Source: the reference's `Net2NetTransformer.forward`.
package struct TokenSequences: Equatable, Sendable {
  /// The start-of-sequence token of unconditional models; it shares the vector of image code 0, as in the reference.
  package static let startToken: Int32 = 0

  /// What the model reads, `[N, c + L - 1]`.
  package let input: IndexTensor
  /// The next token of each position, `[N, c + L - 1]`; -1 inside the condition.
  package let targets: IndexTensor

  /// - Parameters:
  ///   - codes: image codes `[N, L]` in raster order.
  ///   - conditions: condition tokens `[N, c]`, at least one each.
  package init(codes: IndexTensor, conditions: IndexTensor) {
    self.init(codes: codes, shown: codes, conditions: conditions)
  }

  /// Sequences for a training step: each code that the model reads is kept with probability `keep` and else replaced by
  /// a random token of the vocabulary; the targets stay.
  package init(
    codes: IndexTensor, conditions: IndexTensor, keeping keep: Float, vocabSize: Int,
    using random: inout RandomSource
  ) {
    var shown = codes
    if keep < 1 {
      for index in shown.elements.indices where random.uniform() >= keep {
        shown.elements[index] = Int32.random(in: 0..<Int32(vocabSize), using: &random)
      }
    }
    self.init(codes: codes, shown: shown, conditions: conditions)
  }

  private init(codes: IndexTensor, shown: IndexTensor, conditions: IndexTensor) {
    let (n, length, prefix) = (codes.shape[0], codes.shape[1], conditions.shape[1])
    precondition(
      prefix > 0 && conditions.shape[0] == n, "conditions \(conditions.shape) for \(codes.shape)")
    var input: [Int32] = []
    var targets: [Int32] = []
    input.reserveCapacity(n * (prefix + length - 1))
    targets.reserveCapacity(input.capacity)
    for item in 0..<n {
      input += conditions.elements[item * prefix..<(item + 1) * prefix]
      input += shown.elements[item * length..<(item + 1) * length - 1]
      targets += repeatElement(-1, count: prefix - 1)
      targets += codes.elements[item * length..<(item + 1) * length]
    }
    let shape: Shape = [n, prefix + length - 1]
    self.input = IndexTensor(input, shape: shape)
    self.targets = IndexTensor(targets, shape: shape)
  }

  /// The start-of-sequence token for each of `count` unconditional sequences, `[N, 1]`.
  package static func unconditional(_ count: Int) -> IndexTensor {
    IndexTensor([Int32](repeating: startToken, count: count), shape: [count, 1])
  }
}
