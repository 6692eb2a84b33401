import Foundation
import Models
import TensorCore
import Testing

@Suite struct GPTSamplerTests {
  @Test func topKKeepsTies() {
    let logits: [Float] = [1, 3, 2, 2, -1]
    let p = SamplingOptions(topK: 2).probabilities(logits)
    #expect(p.map { $0 > 0 } == [false, true, true, true, false])
    #expect(abs(p.reduce(0, +) - 1) < 1e-12)
    #expect(SamplingOptions(topK: 1).probabilities(logits) == [0, 1, 0, 0, 0])
    #expect(SamplingOptions(topK: 9).probabilities(logits).allSatisfy { $0 > 0 })
  }

  @Test func topPKeepsTheTokenThatCrossesTheShare() {
    // Probabilities 0.5, 0.3, 0.2
    let logits: [Float] = [0.5, 0.3, 0.2].map { Float(log($0)) }
    func kept(_ fraction: Double) -> [Bool] {
      SamplingOptions(topP: fraction).probabilities(logits).map { $0 > 0 }
    }
    #expect(kept(0.4) == [true, false, false])
    #expect(kept(0.6) == [true, true, false])
    #expect(kept(0.9) == [true, true, true])
    #expect(kept(1) == [true, true, true])
  }

  @Test func temperatureScalesLogits() {
    let p = SamplingOptions(temperature: 0.5).probabilities([0, Float(log(2.0))])
    #expect(abs(p[1] - 0.8) < 1e-6)
  }

  @Test(arguments: [1, 2, 7, 64])
  func quickselectFindsEveryRank(count: Int) {
    var random = RandomSource(seed: UInt64(count))
    let values = (0..<count).map { _ in Float(Int32.random(in: 0..<20, using: &random)) }
    let sorted = values.sorted(by: >)
    for rank in 1...count {
      #expect(SamplingOptions.value(ofRank: rank, in: values) == sorted[rank - 1])
    }
  }

  @Test func drawsFollowTheProbabilities() throws {
    var random = RandomSource(seed: 1)
    let logits: [Float] = [0, Float(log(3.0))]
    let options = SamplingOptions()
    let ones = try (0..<4000).count { _ in try options.draw(logits, using: &random) == 1 }
    #expect((2850...3150).contains(ones), "\(ones) of 4000 where 3000 are expected")
  }

  @Test func greedyTakesTheLowestOfEquals() throws {
    var random = RandomSource(seed: 1)
    let token = try SamplingOptions(isGreedy: true).draw([0, 2, 2, 1] as [Float], using: &random)
    #expect(token == 1)
    #expect(random == RandomSource(seed: 1))
  }

  @Test(arguments: [0, 4])
  func samplesDoNotDependOnTheBatch(unmasked: Int) throws {
    let model = try GPTGradientTests.model(unmasked: unmasked, on: .default)
    let sampler = Sampler(model, codebookSize: 9)
    func draw(_ range: Range<Int>) throws -> [Int32] {
      try sampler.samples(
        continuing: TokenSequences.unconditional(range.count), length: 7,
        SamplingOptions(topK: 6), first: range.lowerBound, seed: 3, progress: { _ in }
      ).elements
    }
    let together = try draw(0..<5)
    #expect(try together == (0..<5).flatMap { try draw($0..<$0 + 1) })
    #expect(try together == draw(0..<2) + draw(2..<5))
    #expect(together.allSatisfy { (0..<9).contains($0) })
    #expect(Set(together.prefix(7)).count > 1)
  }

  @Test func progressCountsEveryToken() throws {
    let model = try GPTGradientTests.model(unmasked: 0, on: .default)
    let sampler = Sampler(model, codebookSize: 11)
    var tokens = 0
    _ = try sampler.samples(
      continuing: TokenSequences.unconditional(3), length: 5, SamplingOptions(), seed: 0,
      progress: { tokens += $0 })
    #expect(tokens == 15)
  }
}
