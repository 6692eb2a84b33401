// What a training run and the one who started it tell each other.

/// What a training run tells the one who started it, and asks.
package struct TrainingReporter {
  /// Called after each step with a note of its metrics.
  package var step: (_ note: String) -> Void
  package var warn: (String) -> Void
  /// Whether the run should save and end.
  package var shouldStop: () -> Bool
  /// Whether the run should save and go on.
  package var shouldSave: () -> Bool

  package init(
    step: @escaping (String) -> Void, warn: @escaping (String) -> Void,
    shouldStop: @escaping () -> Bool, shouldSave: @escaping () -> Bool = { false }
  ) {
    self.step = step
    self.warn = warn
    self.shouldStop = shouldStop
    self.shouldSave = shouldSave
  }
}
