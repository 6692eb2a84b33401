// A convolution layer.
import TensorCore

/// 2-D convolution with a bias; weights are kept in the blocked layout that the kernels read.
package struct Conv2d: Layer {
  package var weight: Tensor  // [O, I, k, k]
  package var bias: Tensor?  // [O]
  package let options: ConvolutionOptions

  package init(weight: Tensor, bias: Tensor?, _ options: ConvolutionOptions = .init()) {
    self.weight = weight.in(.blockedWeights).trainable()
    self.bias = bias?.trainable()
    self.options = options
  }

  /// Uniform initial values within ±1/√(I·k²), PyTorch's default.
  package init(
    _ inputs: Int, _ outputs: Int, kernel: Int, _ options: ConvolutionOptions = .init(),
    bias: Bool = true, using random: inout RandomSource, on device: Device
  ) {
    let bound = 1 / Float(inputs * kernel * kernel).squareRoot()
    let weight = random.uniform([outputs, inputs, kernel, kernel], in: -bound..<bound, on: device)
    self.init(
      weight: weight, bias: bias ? random.uniform([outputs], in: -bound..<bound, on: device) : nil,
      options)
  }

  /// - Parameters: x: `[N, I, H, W]`; relu: applies `max(·, 0)` in the same pass.
  /// - Returns: blocked `[N, O, H', W']`.
  package func callAsFunction(_ x: Tensor, relu: Bool = false) -> Tensor {
    x.convolved(with: weight, bias: bias, options, relu: relu)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("weight", &weight)
    try bias?.visit(as: "bias", visit)
  }
}
