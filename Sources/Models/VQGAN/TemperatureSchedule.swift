// How soft the samples of a Gumbel quantizer are, step by step.
import Foundation

/// A temperature that falls along a half cosine and then stays; the published values unless others
/// are given.
package struct TemperatureSchedule: Codable, Equatable, Sendable {
  package var start: Float
  package var end: Float
  package var steps: Int

  package init(start: Float = 0.9, end: Float = 1e-6, steps: Int = 1_000_001) {
    self.start = start
    self.end = end
    self.steps = steps
  }

  /// The temperature of a step, counted from 0.
  package func callAsFunction(_ step: Int) -> Float {
    let fraction = min(Double(step) / Double(max(steps, 1)), 1)
    return Float(Double(end) + 0.5 * Double(start - end) * (1 + cos(fraction * .pi)))
  }

  var problem: String? {
    guard start >= end, end > 0, steps > 0, start.isFinite else {
      return "temperature falls from \(start) to \(end) in \(steps) steps; "
        + "it needs start ≥ end > 0 and a positive number of steps"
    }
    return nil
  }
}
