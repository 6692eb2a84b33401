import TensorCore
import TestSupport
import Testing

/// Matrix products in bfloat16; where the processor has none, that none are offered.
@Suite struct BFloat16Tests {
  /// To the nearest bfloat16, ties to even.
  private func rounded(_ x: Float) -> Float {
    let bits = x.bitPattern
    return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
  }

  /// Both factors are rounded, and nothing else is.
  @Test(arguments: [
    (1, 48, 33), (1, 9, 300), (6, 50, 130), (40, 48, 33), (64, 32, 200), (128, 256, 512),
  ])
  func linearLayersRoundTheirFactorsOnly(m: Int, n: Int, k: Int) throws {
    let exact = Device.default
    guard let device = try bfloat16Device() else { return }
    var random = RandomSource(seed: 4)
    func tensor(_ shape: Shape) -> Tensor {
      random.normal(shape, deviation: 1, on: exact)
    }
    let (x, weight, dy) = (tensor([m, k]), tensor([n, k]), tensor([m, n]))
    func results(_ device: Device, _ change: (Float) -> Float) -> [[Float]] {
      func position(_ tensor: Tensor) -> Tensor {
        Tensor(tensor.elements().map(change), shape: tensor.shape, on: device)
      }
      let (x, weight) = (position(x).trainable(), position(weight).trainable())
      let y = x.linear(weight, bias: nil)
      let gradients = backward([(y, position(dy))])
      return [y.elements()] + [x, weight].map { gradients[$0]?.elements() ?? [] }
    }
    let found = results(device) { $0 }
    let expected = results(exact, rounded)
    for (found, expected) in zip(found, expected) {
      #expect(found.count == expected.count && !found.isEmpty)
      let scale = expected.map(abs).max() ?? 1
      let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 1
      #expect(worst < 1e-5 * scale, "\(worst) of \(scale)")
    }
  }

  @Test func whatIsNotANumberStaysSo() throws {
    guard let device = try bfloat16Device() else { return }
    let values = (0..<64 * 64).map { $0 == 70 ? Float.nan : 1 }
    let x = Tensor(values, shape: [64, 64], on: device)
    let y = x.linear(Tensor(repeating: 1, shape: [64, 64], on: device), bias: nil)
    #expect(y.elements()[64..<128].allSatisfy { $0.isNaN })
    #expect(y.elements()[0..<64].allSatisfy { $0 == 64 })
  }
}
