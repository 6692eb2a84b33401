// Group normalisation with its activation.
import TensorCore

/// Group normalisation in 32 groups, eps 1e-6, followed by swish unless told otherwise.
package struct GroupNorm: Layer {
  package var weight: Tensor  // [C]
  package var bias: Tensor  // [C]
  package let groups: Int
  package let eps: Float

  package init(groups: Int = 32, channels: Int, eps: Float = 1e-6, on device: Device) {
    self.groups = groups
    self.eps = eps
    weight = Tensor(repeating: 1, shape: [channels], on: device).trainable()
    bias = Tensor(repeating: 0, shape: [channels], on: device).trainable()
  }

  /// `[N, C, H, W]` to the same; one fused pass with `swish`.
  package func callAsFunction(_ x: Tensor, swish: Bool) -> Tensor {
    x.groupNormalized(gamma: weight, beta: bias, groups: groups, eps: eps, silu: swish)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("weight", &weight)
    try visit("bias", &bias)
  }
}
