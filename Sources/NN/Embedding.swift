// A table of vectors.
import TensorCore

/// One trainable vector for each index.
package struct Embedding: Layer {
  package var weight: Tensor  // [K, D]

  package init(weight: Tensor) { self.weight = weight.trainable() }

  /// `[…]` to `[…, D]`.
  package func callAsFunction(_ indices: IndexTensor) -> Tensor { weight.gathered(at: indices) }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("weight", &weight)
  }
}
