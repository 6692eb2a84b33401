import Foundation
import Testing
import Training

@Suite struct LearningRateTests {
  @Test func aConstantRateStays() {
    let rate = LearningRate(peak: 2e-4)
    #expect([0, 1, 99, 1000].allSatisfy { rate(step: $0, of: 100) == 2e-4 })
  }

  @Test func theWarmUpRisesLinearlyFromTheFirstStep() {
    let rate = LearningRate(peak: 1, warmup: 4)
    #expect((0..<6).map { rate(step: $0, of: 100) } == [0.25, 0.5, 0.75, 1, 1, 1])
  }

  @Test func theCosineFallsToAHundredth() {
    let rate = LearningRate(peak: 1, schedule: .cosine, warmup: 10)
    #expect(rate(step: 9, of: 110) == 1)
    #expect(rate(step: 10, of: 110) == 1)
    #expect(abs(rate(step: 60, of: 110) - 0.505) < 1e-6)
    #expect(abs(rate(step: 110, of: 110) - 0.01) < 1e-6)
    #expect(abs(rate(step: 500, of: 110) - 0.01) < 1e-6)
    let rates = (10..<110).map { rate(step: $0, of: 110) }
    #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 > $1 })
  }

  @Test func aRunShorterThanItsWarmUpHasARate() {
    let rate = LearningRate(peak: 1, schedule: .cosine, warmup: 10)
    #expect(rate(step: 2, of: 3) == 0.3)
    #expect(rate(step: 10, of: 10).isFinite)
  }

  @Test(arguments: [LearningRate(peak: 3e-4), LearningRate(peak: 1, schedule: .cosine, warmup: 7)])
  func aScheduleSurvivesItsFile(rate: LearningRate) throws {
    let data = try JSONEncoder().encode(rate)
    #expect(try JSONDecoder().decode(LearningRate.self, from: data) == rate)
  }
}
