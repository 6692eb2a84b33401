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
  /// What the run trains on, a digest of its rows; nil in checkpoints of earlier versions.
  package private(set) var data: String?
  /// What the run is validated on, likewise; nil also where it is not.
  package private(set) var validationData: String?
  /// What the run is configured to, as `RunConfig.identity` has it; nil in checkpoints of earlier
  /// versions.
  var config: [String: String]?
  /// The SHA-256 of the rows of `metrics.csv` that belong to the steps so far, as `MetricsLog` has
  /// it; nil likewise.
  var metrics: String?
  /// What a run that has ended with this step has only for that; nil for nothing.
  var ending: Ending?
  /// How many rows these are; nil in checkpoints of still earlier versions, as are the next two.
  package var metricsRows: Int?
  /// The SHA-256 of the checkpoint's other files, by their names.
  package var files: [String: String]?
  /// That of all other values of this file.
  package var seal: String?

  package init(
    step: Int = 0, position: DataPosition = DataPosition(), random: RandomSource,
    counters: [String: Int] = [:]
  ) {
    self.step = step
    self.position = position
    self.random = random
    self.counters = counters
  }

  /// - Throws: `DecodingError` also for a number that no run comes to: sums of those that pass are
  ///   far from overflow.
  package init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      step: try values.decode(Int.self, forKey: .step),
      position: try values.decode(DataPosition.self, forKey: .position),
      random: try values.decode(RandomSource.self, forKey: .random),
      counters: try values.decode([String: Int].self, forKey: .counters))
    data = try values.decodeIfPresent(String.self, forKey: .data)
    validationData = try values.decodeIfPresent(String.self, forKey: .validationData)
    config = try values.decodeIfPresent([String: String].self, forKey: .config)
    metrics = try values.decodeIfPresent(String.self, forKey: .metrics)
    ending = try values.decodeIfPresent(Ending.self, forKey: .ending)
    metricsRows = try values.decodeIfPresent(Int.self, forKey: .metricsRows)
    files = try values.decodeIfPresent([String: String].self, forKey: .files)
    seal = try values.decodeIfPresent(String.self, forKey: .seal)
    let numbers: [(CodingKeys, String, Int, Int)] =
      [
        (.step, "it", step, 1 << 48), (.position, "epoch", position.epoch, 1 << 48),
        (.position, "row", position.row, 1 << 48),
        (.random, "position", Int(clamping: random.position), 1 << 62),
      ] + counters.sorted { $0.key < $1.key }.map { (.counters, $0.key, $0.value, 1 << 48) }
    for (key, name, number, largest) in numbers where !(0...largest).contains(number) {
      throw DecodingError.dataCorrupted(
        .init(
          codingPath: decoder.codingPath + [key],
          debugDescription: "\(name) is \(number), expected 0 to \(largest)"))
    }
  }

  private enum CodingKeys: String, CodingKey {
    case step, position, random, counters, data, config, metrics, ending, files
    case validationData = "validation_data"
    case metricsRows = "metrics_rows"
    case seal = "sha256"
  }

  /// What the rows of a run's last step hold for no other reason than that it is the last.
  struct Ending: Codable, Equatable, Sendable {
    var parts: [MetricsPart]
    /// As `metrics`, without the row of the step if that is among the parts.
    var metrics: String
  }

  /// Notes what the run trains on, and what it is validated on.
  ///
  /// - Throws: `RunError.otherData` where that is something else than before.
  mutating func begin(
    on data: String, validation: String?, in folder: RunFolder
  ) throws(RunError) {
    guard self.data ?? data == data else {
      throw .otherData(path: folder.path, key: "shards", use: "was trained on")
    }
    if let known = validationData, let validation, known != validation {
      throw .otherData(path: folder.path, key: "validation", use: "was validated on")
    }
    self.data = data
    validationData = validation ?? validationData
  }

  /// The state before the first step of a run with this seed.
  package init(seed: UInt64) {
    self.init(random: RandomSource(seed: seed).stream("training"))
  }

  /// Checks that a checkpoint is of a run with this seed.
  ///
  /// - Throws: `RunError.damaged`.
  func requireSeed(_ seed: UInt64, in checkpoint: String) throws(RunError) {
    guard random.seed == seed else {
      throw .damaged(
        path: "\(checkpoint)/state.json",
        problem: "its seed is \(random.seed), that of config.json is \(seed): the checkpoint is "
          + "another run's")
    }
  }
}

// MARK: Skipped steps

extension TrainingState {
  /// Steps in a row after which skipping ends: then it is the weights, and no batch.
  package static let maxSkippedInARow = 10

  /// Steps that were skipped in all.
  package var skipped: Int { counters[Self.skippedName] ?? 0 }

  /// Those of them that no other step has followed.
  var skippedInARow: Int { counters[Self.inARowName] ?? 0 }

  private static let skippedName = "skipped"
  private static let inARowName = "skipped_in_a_row"

  /// Counts this step among those that were skipped.
  mutating func countSkipped() {
    counters[Self.skippedName] = skipped + 1
    counters[Self.inARowName] = skippedInARow + 1
  }

  /// Counts this step among the others.
  mutating func countTaken() { counters[Self.inARowName] = nil }

  /// Whether skipping this step was one too many in a run of so many steps.
  func hasSkippedTooMuch(of steps: Int) -> Bool {
    skippedInARow >= Self.maxSkippedInARow || step == steps && skipped == step
  }
}
