// The learning rate over a run.
import Foundation

/// The learning rate of each step.
package struct LearningRate: Codable, Equatable, Sendable {
  /// What happens after the warm-up.
  package enum Schedule: String, Codable, CaseIterable, Sendable {
    /// The peak, to the end (the reference).
    case constant
    /// Half a cosine from the peak to a hundredth of it at the last step.
    case cosine
  }

  package var peak: Float
  package var schedule: Schedule
  /// Steps of linear rise from 0.
  package var warmup: Int
  /// Steps after which the schedule has ended; nil, and no key in the file, for those of the run.
  package var steps: Int?

  package init(peak: Float, schedule: Schedule = .constant, warmup: Int = 0) {
    self.peak = peak
    self.schedule = schedule
    self.warmup = warmup
  }

  /// The rate of a step, counted from 0, of a run of `steps`.
  package func callAsFunction(step: Int, of steps: Int) -> Float {
    if step < warmup { return peak * Float(step + 1) / Float(warmup) }
    switch schedule {
    case .constant: return peak
    case .cosine:
      let steps = self.steps ?? steps
      let progress = Double(step - warmup) / Double(max(steps - warmup, 1))
      return peak * Float(0.01 + 0.99 * 0.5 * (1 + cos(.pi * min(progress, 1))))
    }
  }
}
