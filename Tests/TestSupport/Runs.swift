// Training runs that are over soon, and what they leave.
import DurableFiles
import Models
import Shards
import TensorCore
import Training

extension RunConfig where Settings == VQGANSettings {
  /// A VQGAN that trains on two images at once, with a small discriminator.
  ///
  /// - Parameter layers: of the discriminator.
  package static func small(
    _ model: VQGANConfig = .tiny, discStart: Int, layers: Int = 1, steps: Int,
    learningRate: LearningRate = LearningRate(peak: 1e-3), threads: Int = 1
  ) -> RunConfig {
    RunConfig(
      VQGANSettings(
        model: model,
        objective: VQGANObjective(
          discStart: discStart, discriminator: DiscriminatorConfig(ndf: 8, nLayers: layers))),
      loop: LoopSettings(steps: steps, batchSize: 2, learningRate: learningRate),
      in: Environment(toolVersion: "test", threads: threads))
  }
}

extension RunFolder {
  /// Trains a VQGAN here on the shards of its configuration: a new run, or one that goes on.
  @discardableResult
  package func train(
    _ config: VQGANRunConfig, resumed: Bool = false, on device: Device = .default,
    _ reporter: TrainingReporter = .stopping(after: .max)
  ) throws -> VQGANRun {
    if !resumed { try create(config: config) }
    var run = try VQGANRun(config, in: self, resumed: resumed, on: device)
    try run.train(
      on: try ImageShardSet(config.shards),
      validation: config.validation.isEmpty ? nil : try ImageShardSet(config.validation), reporter)
    return run
  }

  /// The bytes of the newest checkpoint, by file.
  package func lastCheckpointFiles() throws -> [String: [UInt8]] {
    let last = try lastCheckpoint()
    return try DurableFile.names(in: last).reduce(into: [:]) {
      $0[$1] = try DurableFile.read("\(last)/\($1)")
    }
  }

  /// The rows of metrics.csv, its header first.
  package func metrics() throws -> [[Substring]] {
    String(decoding: try DurableFile.read(metricsPath), as: UTF8.self)
      .split(separator: "\n").map { $0.split(separator: ",", omittingEmptySubsequences: false) }
  }

  /// The values of every row of metrics.csv by their columns.
  package func metricsByColumn() throws -> [[String: String]] {
    let rows = try metrics().map { $0.map(String.init) }
    return rows.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(rows[0], $0)) }
  }

  /// The rows of metrics.csv without what depends on the clock and the machine.
  package func untimedMetrics() throws -> [[Substring]] {
    let rows = try metrics()
    let timed: Set<Substring> = ["images_per_second", "tokens_per_second", "peak_memory_mib"]
    let kept = rows.first?.indices.filter { !timed.contains(rows[0][$0]) } ?? []
    return rows.map { row in kept.map { row[$0] } }
  }
}

extension TrainingReporter {
  /// Stops a run behind so many of its steps.
  package static func stopping(
    after steps: Int, warn: @escaping (String) -> Void = { _ in }
  ) -> TrainingReporter {
    var done = 0
    return TrainingReporter(
      step: { _ in done += 1 }, warn: warn, shouldStop: { done >= steps })
  }

  /// Stops a run that asks for the time of that number whether to stop, counted from 1.
  package static func stopping(
    atQuestion question: Int, warn: @escaping (String) -> Void = { _ in }
  ) -> TrainingReporter {
    var asked = 0
    return TrainingReporter(
      step: { _ in }, warn: warn,
      shouldStop: {
        asked += 1
        return asked >= question
      })
  }
}
