// One block of a transformer: attention, then a two-layer perceptron, each on a normalised input and
// added to what came in.
import NN
import TensorCore

/// Multi-head self-attention; one product gives queries, keys and values.
///
/// - Source: the reference's minGPT, `CausalSelfAttention`.
package struct SelfAttention: Layer {
  package var key, query, value, projection: Linear
  package let heads: Int
  /// Fraction of the weights that is dropped in training.
  package let dropout: Float

  init(
    width: Int, heads: Int, dropout: Float, using random: inout RandomSource, on device: Device
  ) {
    self.dropout = dropout
    key = Linear(width, width, using: &random, on: device)
    query = Linear(width, width, using: &random, on: device)
    value = Linear(width, width, using: &random, on: device)
    projection = Linear(width, width, using: &random, on: device)
    self.heads = heads
  }

  private var scale: Float { 1 / Float(query.weight.shape[0] / heads).squareRoot() }

  /// Queries, keys and values beside each other, `[N, T, 3 · C]`, turned by their positions where
  /// these are rotary.
  private func inputs(_ x: Tensor, _ rotation: Rotation?) -> Tensor {
    let layers = [query, key, value]
    let y = x.linear(layers.map(\.weight), biases: layers.compactMap(\.bias))
    return rotation.map { y.queriesAndKeysRotated(by: $0) } ?? y
  }

  /// All positions at once: `[N, T, C]` to the same.
  ///
  /// - Parameter keep: is given queries, keys and values `[N, T, 3 · C]`, for a cache.
  func callAsFunction(
    _ x: Tensor, mask: AttentionMask, _ rotation: Rotation?,
    droppingWith random: inout RandomSource?, keeping keep: (Tensor) -> Void
  ) -> Tensor {
    let inputs = inputs(x, rotation)
    keep(inputs)
    return projection(
      inputs.attention(heads: heads, scale: scale, mask: mask, dropping: dropout, using: &random))
  }

  /// New positions `[N, T, C]` that see what stands before them and all in the cache, which takes
  /// them up.
  func callAsFunction(
    _ x: Tensor, _ rotation: Rotation?, after cache: inout KeyValueCache
  ) -> Tensor {
    projection(cache.attend(inputs(x, rotation), scale: scale))
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try key.visitParameters { try visit("key." + $0, &$1) }
    try query.visitParameters { try visit("query." + $0, &$1) }
    try value.visitParameters { try visit("value." + $0, &$1) }
    try projection.visitParameters { try visit("proj." + $0, &$1) }
  }
}

/// `x + attention(norm1(x))`, then `x + perceptron(norm2(x))` with exact GELU and four times the
/// width inside.
///
/// - Source: the reference's minGPT, `Block`.
package struct TransformerBlock: Layer {
  package var norm1, norm2: LayerNorm
  package var attention: SelfAttention
  package var expand, contract: Linear
  package let dropout: Float

  /// - Parameters:
  ///   - dropout: fraction of what the attention and the perceptron give that is dropped.
  ///   - attentionDropout: fraction of the attention's weights that is dropped.
  init(
    width: Int, heads: Int, dropout: Float, attentionDropout: Float = 0,
    using random: inout RandomSource, on device: Device
  ) {
    norm1 = LayerNorm(channels: width, on: device)
    norm2 = LayerNorm(channels: width, on: device)
    attention = SelfAttention(
      width: width, heads: heads, dropout: attentionDropout, using: &random, on: device)
    expand = Linear(width, 4 * width, using: &random, on: device)
    contract = Linear(4 * width, width, using: &random, on: device)
    self.dropout = dropout
  }

  /// All positions at once: `[N, T, C]` to the same; drops only where `random` is given.
  func callAsFunction(
    _ x: Tensor, mask: AttentionMask, _ rotation: Rotation? = nil,
    droppingWith random: inout RandomSource?,
    keeping keep: (Tensor) -> Void = { _ in }
  ) -> Tensor {
    let attended = attention(
      norm1(x), mask: mask, rotation, droppingWith: &random, keeping: keep)
    let y = x + attended.droppedOut(rate: dropout, using: &random)
    return y + perceptron(norm2(y)).droppedOut(rate: dropout, using: &random)
  }

  /// New positions `[N, T, C]` behind those in the cache.
  func callAsFunction(
    _ x: Tensor, _ rotation: Rotation? = nil, after cache: inout KeyValueCache
  ) -> Tensor {
    let y = x + attention(norm1(x), rotation, after: &cache)
    return y + perceptron(norm2(y))
  }

  private func perceptron(_ x: Tensor) -> Tensor { contract(expand.activatedByGELU(x)) }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try norm1.visitParameters { try visit("ln1." + $0, &$1) }
    try norm2.visitParameters { try visit("ln2." + $0, &$1) }
    try attention.visitParameters { try visit("attn." + $0, &$1) }
    try expand.visitParameters { try visit("mlp.0." + $0, &$1) }
    try contract.visitParameters { try visit("mlp.2." + $0, &$1) }
  }
}
