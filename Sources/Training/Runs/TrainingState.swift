// What a run needs to continue, besides weights and optimizer moments.
import TensorCore

/// Where a training run stands; `state.json` of a checkpoint.
package struct TrainingState: Codable, Equatable, Sendable {
  /// Optimizer steps done.
  package var step: Int
  /// Where the next batch begins.
  package var position: DataPosition
  /// What the steps draw from (dropout, replaced tokens, restarted codes); initial weights and
  /// orders have streams of their own.
  package var random: RandomSource
  /// Integers that the loop keeps besides, by name: steps without use of a code, the step of the
  /// best loss.
  package var counters: [String: Int]

  package init(
    step: Int = 0, position: DataPosition = DataPosition(), random: RandomSource,
    counters: [String: Int] = [:]
  ) {
    self.step = step
    self.position = position
    self.random = random
    self.counters = counters
  }

  package init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      step: try values.decode(Int.self, forKey: .step),
      position: try values.decode(DataPosition.self, forKey: .position),
      random: try values.decode(RandomSource.self, forKey: .random),
      counters: try values.decode([String: Int].self, forKey: .counters))
    let numbers =
      [("step", step), ("epoch", position.epoch), ("row", position.row)]
      + counters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    for (key, number) in numbers where !(0...1 << 48).contains(number) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath,
          debugDescription: "\(key) is \(number), expected 0...\(1 << 48)"))
    }
  }

  /// The state before the first step of a run with this seed.
  package init(seed: UInt64) {
    self.init(random: RandomSource(seed: seed).stream("training"))
  }
}
