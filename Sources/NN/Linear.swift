// A linear layer.
import TensorCore

/// `x · weightᵀ + bias` over the last axis.
package struct Linear: Layer {
  package var weight: Tensor  // [O, I]
  package var bias: Tensor?  // [O]

  package init(weight: Tensor, bias: Tensor?) {
    self.weight = weight.trainable()
    self.bias = bias?.trainable()
  }

  /// Weights N(0, deviation²), bias 0: minGPT's initialisation with deviation 0.02.
  package init(
    _ inputs: Int, _ outputs: Int, bias: Bool = true, deviation: Float = 0.02,
    using random: inout RandomSource, on device: Device
  ) {
    self.init(
      weight: random.normal([outputs, inputs], deviation: deviation, on: device),
      bias: bias ? Tensor(repeating: 0, shape: [outputs], on: device) : nil)
  }

  /// `[…, I]` to `[…, O]`.
  package func callAsFunction(_ x: Tensor) -> Tensor { x.linear(weight, bias: bias) }

  /// GELU of what the layer gives, bias and GELU in one pass.
  package func activatedByGELU(_ x: Tensor) -> Tensor {
    guard let bias else { return self(x).activated(.gelu) }
    return x.linearGELU(weight, bias: bias)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("weight", &weight)
    try bias?.visit(as: "bias", visit)
  }
}
