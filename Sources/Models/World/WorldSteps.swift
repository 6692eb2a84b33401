// How the steps of a game become tokens, and what should follow each.
import TensorCore

/// What a world model reads of N sequences of S steps, and what it should say.
///
/// The codes of the first image are given: they are no targets unless these are asked for.
package struct WorldSteps: Equatable, Sendable {
  package let read: WorldTokens  // S·P tokens of each sequence
  package let codeTargets: IndexTensor  // [N, S·P]; -1 where nothing is predicted
  package let rewardTargets: IndexTensor  // [N·S], classes; -1 behind the end of a sequence
  package let endTargets: IndexTensor  // [N·S]
  /// Codes, and actions as K + their number, `[N, S·P]`.
  package var tokens: IndexTensor { read.tokens }
  /// The code of the image before at the place that a token predicts, K for none, `[N, S·P]`.
  package var previous: IndexTensor { read.previous }
  /// Weights of the losses beside that of the codes.
  package var rewardWeight: Float = 1
  package var endWeight: Float = 1

  /// One sequence of successive steps.
  package struct Sequence: Sendable {
    package var codes: [Int32]  // [S · h·w], images one after the other
    package var actions: [Int32]  // [S], chosen in each
    package var rewards: [Int32]  // [S], classes, what each led to
    package var ends: [Int32]  // [S], 0 or 1

    package init(codes: [Int32], actions: [Int32], rewards: [Int32], ends: [Int32]) {
      (self.codes, self.actions, self.rewards, self.ends) = (codes, actions, rewards, ends)
    }
  }

  /// - Parameters:
  ///   - sequences: those shorter than the longest are filled up behind their end, without targets.
  ///   - noise: the fraction of the codes that the model reads as random ones; targets stay.
  ///   - predictsFirst: whether the codes of the first image, from the second one on, are targets
  ///     too, as in IRIS.
  package init(
    _ sequences: [Sequence], of config: WorldConfig, noise: Float = 0,
    predictsFirst: Bool = false, using random: inout RandomSource
  ) {
    let (codes, none) = (config.codes, Int32(config.codebookSize))
    let length = sequences.map(\.actions.count).max() ?? 0
    let total = sequences.count * length
    var tokens = WorldTokenList(config)
    var codeTargets: [Int32] = []
    var rewardTargets: [Int32] = []
    var endTargets: [Int32] = []
    codeTargets.reserveCapacity(total * config.step)
    for sequence in sequences {
      let count = sequence.actions.count
      precondition(sequence.codes.count == count * codes, "\(sequence.codes.count) codes")
      var shown = sequence.codes
      if noise > 0 {
        for index in shown.indices where random.uniform() < noise {
          shown[index] = Int32.random(in: 0..<none, using: &random)
        }
      }
      for step in 0..<length {
        guard step < count else {
          for _ in 0..<config.step { tokens.add(0, predicting: nil, after: [], nil) }
          codeTargets += repeatElement(-1, count: config.step)
          rewardTargets.append(-1)
          endTargets.append(-1)
          continue
        }
        let image = step * codes..<(step + 1) * codes
        let before = (1...2).filter { $0 <= step }.map {
          shown[(step - $0) * codes..<(step - $0 + 1) * codes]
        }
        let led = step == 0 ? nil : sequence.actions[step - 1]
        for (place, code) in shown[image].enumerated() {
          tokens.add(code, predicting: place + 1 < codes ? place + 1 : nil, after: before, led)
        }
        let action = sequence.actions[step]
        tokens.add(none + action, predicting: 0, after: [shown[image]] + before, action)
        codeTargets +=
          step == 0 && !predictsFirst
          ? Array(repeating: -1, count: codes) : Array(sequence.codes[image].dropFirst()) + [-1]
        codeTargets.append(step + 1 < count ? sequence.codes[image.upperBound] : -1)
        rewardTargets.append(sequence.rewards[step])
        endTargets.append(sequence.ends[step])
      }
    }
    read = tokens.tensors(games: sequences.count)
    self.codeTargets = IndexTensor(
      codeTargets, shape: [sequences.count, length * config.step])
    self.rewardTargets = IndexTensor(rewardTargets, shape: [total])
    self.endTargets = IndexTensor(endTargets, shape: [total])
  }

  /// The same without noise.
  package init(_ sequences: [Sequence], of config: WorldConfig) {
    var random = RandomSource(seed: 0)
    self.init(sequences, of: config, using: &random)
  }
}
