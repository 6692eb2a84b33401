// Large vocabularies as products of two small ones.
import Foundation
import NN
import TensorCore

/// The fine part of tokens that have two: token t is `a · V₂ + b`.
///
/// Its vector is `E[a] + E₂[b]`, its probability `p(a) · p(b | a)`: the coarse part has the tables
/// of a usual model, the logits of the fine part are those of `norm(h + E'[a])`, h being the last
/// layer's output.
package struct SubVocabulary: Layer {
  package let size: Int  // V₂
  var tokens: Embedding  // E₂ [V₂, C]
  var given: Embedding  // E' [V₁, C]
  var norm: LayerNorm
  var head: Linear  // [V₂, C]

  /// - Returns: nil for a model whose tokens have one part.
  init?(_ config: GPTConfig, using random: inout RandomSource, on device: Device) {
    guard let size = config.subVocabulary else { return nil }
    self.size = size
    func table(_ rows: Int) -> Embedding {
      Embedding(weight: random.normal([rows, config.width], deviation: 0.02, on: device))
    }
    (tokens, given) = (table(size), table(config.coarseTokens))
    norm = LayerNorm(channels: config.width, on: device)
    head = Linear(config.width, size, bias: false, using: &random, on: device)
  }

  /// The coarse parts of tokens; -1 of -1.
  func coarse(_ tokens: IndexTensor) -> IndexTensor {
    IndexTensor(
      tokens.elements.map { $0 < 0 ? -1 : $0 / Int32(size) }, shape: tokens.shape)
  }

  /// The fine parts of tokens; -1 of -1.
  func fine(_ tokens: IndexTensor) -> IndexTensor {
    IndexTensor(
      tokens.elements.map { $0 < 0 ? -1 : $0 % Int32(size) }, shape: tokens.shape)
  }

  /// Logits of the fine part, `[…, V₂]`, for states `[…, C]` and coarse parts `[…]`.
  func logits(_ states: Tensor, after coarse: IndexTensor) -> Tensor {
    let known = IndexTensor(coarse.elements.map { max(0, $0) }, shape: coarse.shape)
    return head(norm(states + given(known)))
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try tokens.visitParameters { try visit("tok_emb." + $0, &$1) }
    try given.visitParameters { try visit("given." + $0, &$1) }
    try norm.visitParameters { try visit("ln." + $0, &$1) }
    try head.visitParameters { try visit("head." + $0, &$1) }
  }
}

extension GPT {
  /// The mean of `-log p(target)` over the positions whose target is not -1, in nats.
  ///
  /// - Parameters: indices, targets: tokens `[N, T]`; random: of dropout, `nil` drops nothing.
  package func loss(
    _ indices: IndexTensor, _ targets: IndexTensor, droppingWith random: inout RandomSource?
  ) -> Tensor {
    let states = states(indices, droppingWith: &random)
    guard let sub else { return head(states).crossEntropy(targets) }
    let coarse = sub.coarse(targets)
    return head(states).crossEntropy(coarse)
      + sub.logits(states, after: coarse).crossEntropy(sub.fine(targets))
  }

  /// `-log p(target)` of every position, `[N·T]`, in nats, in evaluation mode; 0 where the target is
  /// -1.
  ///
  /// - Parameters: indices, targets: tokens `[N, T]`.
  package func losses(_ indices: IndexTensor, _ targets: IndexTensor) -> Tensor {
    withoutGradients {
      var none: RandomSource?
      let states = states(indices, droppingWith: &none)
      guard let sub else { return head(states).crossEntropies(targets) }
      let coarse = sub.coarse(targets)
      return head(states).crossEntropies(coarse)
        + sub.logits(states, after: coarse).crossEntropies(sub.fine(targets))
    }
  }

  /// The logarithms of the probabilities of all tokens of two parts, `[N, T, V]`, for states
  /// `[N, T, C]`.
  ///
  /// - Complexity: the fine head is computed for every coarse part: for comparison, not for
  ///   training.
  func jointLogits(_ states: Tensor, _ sub: SubVocabulary) -> Tensor {
    withoutGradients {
      let (n, t, v) = (states.shape[0], states.shape[1], config.vocabSize)
      let rows = states.reshaped([n * t, states.shape[2]])
      let coarse = head(rows).softmax().elements()
      var all = [Float](repeating: 0, count: n * t * v)
      for a in 0..<config.coarseTokens {
        let given = IndexTensor(Array(repeating: Int32(a), count: n * t), shape: [n * t])
        let fine = sub.logits(rows, after: given).softmax().elements()
        for row in 0..<n * t {
          for b in 0..<min(sub.size, v - a * sub.size) {
            all[row * v + a * sub.size + b] =
              log(coarse[row * config.coarseTokens + a]) + log(fine[row * sub.size + b])
          }
        }
      }
      return Tensor(all, shape: [n, t, v], on: states.device)
    }
  }
}
