// What a training run would take: time, memory, size on disk.

/// What a training run would take, reckoned from steps that were measured.
package struct TrainingEstimate: Sendable {
  /// Steps in a row that cost the same.
  package struct Phase: Encodable, Sendable {
    /// The first of them, counted from 0.
    package let firstStep: Int
    package let steps: Int
    /// Steps that were measured, without the one that warmed up.
    package let measuredSteps: Int
    package let stepsPerSecond: Double

    /// Of the phase.
    package var seconds: Double { Double(steps) / stepsPerSecond }

    enum CodingKeys: String, CodingKey {
      case steps
      case firstStep = "first_step"
      case measuredSteps = "measured_steps"
      case stepsPerSecond = "steps_per_second"
    }
  }

  /// What is done again and again between steps.
  package struct Work: Sendable {
    package let count: Int
    /// Of one.
    package let seconds: Double
  }

  package let steps: Int
  package internal(set) var phases: [Phase] = []
  /// What the first step takes more than others: reading ahead, first weights from the data.
  package internal(set) var secondsToStart = 0.0
  package internal(set) var validation: Work?
  package internal(set) var evaluation: Work?
  /// Sheets of images.
  package internal(set) var image: Work?
  package internal(set) var checkpoint: Work?
  package internal(set) var checkpointBytes = 0
  package internal(set) var keptCheckpoints = 0
  /// Everything but checkpoints, of the whole run.
  private var otherBytes = 0
  /// The most memory that the process held.
  package internal(set) var peakMemoryBytes = 0

  init(steps: Int) { self.steps = steps }

  /// How often something is done that is also done at the last step.
  func times(every interval: Int) -> Int { steps.batches(of: interval) }

  /// Adds a number in `metrics.csv` and in the event file, some 36 bytes, of each column, and the
  /// step.
  mutating func addRows(every interval: Int, of columns: Int) {
    otherBytes += 36 * (columns + 1) * times(every: interval)
  }

  /// Adds files that are also in the event file.
  mutating func addFiles(_ count: Int, bytes: Int) { otherBytes += 2 * bytes * count }
}

extension TrainingEstimate {
  private var secondsOfSteps: Double { phases.reduce(0) { $0 + $1.seconds } }

  /// Mean of the whole run, validating and saving left out.
  package var stepsPerSecond: Double { Double(steps) / secondsOfSteps }

  /// Of the whole run.
  package var seconds: Double {
    [validation, evaluation, image, checkpoint].compactMap(\.self)
      .reduce(secondsToStart + secondsOfSteps) { $0 + Double($1.count) * $1.seconds }
  }

  /// What the folder of the run holds at its end; one more checkpoint while one is saved.
  package var runBytes: Int { keptCheckpoints * checkpointBytes + otherBytes }
}

extension TrainingEstimate: Encodable {
  private enum CodingKeys: String, CodingKey {
    case steps, phases, validations, evaluations, images, checkpoints, seconds
    case stepsPerSecond = "steps_per_second"
    case secondsToStart = "seconds_to_start"
    case secondsPerValidation = "seconds_per_validation"
    case secondsPerEvaluation = "seconds_per_evaluation"
    case secondsPerImage = "seconds_per_image"
    case secondsPerCheckpoint = "seconds_per_checkpoint"
    case peakMemoryBytes = "peak_memory_bytes"
    case checkpointBytes = "checkpoint_bytes"
    case keptCheckpoints = "kept_checkpoints"
    case runBytes = "run_bytes"
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(steps, forKey: .steps)
    try values.encode(stepsPerSecond, forKey: .stepsPerSecond)
    try values.encode(phases, forKey: .phases)
    try values.encode(secondsToStart, forKey: .secondsToStart)
    let works: [(Work?, CodingKeys, CodingKeys)] = [
      (validation, .validations, .secondsPerValidation),
      (evaluation, .evaluations, .secondsPerEvaluation),
      (image, .images, .secondsPerImage), (checkpoint, .checkpoints, .secondsPerCheckpoint),
    ]
    for case (let work?, let count, let seconds) in works {
      try values.encode(work.count, forKey: count)
      try values.encode(work.seconds, forKey: seconds)
    }
    try values.encode(seconds, forKey: .seconds)
    try values.encode(peakMemoryBytes, forKey: .peakMemoryBytes)
    try values.encode(checkpointBytes, forKey: .checkpointBytes)
    try values.encode(keptCheckpoints, forKey: .keptCheckpoints)
    try values.encode(runBytes, forKey: .runBytes)
  }
}

extension Int {
  /// How many batches so many items are, the last of which may be smaller.
  func batches(of size: Int) -> Int { (self + size - 1) / size }
}
