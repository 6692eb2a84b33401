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

  package init(
    step: Int = 0, position: DataPosition = DataPosition(), random: RandomSource,
    counters: [String: Int] = [:]
  ) {
    self.step = step
    self.position = position
    self.random = random
    self.counters = counters
  }

  /// The state of a checkpoint.
  ///
  /// - Parameter folder: the checkpoint's.
  /// - Throws: `RunError.damaged` naming a number that no run comes to, `DurableFileError`.
  package static func read(in folder: String) throws -> TrainingState {
    let path = "\(folder)/state.json"
    let state = try RunFolder.decode(Self.self, from: path)
    let numbers =
      [
        ("step", state.step), ("position.epoch", state.position.epoch),
        ("position.row", state.position.row),
        ("random.position", Int(clamping: state.random.position)),
      ] + state.counters.sorted { $0.key < $1.key }.map { ("counters.\($0)", $1) }
    for (key, value) in numbers where !(0...largest).contains(value) {
      throw RunError.damaged(
        path: path, problem: "\"\(key)\" is \(value), expected 0 to \(largest)")
    }
    return state
  }

  /// Notes what the run trains on.
  ///
  /// - Throws: `RunError.otherData` where that is something else than before.
  mutating func begin(on data: String, in folder: RunFolder) throws(RunError) {
    guard self.data ?? data == data else { throw .otherData(path: folder.path) }
    self.data = data
  }

  /// More than this no run counts; sums of two are far from overflow.
  private static let largest = 1 << 60

  /// The state before the first step of a run with this seed.
  package init(seed: UInt64) {
    self.init(random: RandomSource(seed: seed).stream("training"))
  }
}
