import NN
import TensorCore
import TestSupport
import Testing

/// Mean and unbiased variance of each channel of `[N, C, H, W]`.
private func moments(_ x: Tensor) -> (mean: [Double], variance: [Double]) {
  let (n, c, hw) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
  let elements = x.elements().map(Double.init)
  var (means, variances): ([Double], [Double]) = ([], [])
  for channel in 0..<c {
    var values: [Double] = []
    for item in 0..<n {
      let start = (item * c + channel) * hw
      values += elements[start..<start + hw]
    }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.map { ($0 - mean) * ($0 - mean) }
    means.append(mean)
    variances.append(squares.reduce(0, +) / Double(values.count - 1))
  }
  return (means, variances)
}

private func isNear(_ a: [Float], _ b: [Double], _ tolerance: Double = 1e-4) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { abs(Double($0) - $1) <= tolerance * max(abs($1), 1) }
}

@Suite struct NormalizationTests {
  @Test(arguments: Device.all)
  func batchNormMovesItsRunningStatistics(device: Device) {
    var random = RandomSource(seed: 1)
    var norm = BatchNorm2d(channels: 5, using: &random, on: device)
    let batches = (0..<3).map { _ in
      random.normal([2, 5, 3, 4], deviation: 2, mean: 1, on: device)
    }
    var mean = [Double](repeating: 0, count: 5)
    var variance = [Double](repeating: 1, count: 5)
    for batch in batches {
      _ = norm(batch, slope: 1, training: true)
      let found = moments(batch)
      for c in 0..<5 {
        mean[c] = 0.9 * mean[c] + 0.1 * found.mean[c]
        variance[c] = 0.9 * variance[c] + 0.1 * found.variance[c]
      }
    }
    #expect(isNear(norm.runningMean.elements(), mean))
    #expect(isNear(norm.runningVariance.elements(), variance))
  }

  @Test(arguments: Device.all)
  func batchNormEvaluatesByRunningStatistics(device: Device) {
    var random = RandomSource(seed: 2)
    var norm = BatchNorm2d(channels: 3, using: &random, on: device)
    norm.runningMean.assign(Tensor([1, -2, 0.5], shape: [3], on: device))
    norm.runningVariance.assign(Tensor([4, 0.25, 1], shape: [3], on: device))
    norm.weight.assign(Tensor([2, 0, -1], shape: [3], on: device))
    norm.bias.assign(Tensor([0.5, 0, 3], shape: [3], on: device))
    let x = random.normal([2, 3, 2, 2], on: device)
    let before = norm.runningMean.elements()
    let found = norm(x, slope: 0.2, training: false).elements()
    let (mean, variance): ([Float], [Float]) = ([1, -2, 0.5], [4, 0.25, 1])
    let (weight, bias): ([Float], [Float]) = ([2, 0, -1], [0.5, 0, 3])
    let expected = x.elements().enumerated().map { index, value -> Double in
      let c = index / 4 % 3
      let y = (value - mean[c]) / (variance[c] + 1e-5).squareRoot() * weight[c] + bias[c]
      return Double(y < 0 ? 0.2 * y : y)
    }
    #expect(isNear(found, expected))
    #expect(norm.runningMean.elements() == before)
  }

  @Test(arguments: Device.all)
  func batchNormKeepsItsBiasWhereTheWeightIsZero(device: Device) {
    var random = RandomSource(seed: 2)
    var norm = BatchNorm2d(channels: 2, using: &random, on: device)
    norm.weight.assign(Tensor([0, 1], shape: [2], on: device))
    norm.bias.assign(Tensor([0.5, 0], shape: [2], on: device))
    let x = random.normal([1, 2, 2, 2], on: device)
    let first = norm(x, slope: 1, training: false).elements().prefix(4)
    #expect(isNear(Array(first), [0.5, 0.5, 0.5, 0.5]))
  }

  @Test(arguments: Device.all)
  func actNormIsSetByTheFirstTrainingBatch(device: Device) {
    var random = RandomSource(seed: 3)
    var norm = ActNorm(channels: 4, on: device)
    let x = random.normal([3, 4, 5, 2], deviation: 3, mean: -2, on: device)
    _ = norm(x, slope: 1, training: false)
    #expect(norm.initialized.item() == 0)
    let y = norm(x, slope: 1, training: true)
    #expect(norm.initialized.item() == 1)
    #expect(isNear(moments(y).mean.map { Float($0) }, [0, 0, 0, 0]))
    #expect(isNear(moments(y).variance.map { Float($0) }, [1, 1, 1, 1]))
    let loc = norm.loc.elements()
    _ = norm(x.scaled(by: 5), slope: 1, training: true)
    #expect(norm.loc.elements() == loc)
    #expect(norm.loc.isTracked && norm.scale.isTracked)
  }

  @Test(arguments: [[1, 32, 4, 4], [2, 64, 3, 5], [3, 128, 1, 1]], Device.all)
  func layersMatchFiniteDifferences(shape: [Int], device: Device) throws {
    var random = RandomSource(seed: 7)
    let x = random.normal(Shape(shape), on: device)
    try checkGradient(of: GroupNorm(channels: shape[1], on: device), at: x) { $0($1, swish: true) }
    let rows = x.reshaped([x.count / shape[1], shape[1]])
    try checkGradient(of: LayerNorm(channels: shape[1], on: device), at: rows) { $0($1) }
    try checkGradient(
      of: Conv2d(shape[1], 8, kernel: 3, .init(padding: 1), using: &random, on: device), at: x
    ) { $0($1) }
    try checkGradient(
      of: Linear(shape[1], 5, deviation: 1, using: &random, on: device), at: rows
    ) { $0($1) }
  }

  @Test(arguments: [true, false], Device.all)
  func batchNormMatchesFiniteDifferences(training: Bool, device: Device) throws {
    var random = RandomSource(seed: 8)
    var norm = BatchNorm2d(channels: 3, using: &random, on: device)
    norm.runningMean.assign(Tensor([1, -2, 0.5], shape: [3], on: device))
    norm.runningVariance.assign(Tensor([4, 0.25, 1], shape: [3], on: device))
    norm.bias.assign(random.normal([3], on: device))
    let x = random.normal([2, 3, 2, 3], on: device)
    for slope: Float in [1, 0.2] {
      try checkGradient(of: norm, at: x, step: 1e-3) { (layer: inout BatchNorm2d, x: Tensor) in
        layer(x, slope: slope, training: training)
      }
    }
  }

  @Test(arguments: Device.all)
  func embeddingMatchesFiniteDifferences(device: Device) throws {
    var random = RandomSource(seed: 9)
    let table = Embedding(weight: random.normal([5, 4], on: device))
    let indices = IndexTensor([3, 0, 3, 4], shape: [2, 2])
    // The input only shows that the table's gradient passes through what follows.
    try checkGradient(of: table, at: random.normal([2, 2, 4], on: device)) { $0(indices) * $1 }
  }

  @Test(arguments: Device.all)
  func actNormMatchesFiniteDifferences(device: Device) throws {
    var random = RandomSource(seed: 7)
    var actNorm = ActNorm(channels: 3, on: device)
    actNorm.initialized = Tensor(1, on: device)
    let x = random.normal([2, 3, 2, 3], on: device)
    try checkGradient(of: actNorm, at: x) { (layer: inout ActNorm, x: Tensor) in
      layer(x, slope: 1, training: true)
    }
  }
}
