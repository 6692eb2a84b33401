// What a training run and the one who started it tell each other.

/// What a training run tells the one who started it, and asks.
package struct TrainingReporter {
  /// Called after each step with a note of its metrics.
  package var step: (_ note: String) -> Void
  package var warn: (String) -> Void
  /// Whether the run should save and end.
  package var shouldStop: () -> Bool

  package init(
    step: @escaping (String) -> Void, warn: @escaping (String) -> Void,
    shouldStop: @escaping () -> Bool
  ) {
    self.step = step
    self.warn = warn
    self.shouldStop = shouldStop
  }
}
