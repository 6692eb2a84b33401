import Models
import TensorCore
import Testing
import Training

@Suite("What samples start from") struct SampleInputsTests {
  private static let grid = GridSize(height: 2, width: 2)
  private static let mask = [true, false, false, true]

  private final class Log { var reads: [Int] = [] }

  /// Rows whose codes are their number; `log` is told of every one that is read.
  private func rows(_ count: Int, _ log: Log) -> SampleSource {
    SampleSource(rows: count) { row in
      log.reads.append(row)
      return SampleInput(codes: Array(repeating: Int32(row), count: 4))
    }
  }

  private func labels(_ labels: [Int32]) -> SampleSource {
    SampleSource(named: labels.count) { SampleInput(condition: .tokens([labels[$0]])) }
  }

  @Test func anInputIsReadOnceWhenItsSamplesTurnComes() throws {
    let log = Log()
    let inputs = SampleInputs(
      of: Self.grid, images: rows(3, log), conditions: nil, mask: Self.mask)
    #expect(log.reads.isEmpty)
    for number in [4, 1, 3, 0] {
      let sample = try inputs.sample(number, random: RandomSource(seed: 0))
      let code = Int32(number % 3)
      #expect(sample.known == [code, nil, nil, code])
    }
    #expect(log.reads == [1, 0])
  }

  @Test func severalImagesShareConditionsInTurns() throws {
    let inputs = SampleInputs(
      of: Self.grid, images: rows(5, Log()), conditions: labels([7, 8]), mask: Self.mask)
    let sample = try inputs.sample(3, random: RandomSource(seed: 0))
    #expect(sample.condition == .tokens([8]) && sample.known[0] == 3)
    #expect(sample.name == "sample-00003")
    #expect(inputs.drawnCount == 2)
  }

  @Test func theDigestIsOfTheInputsThatSamplesCanHave() throws {
    let log = Log()
    let inputs = SampleInputs(
      of: Self.grid, images: rows(100, log), conditions: labels([1, 2, 3]), mask: Self.mask)
    #expect(inputs.count(below: 2) == 3 && inputs.count(below: 9) == 9)
    let digest = try inputs.digest(below: 4)
    #expect(log.reads == [0, 1, 2, 3])
    #expect(try inputs.digest(below: 5) != digest)
    let others = SampleInputs(
      of: Self.grid, images: rows(100, log), conditions: labels([1, 2, 4]), mask: Self.mask)
    #expect(try others.digest(below: 4) != digest)
  }
}
