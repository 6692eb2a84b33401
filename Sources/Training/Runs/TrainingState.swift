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

  /// The state before the first step of a run with this seed.
  package init(seed: UInt64) {
    self.init(random: RandomSource(seed: seed).stream("training"))
  }
}
