// The second-stage model: a decoder-only transformer over codes, exactly the reference's early
// minGPT.
import NN
import TensorCore

/// A decoder-only transformer, as published with learned positions.
///
/// - Source: the reference's `mingpt.py`; names are those of its checkpoints under `transformer.`.
package struct GPT: Layer {
  package let config: GPTConfig
  package var tokens: Embedding  // [V, C]
  package var positions: Tensor  // [1, block_size, C]; of rotary models [1, 0, C], and in no file
  package var blocks: [TransformerBlock]
  package var finalNorm: LayerNorm
  package var head: Linear  // [V, C], no bias, not tied to the embedding
  /// The fine part of tokens that have two; `tokens` and `head` are then those of the coarse part.
  var sub: SubVocabulary?

  /// Weights N(0, 0.02), biases and positions 0.
  package init(_ config: GPTConfig, using random: inout RandomSource, on device: Device = .default)
  {
    self.config = config
    tokens = Embedding(
      weight: random.normal([config.coarseTokens, config.width], deviation: 0.02, on: device))
    let learned = config.rotary == nil ? config.blockSize : 0
    positions = Tensor(repeating: 0, shape: [1, learned, config.width], on: device).trainable()
    blocks = []
    for _ in 0..<config.layers {
      blocks.append(
        TransformerBlock(
          width: config.width, heads: config.heads, dropout: config.residualDropout,
          using: &random, on: device))
    }
    finalNorm = LayerNorm(channels: config.width, on: device)
    head = Linear(config.width, config.coarseTokens, bias: false, using: &random, on: device)
    sub = SubVocabulary(config, using: &random, on: device)
  }

  /// A model to be filled from a file; its first weights, which then are never used, take no
  /// memory.
  package init(_ config: GPTConfig, on device: Device = .default) {
    var random = RandomSource(seed: 0)
    self.init(config, using: &random, on: device)
  }

  package var device: Device { positions.device }

  /// Logits for the token after every position; of tokens of two parts the logarithms of their
  /// probabilities, without gradients.
  ///
  /// - Parameters:
  ///   - indices: tokens `[N, T]`, `T` at most `block_size`.
  ///   - positions: the position of each, rising `[T]`; the first T if left out.
  ///   - random: where dropout takes numbers from in training; `nil` drops nothing.
  /// - Returns: `[N, T, V]`.
  package func callAsFunction(
    _ indices: IndexTensor, at positions: [Int32]? = nil, droppingWith random: inout RandomSource?
  ) -> Tensor {
    let states = states(indices, at: positions, droppingWith: &random)
    return sub.map { jointLogits(states, $0) } ?? head(states)
  }

  /// What the heads read, `[N, T, C]`.
  func states(
    _ indices: IndexTensor, at positions: [Int32]? = nil, droppingWith random: inout RandomSource?
  ) -> Tensor {
    let positions = positions ?? (0..<Int32(indices.shape[1])).map { $0 }
    var x = embedded(indices, at: positions)
      .droppedOut(rate: config.embeddingDropout, using: &random)
    let (mask, rotation) = (mask(positions), rotation(positions))
    for block in blocks { x = block(x, mask: mask, rotation, droppingWith: &random) }
    return finalNorm(x)
  }

  /// Logits in evaluation mode, `[N, T, V]`.
  package func callAsFunction(_ indices: IndexTensor, at positions: [Int32]? = nil) -> Tensor {
    var none: RandomSource?
    return self(indices, at: positions, droppingWith: &none)
  }

  /// Token and position vectors, `[N, T, C]`.
  func embedded(_ indices: IndexTensor, at positions: [Int32]) -> Tensor {
    let (n, length) = (indices.shape[0], indices.shape[1])
    precondition(positions.count == length, "\(positions.count) positions for \(length) tokens")
    precondition(
      positions.allSatisfy { $0 < config.blockSize },
      "position \(positions.max() ?? 0) of a model of \(config.blockSize)")
    let vectors =
      sub.map { tokens($0.coarse(indices)) + $0.tokens($0.fine(indices)) }
      ?? tokens(indices)
    guard config.rotary == nil else { return vectors }
    let table = self.positions.reshaped([config.blockSize, config.width])
    let repeated = (0..<n).flatMap { _ in positions }
    return vectors + table.gathered(at: IndexTensor(repeated, shape: indices.shape))
  }

  func rotation(_ positions: [Int32]) -> Rotation? {
    config.rotary?.rotation(positions, headWidth: config.width / config.heads, on: device)
  }

  func mask(_ positions: [Int32]) -> AttentionMask {
    .causal(prefix: positions.count { $0 < config.unmasked })
  }

  /// Names of the parameters that weight decay acts on: the weights of linear layers, not biases,
  /// norms, embeddings or positions.
  package var decayedNames: Set<String> {
    let matrices = namedTensors.filter { $0.tensor.rank == 2 }.map(\.name)
    return Set(matrices).subtracting(
      ["tok_emb.weight", "sub.tok_emb.weight", "sub.given.weight"])
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try tokens.visitParameters { try visit("tok_emb." + $0, &$1) }
    if config.rotary == nil { try visit("pos_emb", &positions) }
    try NN.visit("blocks", &blocks, visit)
    try finalNorm.visitParameters { try visit("ln_f." + $0, &$1) }
    try head.visitParameters { try visit("head." + $0, &$1) }
    try sub?.visitParameters { try visit("sub." + $0, &$1) }
  }
}
