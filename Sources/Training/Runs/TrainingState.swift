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
    case step, position, random, counters, data
    case validationData = "validation_data"
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
}
