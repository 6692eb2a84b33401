import CKernels
import Testing

private let extents = [
  Extent(1, 1, 2), Extent(2, 3, 1), Extent(3, 16, 4), Extent(2, 37, 5), Extent(1, 20, 12),
  Extent(2, 18, 4500), Extent(20, 33, 40),
]

/// `scale · (x - center) + shift` per channel, then the leaky ReLU.
private func affine(
  _ x: [Double], _ extent: Extent, slope: Double, _ map: (_ channel: Int, _ x: Double) -> Double
) -> [Double] {
  x.indices.map { i in
    let u = map(i / extent.hw % extent.c, x[i])
    return u > 0 ? u : slope * u
  }
}

/// Mean and biased variance of every channel.
private func moments(_ x: [Double], _ extent: Extent) -> (mean: [Double], variance: [Double]) {
  var mean = [Double](repeating: 0, count: extent.c)
  var variance = mean
  let count = Double(extent.n * extent.hw)
  for i in x.indices { mean[i / extent.hw % extent.c] += x[i] / count }
  for i in x.indices {
    let channel = i / extent.hw % extent.c
    variance[channel] += (x[i] - mean[channel]) * (x[i] - mean[channel]) / count
  }
  return (mean, variance)
}

private func dot(_ y: [Double], _ dy: [Float]) -> Double {
  zip(y, dy).reduce(0) { $0 + $1.0 * Double($1.1) }
}

/// Compares entries with finite differences, on the scale of the largest (at least 1).
private func check(
  _ gradient: [Float], at point: [Float], _ name: String, indices: [Int]? = nil,
  _ loss: ([Double]) -> Double
) {
  let entries = indices ?? probes(gradient.count)
  let differences = finiteDifferences(of: loss, at: point, indices: entries, step: 1e-6)
  let worst = zip(entries, differences).map { abs(Double(gradient[$0]) - $1) }.max() ?? 0
  #expect(worst < 2e-5 * differences.reduce(1) { max($0, abs($1)) }, "\(name)")
}

@Suite struct SpatialBatchNormTests {
  @Test(arguments: extents)
  func momentsAndSumsMatchPlainLoops(extent: Extent) {
    let x = values(extent.count, seed: 20, in: 9...11)
    let expected = moments(x.map(Double.init), extent)
    let blocked = extent.blocked(x)
    var mean = [Float](repeating: .nan, count: extent.c)
    var variance = mean
    var sums = mean
    ck_channel_moments(blocked, &mean, &variance, extent.n, extent.c, extent.hw)
    ck_channel_sums(blocked, &sums, extent.n, extent.c, extent.hw)
    #expect(relativeError(mean, expected.mean) < 1e-6)
    #expect(relativeError(variance, expected.variance) < 1e-6)
    let count = Double(extent.n * extent.hw)
    #expect(relativeError(sums, expected.mean.map { $0 * count }) < 1e-6)
  }

  @Test(arguments: extents, [1, 0.2] as [Float])
  func batchNormMatchesTheReference(extent: Extent, slope: Float) {
    let x = values(extent.count, seed: 21, in: -1...2)
    let dy = values(extent.count, seed: 22)
    let gamma = values(extent.c, seed: 23, in: 0.5...1.5)
    let beta = values(extent.c, seed: 24)
    func reference(_ x: [Double], _ gamma: [Double], _ beta: [Double]) -> [Double] {
      let (mean, variance) = moments(x, extent)
      return affine(x, extent, slope: Double(slope)) { channel, x in
        let normalised = (x - mean[channel]) / (variance[channel] + 1e-5).squareRoot()
        return gamma[channel] * normalised + beta[channel]
      }
    }
    let wideX = x.map(Double.init)
    let wideGamma = gamma.map(Double.init)
    let wideBeta = beta.map(Double.init)

    let blocked = extent.blocked(x)
    var mean = [Float](repeating: .nan, count: extent.c)
    var variance = mean
    ck_channel_moments(blocked, &mean, &variance, extent.n, extent.c, extent.hw)
    let rstd = variance.map { 1 / ($0 + 1e-5).squareRoot() }
    var y = extent.unwritten
    ck_batch_norm_forward(
      blocked, mean, rstd, gamma, beta, &y, extent.n, extent.c, extent.hw, slope)
    #expect(relativeError(extent.plain(y), reference(wideX, wideGamma, wideBeta)) < 3e-6)
    #expect(extent.hasZeroPadding(y))

    var dx = extent.unwritten
    var dgamma = mean
    var dbeta = mean
    ck_batch_norm_backward(
      blocked, extent.blocked(dy), mean, rstd, gamma, beta, &dx, &dgamma, &dbeta, extent.n,
      extent.c, extent.hw, slope)
    #expect(extent.hasZeroPadding(dx))
    let some = extent.count > 10_000 ? [0, extent.c - 1] : nil
    check(extent.plain(dx), at: x, "dx") { dot(reference($0, wideGamma, wideBeta), dy) }
    check(dgamma, at: gamma, "dgamma", indices: some) { dot(reference(wideX, $0, wideBeta), dy) }
    check(dbeta, at: beta, "dbeta", indices: some) { dot(reference(wideX, wideGamma, $0), dy) }

    var alone = extent.unwritten
    ck_batch_norm_backward(
      blocked, extent.blocked(dy), mean, rstd, gamma, beta, &alone, nil, nil, extent.n, extent.c,
      extent.hw, slope)
    #expect(alone == dx)
  }

  @Test(arguments: extents, [1, 0.2] as [Float])
  func channelAffineMatchesTheReference(extent: Extent, slope: Float) {
    let dy = values(extent.count, seed: 26)
    let loc = values(extent.c, seed: 27)
    // No x within a step of its channel's zero, where the leaky ReLU has no derivative.
    let x = values(extent.count, seed: 25).enumerated().map { i, x in
      abs(x + loc[i / extent.hw % extent.c]) < 1e-3 ? x + 2e-3 : x
    }
    let scale = values(extent.c, seed: 28, in: 0.5...1.5)
    func reference(_ x: [Double], _ loc: [Double], _ scale: [Double]) -> [Double] {
      affine(x, extent, slope: Double(slope)) { channel, x in scale[channel] * (x + loc[channel]) }
    }
    let wideX = x.map(Double.init)
    let wideLoc = loc.map(Double.init)
    let wideScale = scale.map(Double.init)
    let blocked = extent.blocked(x)
    var y = extent.unwritten
    ck_channel_affine_forward(
      blocked, loc, scale, &y, extent.n, extent.c, extent.hw, slope)
    #expect(relativeError(extent.plain(y), reference(wideX, wideLoc, wideScale)) < 1e-6)
    #expect(extent.hasZeroPadding(y))

    var dx = extent.unwritten
    var dloc = [Float](repeating: .nan, count: extent.c)
    var dscale = dloc
    ck_channel_affine_backward(
      blocked, extent.blocked(dy), loc, scale, &dx, &dloc, &dscale, extent.n, extent.c, extent.hw,
      slope)
    #expect(extent.hasZeroPadding(dx))
    let some = extent.count > 10_000 ? [0, extent.c - 1] : nil
    check(extent.plain(dx), at: x, "dx") { dot(reference($0, wideLoc, wideScale), dy) }
    check(dloc, at: loc, "dloc", indices: some) { dot(reference(wideX, $0, wideScale), dy) }
    check(dscale, at: scale, "dscale", indices: some) { dot(reference(wideX, wideLoc, $0), dy) }

    var alone = extent.unwritten
    ck_channel_affine_backward(
      blocked, extent.blocked(dy), loc, scale, &alone, nil, nil, extent.n, extent.c, extent.hw,
      slope)
    #expect(alone == dx)
  }

  @Test(arguments: [Extent(2, 18, 9001), Extent(40, 33, 100)])
  func threadsDoNotChangeTheBits(extent: Extent) {
    let x = extent.blocked(values(extent.count, seed: 29))
    let scale = values(extent.c, seed: 30, in: 0.5...1.5)
    #expect(
      sameForAnyThreads {
        var mean = scale
        var variance = scale
        var sums = scale
        var y = x
        var dx = x
        var affineDX = x
        var dgamma = scale
        var dbeta = scale
        var dloc = scale
        var dscale = scale
        ck_channel_moments(x, &mean, &variance, extent.n, extent.c, extent.hw)
        ck_channel_sums(x, &sums, extent.n, extent.c, extent.hw)
        ck_batch_norm_forward(
          x, mean, scale, scale, mean, &y, extent.n, extent.c, extent.hw, 0.2)
        ck_batch_norm_backward(
          x, y, mean, scale, scale, mean, &dx, &dgamma, &dbeta, extent.n, extent.c, extent.hw, 0.2)
        ck_channel_affine_backward(
          x, y, mean, scale, &affineDX, &dloc, &dscale, extent.n, extent.c, extent.hw, 0.2)
        return [mean, variance, sums, y, dx, dgamma, dbeta, affineDX, dloc, dscale]
      })
  }
}
