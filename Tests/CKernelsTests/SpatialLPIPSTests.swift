import CKernels
import Testing

private let extents = [
  Extent(1, 1, 1), Extent(2, 3, 5), Extent(1, 16, 16), Extent(2, 37, 19), Extent(3, 64, 2),
  Extent(2, 512, 150),
]

/// The distances `[N]` of plain features in double precision.
private func reference(_ a: [Double], _ b: [Double], _ weights: [Float], _ extent: Extent)
  -> [Double]
{
  (0..<extent.n).map { image in
    var sum = 0.0
    for pixel in 0..<extent.hw {
      let positions = (0..<extent.c).map { (image * extent.c + $0) * extent.hw + pixel }
      let lengthA = positions.reduce(0) { $0 + a[$1] * a[$1] }.squareRoot() + 1e-10
      let lengthB = positions.reduce(0) { $0 + b[$1] * b[$1] }.squareRoot() + 1e-10
      for (channel, position) in positions.enumerated() {
        let d = a[position] / lengthA - b[position] / lengthB
        sum += Double(weights[channel]) * d * d
      }
    }
    return sum / Double(extent.hw)
  }
}

@Suite struct SpatialLPIPSTests {
  @Test(arguments: extents)
  func distanceAndGradientMatchTheReference(extent: Extent) {
    let a = values(extent.count, seed: 36, in: -0.2...1)
    let b = values(extent.count, seed: 37, in: -0.2...1)
    let weights = values(extent.c, seed: 38, in: 0...1)
    let ddistance = values(extent.n, seed: 39, in: 0.5...2)
    let wideA = a.map(Double.init)
    var distance = [Float](repeating: .nan, count: extent.n)
    ck_lpips_forward(
      extent.blocked(a), extent.blocked(b), weights, &distance, extent.n, extent.c, extent.hw)
    // With one channel the unit vectors are signs and may be equal.
    let expected = reference(wideA, b.map(Double.init), weights, extent)
    #expect(zip(distance, expected).allSatisfy { abs(Double($0) - $1) <= 2e-6 * $1 + 1e-12 })

    var db = extent.unwritten
    ck_lpips_backward(
      extent.blocked(a), extent.blocked(b), weights, ddistance, &db, extent.n, extent.c, extent.hw)
    #expect(extent.hasZeroPadding(db))
    let entries = probes(extent.count)
    let differences = finiteDifferences(
      of: { b in
        zip(reference(wideA, b, weights, extent), ddistance).reduce(0) {
          $0 + $1.0 * Double($1.1)
        }
      }, at: b, indices: entries)
    let gradient = extent.plain(db)
    let scale = differences.reduce(1e-4) { max($0, abs($1)) }
    for (entry, difference) in zip(entries, differences) {
      #expect(abs(Double(gradient[entry]) - difference) < 5e-5 * scale, "entry \(entry)")
    }
  }

  @Test func blackFramesHaveZeroGradient() {
    let extent = Extent(1, 20, 18)
    let a = extent.blocked(values(extent.count, seed: 40))
    let weights = values(extent.c, seed: 41, in: 0...1)
    let black = [Float](repeating: 0, count: extent.blockedCount)
    var distance: [Float] = [.nan]
    var db = extent.unwritten
    ck_lpips_forward(a, black, weights, &distance, 1, extent.c, extent.hw)
    ck_lpips_backward(a, black, weights, [1], &db, 1, extent.c, extent.hw)
    #expect(distance[0] > 0)
    #expect(db.allSatisfy { $0 == 0 })
    ck_lpips_forward(black, black, weights, &distance, 1, extent.c, extent.hw)
    #expect(distance[0] == 0)
  }

  @Test func threadsDoNotChangeTheBits() {
    let extent = Extent(2, 70, 3001)
    let a = extent.blocked(values(extent.count, seed: 42))
    let b = extent.blocked(values(extent.count, seed: 43))
    let weights = values(extent.c, seed: 44, in: 0...1)
    #expect(
      sameForAnyThreads {
        var distance = [Float](repeating: .nan, count: 2)
        var db = extent.unwritten
        ck_lpips_forward(a, b, weights, &distance, 2, extent.c, extent.hw)
        ck_lpips_backward(a, b, weights, [1, 2], &db, 2, extent.c, extent.hw)
        return [distance, db]
      })
  }
}
