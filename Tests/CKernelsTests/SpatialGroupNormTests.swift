import CKernels
import Foundation
import Testing

/// Sizes and groups of a group norm.
private struct GroupNormCase: CustomTestStringConvertible, Sendable {
  var extent: Extent
  var groups: Int
  var silu: Bool

  var testDescription: String {
    "\(extent.testDescription) in \(groups) groups\(silu ? ", SiLU" : "")"
  }

  /// Plain `y` in double precision.
  func reference(_ x: [Double], gamma: [Double], beta: [Double], eps: Double) -> [Double] {
    let size = extent.c / groups
    let run = size * extent.hw
    var y = x
    for group in 0..<(extent.n * groups) {
      let range = (group * run)..<((group + 1) * run)
      let mean = x[range].reduce(0, +) / Double(run)
      let variance = x[range].reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(run)
      for i in range {
        let channel = i / extent.hw % extent.c
        let z = gamma[channel] * (x[i] - mean) / (variance + eps).squareRoot() + beta[channel]
        y[i] = silu ? z / (1 + exp(-z)) : z
      }
    }
    return y
  }
}

private let cases = [
  (Extent(1, 32, 1), 4), (Extent(2, 32, 4), 32), (Extent(1, 6, 5), 2), (Extent(2, 48, 3), 3),
  (Extent(1, 40, 6), 1), (Extent(3, 64, 15), 32), (Extent(1, 96, 4), 32),
].flatMap { extent, groups in
  [true, false].map { GroupNormCase(extent: extent, groups: groups, silu: $0) }
}
private let large = [
  GroupNormCase(extent: Extent(1, 32, 4099), groups: 8, silu: true),
  GroupNormCase(extent: Extent(9, 70, 300), groups: 7, silu: false),
]

/// One call of the kernels on blocked copies.
private struct GroupNormRun {
  var y, mean, rstd, dx, dgamma, dbeta: [Float]

  init(_ test: GroupNormCase, x: [Float], dy: [Float], gamma: [Float], beta: [Float]) {
    let extent = test.extent
    let blockedX = extent.blocked(x)
    let silu: Int32 = test.silu ? 1 : 0
    y = extent.unwritten
    mean = [Float](repeating: .nan, count: extent.n * test.groups)
    rstd = mean
    ck_group_norm_forward(
      blockedX, gamma, beta, &y, &mean, &rstd, extent.n, extent.c, extent.hw, test.groups, 1e-6,
      silu)
    dx = extent.unwritten
    dgamma = [Float](repeating: .nan, count: extent.c)
    dbeta = dgamma
    ck_group_norm_backward(
      blockedX, extent.blocked(dy), gamma, beta, mean, rstd, &dx, &dgamma, &dbeta, extent.n,
      extent.c, extent.hw, test.groups, silu)
  }
}

@Suite struct SpatialGroupNormTests {
  @Test(arguments: cases + large)
  private func forwardAndGradientsMatchTheReference(test: GroupNormCase) {
    let extent = test.extent
    let x = values(extent.count, seed: 10, in: -1...3)
    let dy = values(extent.count, seed: 11)
    let gamma = values(extent.c, seed: 12, in: 0.5...1.5)
    let beta = values(extent.c, seed: 13)
    let run = GroupNormRun(test, x: x, dy: dy, gamma: gamma, beta: beta)
    #expect(extent.hasZeroPadding(run.y))
    #expect(extent.hasZeroPadding(run.dx))

    let wideX = x.map(Double.init)
    let wideGamma = gamma.map(Double.init)
    let wideBeta = beta.map(Double.init)
    let expected = test.reference(wideX, gamma: wideGamma, beta: wideBeta, eps: 1e-6)
    #expect(relativeError(extent.plain(run.y), expected) < 2e-6)

    func loss(_ x: [Double], _ gamma: [Double], _ beta: [Double]) -> Double {
      zip(test.reference(x, gamma: gamma, beta: beta, eps: 1e-6), dy).reduce(0) {
        $0 + $1.0 * Double($1.1)
      }
    }
    // Where one value is a whole group, the true gradient is nearly zero: compare with the scale of
    // dy.
    func check(_ gradient: [Float], _ differences: [Double], _ name: String) {
      let worst = zip(gradient, differences).map { abs(Double($0) - $1) }.max() ?? 0
      let scale = differences.reduce(1) { max($0, abs($1)) }
      #expect(worst < 2e-5 * scale, "\(name)")
    }
    let plainDX = extent.plain(run.dx)
    let xProbes = probes(x.count)
    check(
      xProbes.map { plainDX[$0] },
      finiteDifferences(
        of: { loss($0, wideGamma, wideBeta) }, at: x, indices: xProbes, step: 1e-4), "dx")
    let channelProbes = x.count > 10_000 ? [0, extent.c - 1] : Array(0..<extent.c)
    check(
      channelProbes.map { run.dgamma[$0] },
      finiteDifferences(of: { loss(wideX, $0, wideBeta) }, at: gamma, indices: channelProbes),
      "dgamma")
    check(
      channelProbes.map { run.dbeta[$0] },
      finiteDifferences(of: { loss(wideX, wideGamma, $0) }, at: beta, indices: channelProbes),
      "dbeta")
  }

  /// A mean of a thousand standard deviations leaves five digits of every value, and no fewer.
  @Test func varianceDoesNotCancel() {
    let test = GroupNormCase(extent: Extent(1, 32, 5000), groups: 4, silu: false)
    let x = values(test.extent.count, seed: 14, in: 999...1001)
    let ones = [Float](repeating: 1, count: 32)
    let zeros = [Float](repeating: 0, count: 32)
    let run = GroupNormRun(test, x: x, dy: x, gamma: ones, beta: zeros)
    let expected = test.reference(
      x.map(Double.init), gamma: ones.map(Double.init), beta: zeros.map(Double.init), eps: 1e-6)
    #expect(relativeError(test.extent.plain(run.y), expected) < 1e-4)
  }

  @Test func parameterGradientsAreOptional() {
    let extent = Extent(2, 32, 9)
    let x = extent.blocked(values(extent.count, seed: 15))
    let gamma = values(32, seed: 16)
    let mean = [Float](repeating: 0.1, count: 16)
    let rstd = [Float](repeating: 1.7, count: 16)
    var with = extent.unwritten
    var without = extent.unwritten
    var dgamma = gamma
    ck_group_norm_backward(
      x, x, gamma, gamma, mean, rstd, &with, &dgamma, nil, 2, 32, 9, 8, 1)
    ck_group_norm_backward(x, x, gamma, gamma, mean, rstd, &without, nil, nil, 2, 32, 9, 8, 1)
    #expect(with == without)
  }

  /// Two images are more than the backward pass keeps in the cache, one is not: both ways give the
  /// same bits.
  @Test func imagesDoNotDependOnTheirBatch() {
    let one = GroupNormCase(extent: Extent(1, 32, 70_000), groups: 8, silu: true)
    let two = GroupNormCase(extent: Extent(2, 32, 70_000), groups: 8, silu: true)
    let x = values(two.extent.count, seed: 20)
    let dy = values(two.extent.count, seed: 21)
    let gamma = values(32, seed: 22)
    let together = GroupNormRun(two, x: x, dy: dy, gamma: gamma, beta: gamma)
    let half = one.extent.count
    let alone = [0..<half, half..<(2 * half)].map { image in
      GroupNormRun(one, x: Array(x[image]), dy: Array(dy[image]), gamma: gamma, beta: gamma)
    }
    #expect(together.y == alone[0].y + alone[1].y)
    #expect(together.dx == alone[0].dx + alone[1].dx)
    let sums = zip(alone[0].dgamma, alone[1].dgamma).map { Double($0) + Double($1) }
    #expect(relativeError(together.dgamma, sums) < 1e-6)
  }

  @Test(arguments: large)
  private func threadsDoNotChangeTheBits(test: GroupNormCase) {
    let x = values(test.extent.count, seed: 17)
    let dy = values(test.extent.count, seed: 18)
    let gamma = values(test.extent.c, seed: 19)
    #expect(
      sameForAnyThreads {
        let run = GroupNormRun(test, x: x, dy: dy, gamma: gamma, beta: gamma)
        return [run.y, run.mean, run.rstd, run.dx, run.dgamma, run.dbeta]
      })
  }
}
