import Models
import TensorCore
import Testing

@Suite struct WeightedChoiceTests {
  @Test func drawsInProportionToTheWeights() {
    var random = RandomSource(seed: 4)
    var counts = [0, 0, 0, 0]
    for _ in 0..<10_000 { counts[random.choice(1, weights: [1, 2, 0, 7])[0]] += 1 }
    #expect(counts[2] == 0)
    #expect(abs(counts[0] - 1000) < 120 && abs(counts[1] - 2000) < 160)
  }

  @Test func drawsEveryPositionOnce() {
    var random = RandomSource(seed: 5)
    let drawn = random.choice(9, weights: [0, 3, 1, 0, 2])
    #expect(drawn.sorted() == [0, 1, 2, 3, 4])
    #expect(Set(drawn.prefix(3)) == [1, 2, 4], "weights of zero come last")
  }
}
