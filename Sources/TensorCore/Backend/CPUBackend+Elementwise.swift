// Elementwise operations and reductions on the processor.
import CKernels

extension CPUBackend {
  func activate(_ function: Activation, _ x: Input, _ y: Output, _ count: Int) {
    switch function {
    case .relu: ck_relu_forward(x, y, count)
    case .leakyReLU(let slope): ck_leaky_relu_forward(x, y, slope, count)
    case .silu: ck_silu_forward(x, y, count)
    case .gelu: ck_gelu_forward(x, y, count)
    case .softplus: ck_softplus_forward(x, y, count)
    }
  }

  func activateBackward(
    _ function: Activation, _ saved: Input, _ dy: Input, _ dx: Output, _ count: Int
  ) {
    switch function {
    case .relu: ck_relu_backward(saved, dy, dx, count)
    case .leakyReLU(let slope): ck_leaky_relu_backward(saved, dy, dx, slope, count)
    case .silu: ck_silu_backward(saved, dy, dx, count)
    case .gelu: ck_gelu_backward(saved, dy, dx, count)
    case .softplus: ck_softplus_backward(saved, dy, dx, count)
    }
  }

  func biasGELU(_ x: Input, _ bias: Input, _ y: Output, _ m: Int, _ c: Int) {
    ck_bias_gelu_forward(x, bias, y, m, c)
  }

  func biasGELUBackward(
    _ x: Input, _ bias: Input, _ dy: Input, _ dx: Output, _ m: Int, _ c: Int
  ) {
    ck_bias_gelu_backward(x, bias, dy, dx, m, c)
  }

  func add(_ a: Input, _ b: Input, _ y: Output, _ count: Int) { ck_add(a, b, y, count) }

  func subtract(_ a: Input, _ b: Input, _ y: Output, _ count: Int) { ck_subtract(a, b, y, count) }

  func multiply(_ a: Input, _ b: Input, _ y: Output, _ count: Int) { ck_multiply(a, b, y, count) }

  func scale(_ x: Input, _ y: Output, _ alpha: Float, _ beta: Float, _ count: Int) {
    ck_scale(x, y, alpha, beta, count)
  }

  func accumulate(_ x: Input, _ y: Output, _ alpha: Float, _ count: Int) {
    ck_accumulate(x, y, alpha, count)
  }

  func signOfDifference(_ a: Input, _ b: Input, _ y: Output, _ scale: Float, _ count: Int) {
    ck_sign_difference(a, b, y, scale, count)
  }

  func scaleChannels(
    _ x: Input, _ scale: Input, _ shift: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int
  ) {
    ck_plain_channel_scale(x, scale, shift, y, n, c, hw)
  }

  func addBias(_ x: Input, _ bias: Input, _ y: Output, _ m: Int, _ c: Int) {
    ck_add_bias(x, bias, y, m, c)
  }

  func dropout(_ x: Input, _ mask: UnsafePointer<UInt8>, _ y: Output, _ rate: Float, _ count: Int) {
    ck_dropout(x, mask, y, rate, count)
  }

  func allFinite(_ x: Input, _ count: Int) -> Bool { ck_all_finite(x, count) != 0 }

  func sum(_ x: Input, _ count: Int) -> Double { ck_sum(x, count) }

  func sumOfAbsoluteDifferences(_ a: Input, _ b: Input, _ count: Int) -> Double {
    ck_sum_of_absolute_differences(a, b, count)
  }

  func sumOfSquares(_ x: Input, _ count: Int) -> Double { ck_sum_of_squares(x, count) }

  func sumOfSquaredDifferences(_ a: Input, _ b: Input, _ count: Int) -> Double {
    ck_sum_of_squared_differences(a, b, count)
  }

  func rowSums(_ dy: Input, _ db: Output, _ m: Int, _ c: Int) { ck_row_sums(dy, db, m, c) }
}
