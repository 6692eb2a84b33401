// Layer normalisation.
import TensorCore

/// Normalises the last axis; eps 1e-5.
package struct LayerNorm: Layer {
  package var weight: Tensor  // [C]
  package var bias: Tensor  // [C]
  package let eps: Float = 1e-5

  package init(channels: Int, on device: Device) {
    weight = Tensor(repeating: 1, shape: [channels], on: device).trainable()
    bias = Tensor(repeating: 0, shape: [channels], on: device).trainable()
  }

  /// `[…, C]` to the same.
  package func callAsFunction(_ x: Tensor) -> Tensor {
    x.layerNormalized(gamma: weight, beta: bias, eps: eps)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("weight", &weight)
    try visit("bias", &bias)
  }
}
