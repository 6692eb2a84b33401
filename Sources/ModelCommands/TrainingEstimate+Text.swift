// The estimate of a training in words.
import CommandSupport
import Foundation
import Training

extension TrainingEstimate {
  /// A few lines for people; `about` marks what is reckoned and not measured.
  var text: String {
    var lines = ["\(steps) steps: about \(Progress.duration(seconds))"]
    for phase in phases {
      let range = "\(phase.firstStep + 1)…\(phase.firstStep + phase.steps)"
      lines.append(
        "  steps \(range): \(Progress.rate(phase.stepsPerSecond)) steps/s, "
          + Progress.duration(phase.seconds))
    }
    let works: [(String, Work?)] = [
      ("validations", validation), ("evaluations", evaluation), ("sheets of images", image),
      ("checkpoints", checkpoint),
    ]
    for case (let name, let work?) in works {
      lines.append(
        "  \(name): \(work.count) of \(Progress.duration(work.seconds)), "
          + Progress.duration(Double(work.count) * work.seconds))
    }
    let machine = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    lines.append(
      "memory: \(Progress.size(peakMemoryBytes)) of this machine's \(Progress.size(machine))")
    lines.append(
      "disk: about \(Progress.size(runBytes)), \(keptCheckpoints) × "
        + "\(Progress.size(checkpointBytes)) for checkpoints")
    return lines.joined(separator: "\n")
  }
}
