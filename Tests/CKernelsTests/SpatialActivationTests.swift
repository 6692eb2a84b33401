import CKernels
import Foundation
import Testing

/// An activation: its kernels and its formula.
private struct Activation: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var forward: @Sendable (_ x: [Float], _ y: inout [Float]) -> Void
  /// From the input, the output and the gradient of the output.
  var backward: @Sendable (_ x: [Float], _ y: [Float], _ dy: [Float], _ dx: inout [Float]) -> Void
  var formula: @Sendable (Double) -> Double
}

private let activations = [
  Activation(
    testDescription: "relu", forward: { ck_relu_forward($0, &$1, $0.count) },
    backward: { ck_relu_backward($1, $2, &$3, $0.count) }, formula: { max($0, 0) }),
  Activation(
    testDescription: "leaky relu", forward: { ck_leaky_relu_forward($0, &$1, 0.2, $0.count) },
    backward: { ck_leaky_relu_backward($1, $2, &$3, 0.2, $0.count) },
    formula: { $0 > 0 ? $0 : 0.2 * $0 }),
  Activation(
    testDescription: "silu", forward: { ck_silu_forward($0, &$1, $0.count) },
    backward: { ck_silu_backward($0, $2, &$3, $0.count) }, formula: { $0 / (1 + exp(-$0)) }),
  Activation(
    testDescription: "gelu", forward: { ck_gelu_forward($0, &$1, $0.count) },
    backward: { ck_gelu_backward($0, $2, &$3, $0.count) },
    formula: { $0 * 0.5 * erfc(-$0 / 2.0.squareRoot()) }),
  Activation(
    testDescription: "softplus", forward: { ck_softplus_forward($0, &$1, $0.count) },
    backward: { ck_softplus_backward($0, $2, &$3, $0.count) },
    formula: { max($0, 0) + log1p(exp(-abs($0))) }),
]

/// Covers [-30, 30]; no value within a step of zero, where the ReLUs have no derivative.
private func inputs(_ count: Int) -> [Float] {
  (0..<count).map { (Float($0) + 0.37) / Float(count) * 60 - 30 }
}

@Suite struct SpatialActivationTests {
  @Test(arguments: activations, [1, 15, 16, 1001, 70_003])
  private func forwardMatchesTheFormula(activation: Activation, count: Int) {
    let x = inputs(count)
    var y = [Float](repeating: .nan, count: count)
    activation.forward(x, &y)
    for (x, y) in zip(x, y) {
      let expected = activation.formula(Double(x))
      #expect(abs(Double(y) - expected) <= 4e-7 * max(abs(Double(x)), 1), "at \(x)")
    }
  }

  @Test(arguments: activations, [1, 17, 1000])
  private func backwardMatchesFiniteDifferences(activation: Activation, count: Int) {
    let x = inputs(count)
    let dy = values(count, seed: 7)
    var y = [Float](repeating: .nan, count: count)
    var dx = y
    activation.forward(x, &y)
    activation.backward(x, y, dy, &dx)
    for i in 0..<count {
      let h = 1e-5
      let slope =
        (activation.formula(Double(x[i]) + h) - activation.formula(Double(x[i]) - h)) / (2 * h)
      #expect(abs(Double(dx[i]) - slope * Double(dy[i])) < 2e-6, "at \(x[i])")
    }
  }

  @Test(arguments: activations)
  private func nothingOverflowsAndNaNStays(activation: Activation) {
    let x: [Float] = [-1e30, -1000, -100, 100, 1000, 1e30]
    var y = x
    activation.forward(x, &y)
    for (x, y) in zip(x, y) {
      let expected = Float(activation.formula(Double(x)))
      #expect(abs(y - expected) <= 1e-6 * abs(expected) + 1e-6, "at \(x)")
    }
    var nan: [Float] = [.nan]
    activation.forward([.nan], &nan)
    #expect(nan[0].isNaN)
  }

  @Test(arguments: activations)
  private func resultsMayReplaceArguments(activation: Activation) {
    let x = inputs(1013)
    let dy = values(1013, seed: 8)
    var y = x
    activation.forward(x, &y)
    var dx = y
    activation.backward(x, y, dy, &dx)

    var inPlace = x
    inPlace.withUnsafeMutableBufferPointer { buffer in
      let pointer = buffer.baseAddress
      switch activation.testDescription {
      case "relu": ck_relu_forward(pointer, pointer, buffer.count)
      case "leaky relu": ck_leaky_relu_forward(pointer, pointer, 0.2, buffer.count)
      case "silu": ck_silu_forward(pointer, pointer, buffer.count)
      case "gelu": ck_gelu_forward(pointer, pointer, buffer.count)
      default: ck_softplus_forward(pointer, pointer, buffer.count)
      }
    }
    #expect(inPlace == y)
    var gradientInPlace = dy
    gradientInPlace.withUnsafeMutableBufferPointer { buffer in
      let pointer = buffer.baseAddress
      switch activation.testDescription {
      case "relu": ck_relu_backward(y, pointer, pointer, buffer.count)
      case "leaky relu": ck_leaky_relu_backward(y, pointer, pointer, 0.2, buffer.count)
      case "silu": ck_silu_backward(x, pointer, pointer, buffer.count)
      case "gelu": ck_gelu_backward(x, pointer, pointer, buffer.count)
      default: ck_softplus_backward(x, pointer, pointer, buffer.count)
      }
    }
    #expect(gradientInPlace == dx)
  }

  @Test(arguments: activations)
  private func threadsDoNotChangeTheBits(activation: Activation) {
    let x = values(200_001, seed: 9, in: -4...4)
    #expect(
      sameForAnyThreads {
        var y = x
        var dx = x
        activation.forward(x, &y)
        activation.backward(x, y, x, &dx)
        return [y, dx]
      })
  }
}
