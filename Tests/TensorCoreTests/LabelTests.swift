import TensorCore
import Testing

/// Label maps against the one-hot channels that they stand for.
@Suite struct LabelTests {
  static let shape = (n: 2, labels: 19, h: 5, w: 4)

  static func oneHot(_ map: IndexTensor, labels: Int, on device: Device) -> Tensor {
    let (n, positions) = (map.shape[0], map.shape[1] * map.shape[2])
    var values = [Float](repeating: 0, count: n * labels * positions)
    for (index, label) in map.elements.enumerated() {
      values[(index / positions * labels + Int(label)) * positions + index % positions] = 1
    }
    return Tensor(values, shape: [n, labels, map.shape[1], map.shape[2]], on: device)
  }

  static var map: IndexTensor {
    IndexTensor(
      (0..<shape.n * shape.h * shape.w).map { ($0 * 11 + $0 / 5) % shape.labels },
      shape: [shape.n, shape.h, shape.w])
  }

  @Test(arguments: Device.all) func convolutionsEqualThoseOfOneHotChannels(device: Device) {
    var random = RandomSource(seed: 4)
    let weights = random.normal([7, Self.shape.labels, 3, 3], on: device).trainable()
    let bias = random.normal([7], on: device).trainable()
    let upstream = random.normal([2, 7, 5, 4], on: device)
    let x = Self.oneHot(Self.map, labels: Self.shape.labels, on: device)
    let expected = x.convolved(with: weights, bias: bias, .init(padding: 1))
    let found = Self.map.convolved(with: weights, bias: bias)
    #expect(relativeDifference(found.elements(), expected.elements()) < 1e-5)
    let (a, b) = (backward([(found, upstream)]), backward([(expected, upstream)]))
    for parameter in [weights, bias] {
      let (one, other) = (a[parameter]?.elements() ?? [], b[parameter]?.elements() ?? [])
      #expect(relativeDifference(one, other) < 1e-5)
    }
  }

  @Test(arguments: Device.all) func lossIsTheMeanOverAllChannels(device: Device) {
    var random = RandomSource(seed: 5)
    let logits = random.normal([2, Self.shape.labels, 5, 4], deviation: 4, on: device)
    let target = Self.oneHot(Self.map, labels: Self.shape.labels, on: device)
    let expected =
      logits.activated(.softplus).mean().item() - (logits * target).sum().item()
      / Float(logits.count)
    let found = logits.blocked().labelCrossEntropy(Self.map).item()
    #expect(abs(found - expected) < 1e-5 * abs(expected), "\(found), \(expected)")
    #expect(target.blocked().largestChannels() == Self.map)
  }
}
