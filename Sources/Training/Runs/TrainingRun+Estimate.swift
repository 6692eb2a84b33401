// Measuring what a training run would take, without its folder.
import DurableFiles
import Foundation
import Platform

/// Seconds in which steps are measured; validating and saving once come on top.
private let probeSeconds = 24.0
/// Steps of a phase that are measured at least, without the one that warms up.
private let leastSteps = 3

/// Batches that are measured of a validation or an evaluation.
let timedBatches = 4

extension TrainingRun {
  /// - Throws: `RunError.notFinite`, what reading the data throws, and `DurableFileError` where
  ///   the folder of temporary files has no room for a checkpoint.
  package mutating func estimate(
    on data: Data, validation: Data?, unless shouldStop: @escaping () -> Bool
  ) throws -> TrainingEstimate? {
    var estimate = TrainingEstimate(steps: config.steps)
    for (first, end) in zip(phases, phases.dropFirst() + [config.steps]) {
      let ends = try endsOfSteps(data, at: first, unless: shouldStop)
      if shouldStop() { return nil }
      let measured = ends.count - 2
      let seconds = (ends[ends.count - 1] - ends[1]).seconds
      estimate.phases.append(
        TrainingEstimate.Phase(
          firstStep: first, steps: end - first, measuredSteps: measured,
          stepsPerSecond: Double(measured) / seconds))
      if first == 0 {
        estimate.secondsToStart = max(0, (ends[1] - ends[0]).seconds - seconds / Double(measured))
      }
    }
    try probeInterludes(data, validation: validation, &estimate, unless: shouldStop)
    if shouldStop() { return nil }
    try probeSaving(&estimate)
    // What was held at once, also beside tensors.
    estimate.peakMemoryBytes = peakMemory ?? 0
    return estimate
  }

  /// Takes steps of a phase.
  ///
  /// - Returns: when they begin, and when each has ended.
  private mutating func endsOfSteps(
    _ data: Data, at first: Int, unless shouldStop: () -> Bool
  ) throws -> [ContinuousClock.Instant] {
    let limit = probeSeconds / Double(phases.count)
    var ends = [ContinuousClock.now]
    do {
      try probe(data, at: first) {
        let now = ContinuousClock.now
        ends.append(now)
        return !shouldStop() && (ends.count < leastSteps + 2 || (now - ends[0]).seconds < limit)
      }
    } catch let problem as NotFinite {
      throw folder.notFinite(problem.what, at: first + 1, last: nil)
    }
    return ends
  }

  /// Saves a checkpoint where temporary files are, and removes it.
  private func probeSaving(_ estimate: inout TrainingEstimate) throws {
    let scratch = RunFolder(DurableFile.temporaryPath(for: NSTemporaryDirectory() + "estimate"))
    defer { DurableFile.remove(scratch.path) }
    try DurableFile.createFolder(scratch.checkpointsPath)
    let begun = ContinuousClock.now
    _ = notFiniteOnTrial  // as `save` asks
    try scratch.saveCheckpoint(step: state.step, keeping: 1) { try write(state, in: $0) }
    let seconds = (ContinuousClock.now - begun).seconds
    let checkpoint = try scratch.lastCheckpoint()
    estimate.checkpointBytes = try DurableFile.list(checkpoint).reduce(0) {
      $0 + (DurableFile.byteCount(of: "\(checkpoint)/\($1)") ?? 0)
    }
    try scratch.update(config: config)
    estimate.addFiles(1, bytes: DurableFile.byteCount(of: scratch.configPath) ?? 0)
    let count = estimate.times(every: config.checkpointEvery)
    estimate.checkpoint = TrainingEstimate.Work(count: count, seconds: seconds)
    estimate.keptCheckpoints = min(
      count, config.keepCheckpoints + (config.keepBest == true ? 1 : 0))
  }
}

/// Seconds of work on batches that asks before each whether to stop: some are measured, the time of
/// the others is reckoned.
///
/// - Parameter count: how many there are, where the work may be on the first `timedBatches` alone.
func timed(
  batches count: Int, unless shouldStop: @escaping () -> Bool,
  _ work: (_ shouldStop: () -> Bool) throws -> Void
) rethrows -> Double {
  let begun = ContinuousClock.now
  var starts: [ContinuousClock.Instant] = []
  try work {
    starts.append(.now)
    return shouldStop() || starts.count > timedBatches
  }
  let end = ContinuousClock.now
  guard let first = starts.first, let last = starts.last else { return (end - begun).seconds }
  let each = (last - first).seconds / Double(max(starts.count - 1, 1))
  // Behind the start of the last batch there is also what comes after all, unless it was stopped.
  return (first - begun).seconds + each * Double(count - 1) + max(each, (end - last).seconds)
}
