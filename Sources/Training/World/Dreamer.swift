// Games that a world model imagines from recorded starts.
import Models
import TensorCore

/// Which actions a dream takes.
package enum DreamActions: Equatable, Sendable {
  /// Those that were recorded behind the start.
  case recorded
  /// Any of the model's, all equally likely.
  case random
  /// These, at least one; the last is held.
  case listed([Int32])
}

/// A game that goes on as a world model imagines it.
package struct Dream: Equatable, Sendable {
  package let number: Int
  /// The recorded row that it starts from.
  package let start: Int
  /// Imagined, `[steps][h·w]`.
  package fileprivate(set) var images: [[Int32]] = []
  /// Chosen in the start's image and in each imagined one, `[steps + 1]`; rewards and ends are what
  /// each leads to.
  package fileprivate(set) var actions: [Int32] = []
  package fileprivate(set) var rewards: [Int32] = []  // classes
  package fileprivate(set) var ends: [Bool] = []

  package init(
    number: Int, start: Int, images: [[Int32]] = [], actions: [Int32] = [], rewards: [Int32] = [],
    ends: [Bool] = []
  ) {
    (self.number, self.start) = (number, start)
    (self.images, self.actions, self.rewards, self.ends) = (images, actions, rewards, ends)
  }

  /// The imagined images before the game ends.
  package var length: Int { ends.firstIndex(of: true) ?? images.count }

  /// What is seen so many steps behind the start: behind the end its last image; nil for the
  /// start's.
  package func image(_ step: Int) -> [Int32]? {
    let shown = min(step, length)
    return shown == 0 ? nil : images[shown - 1]
  }
}

/// Lets a world model go on from recorded rows.
package struct Dreamer {
  package let model: WorldModel
  package let data: WorldData
  package let seed: UInt64
  private let batchSize: Int

  /// - Parameters:
  ///   - seed: dream i of a seed is always the same, up to the rounding of sums.
  ///   - batchSize: dreams at once.
  package init(of model: WorldModel, from data: WorldData, seed: UInt64, batchSize: Int) {
    (self.model, self.data, self.seed, self.batchSize) = (model, data, seed, batchSize)
  }

  /// Recorded steps that a dream sees before its start.
  package var given: Int { model.config.stepsBeforeDream }

  /// Checks that the keys and values of a batch can be held.
  ///
  /// - Throws: `RunError.tooLarge`.
  package func requireMemory() throws(RunError) {
    let config = model.config
    try Training.requireMemory(
      forFloats: 2 * Double(batchSize) * Double(config.window)
        * Double(config.layers * config.width),
      of: "a batch of \(batchSize) dreams")
  }

  /// What a dream samples with.
  package func random(_ number: Int) -> RandomSource {
    RandomSource(seed: seed).stream("dream").stream(number)
  }

  /// Games that stand at some rows, and have been shown the `given` ones before each.
  package func rollout(at rows: [Int]) -> WorldRollout {
    var rollout = WorldRollout(of: model, items: rows.count)
    for offset in -given..<0 {
      rollout.show(rows.map { data.image($0 + offset) })
      _ = rollout.act(rows.map { data.actions[$0 + offset] })
    }
    rollout.show(rows.map { data.image($0) })
    return rollout
  }

  /// Dreams on from rows that have `given` rows of their piece before them, and with recorded
  /// actions `steps` behind.
  ///
  /// - Parameters:
  ///   - rows: their starts; a dream's number is that of its start in this list.
  ///   - steps: images to imagine.
  ///   - progress: called with the images that were imagined.
  package func dreams(
    from rows: [Int], steps: Int, _ actions: DreamActions, _ options: SamplingOptions,
    progress: (_ images: Int) throws -> Void
  ) throws -> [Dream] {
    var all: [Dream] = []
    for first in stride(from: 0, to: rows.count, by: batchSize) {
      let numbers = first..<min(first + batchSize, rows.count)
      all += try dreams(numbers, from: rows, steps: steps, actions, options, progress)
    }
    return all
  }

  /// Images a second of one dream alone with random actions, counted behind its first image.
  ///
  /// - Parameter progress: as of `dreams`, for one image more than are counted.
  package func framesPerSecond(
    from row: Int, images: Int, _ options: SamplingOptions,
    progress: (_ images: Int) throws -> Void
  ) throws -> Double {
    var times: [ContinuousClock.Instant] = []
    _ = try dreams(from: [row], steps: images + 1, .random, options) {
      times.append(.now)
      try progress($0)
    }
    return Double(images) / max((times[images] - times[0]).seconds, 1e-9)
  }

  private func dreams(
    _ numbers: Range<Int>, from rows: [Int], steps: Int, _ actions: DreamActions,
    _ options: SamplingOptions, _ progress: (Int) throws -> Void
  ) throws -> [Dream] {
    var streams = numbers.map(random)
    let root = RandomSource(seed: seed)
    var choices = numbers.map { root.stream("dream actions").stream($0) }
    var dreams = numbers.map { Dream(number: $0, start: rows[$0]) }
    var rollout = rollout(at: dreams.map(\.start))
    // Rewards and ends are as certain as the model is, whatever is done about images.
    let outcomes = SamplingOptions(isGreedy: options.isGreedy)
    for step in 0...steps {
      for item in dreams.indices {
        let action =
          switch actions {
          case .recorded: data.actions[dreams[item].start + step]
          case .random: Int32.random(in: 0..<Int32(model.config.actions), using: &choices[item])
          case .listed(let listed): listed[min(step, listed.count - 1)]
          }
        dreams[item].actions.append(action)
      }
      let outcome = rollout.act(dreams.map { $0.actions[step] })
      for item in dreams.indices {
        let (rewards, ends) = (outcome.rewards[item], outcome.ends[item])
        try dreams[item].rewards.append(outcomes.draw(rewards, using: &streams[item]))
        try dreams[item].ends.append(outcomes.draw(ends, using: &streams[item]) != 0)
      }
      guard step < steps else { break }
      try rollout.imagine(options, using: &streams)
      for item in dreams.indices { dreams[item].images.append(rollout.codes[item]) }
      try progress(dreams.count)
    }
    return dreams
  }
}
