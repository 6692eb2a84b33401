import Foundation
import TensorCore
import Testing

@Suite struct RandomSourceTests {
  @Test func theSameSeedDrawsTheSame() {
    var (a, b) = (RandomSource(seed: 7), RandomSource(seed: 7))
    #expect((0..<100).map { _ in a.next() } == (0..<100).map { _ in b.next() })
    #expect(a == b)
    var other = RandomSource(seed: 8)
    var again = RandomSource(seed: 7)
    #expect((0..<8).map { _ in other.next() } != (0..<8).map { _ in again.next() })
  }

  @Test func streamsDiffer() {
    let source = RandomSource(seed: 3)
    let purposes = ["shuffle", "dropout", "sample", ""].map(source.stream)
    let items = (0..<1000).map(source.stream)
    let nested = items.prefix(20).flatMap { item in (0..<20).map(item.stream) }
    let firsts = ([source] + purposes + items + nested).map { stream in
      var stream = stream
      return stream.next()
    }
    #expect(Set(firsts).count == firsts.count)
  }

  @Test(arguments: Device.all)
  func fillsGoOnWhereTheyStopped(device: Device) {
    var (whole, parts) = (RandomSource(seed: 5), RandomSource(seed: 5))
    let all = whole.normal([12], on: device).elements()
    let pieces = parts.normal([4], on: device).elements() + parts.normal([8], on: device).elements()
    #expect(all == pieces)
    // A fill that ends inside a block of four leaves the rest of it alone.
    var odd = RandomSource(seed: 5)
    _ = odd.uniform([5], on: device)
    #expect(odd.position == 8)
  }

  @Test func everyDeviceDrawsTheSame() {
    let draws = Device.all.map { device in
      var random = RandomSource(seed: 9)
      return random.normal([1001], on: device).elements()
        + random.uniform([77], in: -2..<3, on: device).elements()
    }
    #expect(draws.allSatisfy { $0 == draws[0] })
  }

  @Test func aSourceSurvivesItsFile() throws {
    var source = RandomSource(seed: .max).stream("x").stream(12)
    _ = source.next()
    var restored = try JSONDecoder().decode(
      RandomSource.self, from: try JSONEncoder().encode(source))
    #expect(restored == source)
    #expect(restored.next() == source.next())
  }

  @Test(arguments: [1, 2, 3] as [UInt64])
  func drawsHaveTheirMoments(seed: UInt64) {
    var random = RandomSource(seed: seed)
    let count = 100_000
    let normal = random.normal([count], deviation: 2, mean: 1).elements().map(Double.init)
    let uniform = random.uniform([count], in: -1..<3).elements().map(Double.init)
    func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
      let mean = values.reduce(0, +) / Double(count)
      return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count))
    }
    // Five standard errors.
    #expect(abs(moments(normal).mean - 1) < 0.032)
    #expect(abs(moments(normal).variance - 4) < 0.09)
    #expect(abs(moments(uniform).mean - 1) < 0.019)
    #expect(abs(moments(uniform).variance - 16.0 / 12) < 0.019)
    #expect(uniform.allSatisfy { (-1..<3).contains($0) })
  }

  @Test func aPermutationHoldsEverythingOnce() {
    var random = RandomSource(seed: 6)
    for count in [0, 1, 2, 100] {
      #expect(random.permutation(count).sorted() == Array(0..<count))
    }
  }

  @Test(arguments: Device.all)
  func dropoutKeepsTheExpectation(device: Device) {
    var random = RandomSource(seed: 1)
    let ones = Tensor(repeating: 1, shape: [100_000], on: device)
    let dropped = ones.droppedOut(rate: 0.25, using: &random).elements()
    #expect(Set(dropped) == [0, 1 / 0.75])
    #expect(abs(dropped.reduce(0, +) / 100_000 - 1) < 0.01)
    #expect(ones.droppedOut(rate: 0.25, using: &random).elements() != dropped)
  }
}
