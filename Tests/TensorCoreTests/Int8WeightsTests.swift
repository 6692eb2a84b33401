import TensorCore
import TestSupport
import Testing

/// Linear maps whose weights are read in 8 bits.
@Suite struct Int8WeightsTests {
  private func device(like device: Device) throws -> Device {
    try #require(Optional(Device.int8))
  }

  /// Each row of weights is rounded to 127 steps of its largest value on either side, and nothing
  /// else is.
  @Test(
    arguments: Device.all,
    [(1, 48, 33), (1, 7, 200), (3, 9, 64), (17, 50, 130), (64, 5, 1), (90, 20, 70)])
  func weightsAloneAreRounded(on exact: Device, size: (m: Int, n: Int, k: Int)) throws {
    let (m, n, k) = size
    let device = try device(like: exact)
    var random = RandomSource(seed: 8)
    let x = random.normal([m, k], deviation: 1, on: exact)
    var weights = random.normal([n, k], deviation: 0.1, on: exact).elements()
    for index in 0..<k { weights[index] = 0 }  // a row without a largest value
    let bias = random.normal([n], deviation: 1, on: exact)
    let rounded = (0..<n).flatMap { row -> [Float] in
      let values = weights[row * k..<row * k + k]
      let scale = (values.map(abs).max() ?? 0) / 127
      return values.map { scale == 0 ? 0 : ($0 / scale).rounded(.toNearestOrEven) * scale }
    }
    let found = x.moved(to: device).linear(
      Tensor(weights, shape: [n, k], on: device), bias: bias.moved(to: device)
    ).elements()
    let expected = x.linear(Tensor(rounded, shape: [n, k], on: exact), bias: bias).elements()
    let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 1
    // A value in the middle between two steps may go either way.
    #expect(worst < 2e-3, "\(worst)")
  }

  /// The bytes follow the weights that they stand for.
  @Test func changedWeightsAreRoundedAgain() throws {
    let device = try device(like: .default)
    let x = Tensor(repeating: 1, shape: [1, 32], on: device)
    var weight = Tensor(repeating: 1, shape: [4, 32], on: device)
    #expect(x.linear(weight, bias: nil).elements() == [32, 32, 32, 32])
    weight.moveAverage(towards: Tensor(repeating: 3, shape: [4, 32], on: device), decay: 0.5)
    #expect(x.linear(weight, bias: nil).elements() == [64, 64, 64, 64])
  }
}
