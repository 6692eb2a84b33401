import Foundation
import Models
import TensorCore
import TestSupport
import Testing

/// World models with what IRIS has in other ways: learned positions, its masks and heads.
@Suite struct IRISModelTests {
  static func config(_ mask: WorldConfig.Mask = .causal, context: Int = 3) -> WorldConfig {
    var config = WorldModelTests.config
    config.context = context
    (config.positions, config.mask) = (.learned, mask)
    (config.readsPrevious, config.headsHaveHiddenLayer) = (false, true)
    config.surroundings = 0
    return config
  }

  @Test func filesOfEarlierVersionsAreRead() throws {
    let text = """
      {"grid_height": 2, "grid_width": 2, "n_embed": 7, "actions": 3, "context": 2, "n_layer": 2,
       "n_head": 2, "n_embd": 12, "embd_pdrop": 0, "resid_pdrop": 0}
      """
    let config = try JSONDecoder().decode(WorldConfig.self, from: Data(text.utf8))
    var known = WorldModelTests.config
    known.surroundings = 0
    #expect(config == known)
    #expect(config.positions == .rotary && config.mask == .banded && config.readsPrevious)
    let again = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(config))
    #expect((again as? [String: Any])?.count == 10, "a key that earlier versions do not know")
    var iris = Self.config(.blockCausal)
    iris.attentionDropout = 0.25
    let copy = try JSONDecoder().decode(WorldConfig.self, from: try JSONEncoder().encode(iris))
    #expect(copy == iris && copy.mask == .blockCausal && copy.attentionDropout == 0.25)
  }

  @Test func whatCannotBeTogetherIsNamed() {
    #expect(Self.config().problem == nil)
    #expect(Self.config(.banded).problem?.hasPrefix("mask is banded") == true)
    #expect(Self.config(context: 1).problem?.hasPrefix("context is 1") == true)
    var config = WorldModelTests.config
    config.mask = .causal
    #expect(config.problem?.hasPrefix("mask is causal") == true)
    config = Self.config()
    config.attentionDropout = 1
    #expect(config.problem == "attn_pdrop is 1.0; it must be in 0..<1")
    (config.gridHeight, config.gridWidth, config.context) = (4096, 4096, 4096)
    #expect(config.problem?.hasPrefix("context is 4096") == true)
  }

  @Test func tensorsAreThoseOfTheConfiguration() {
    let names = Set(WorldModel(Self.config()).shapes().map(\.name))
    for name in ["pos_emb.weight", "head.0.weight", "head.2.bias", "end_head.2.weight"] {
      #expect(names.contains(name), "\(name)")
    }
    #expect(!names.contains("previous_emb.weight") && !names.contains("head.weight"))
    let decayed = WorldModel(Self.config()).decayedNames
    #expect(decayed.contains("head.0.weight") && decayed.contains("blocks.0.attn.key.weight"))
    #expect(!decayed.contains("pos_emb.weight") && !decayed.contains("tok_emb.weight"))
  }

  /// A code changes what stands behind it, and by whole steps also what stands before it in its
  /// own.
  @Test(arguments: [(WorldConfig.Mask.causal, 7), (.blockCausal, 5)])
  func aTokenIsSeenByTheMask(mask: WorldConfig.Mask, first: Int) {
    let config = Self.config(mask)
    let sequence = WorldModelTests.sequence(3, of: config)
    var changed = sequence
    changed.codes[6] = (changed.codes[6] + 1) % 7  // token 7, of step 1
    let model = WorldModelTests.model(config)
    func rows(_ sequence: WorldSteps.Sequence) -> [[Float]] {
      let logits = model(WorldSteps([sequence], of: config)).codes.elements()
      return (0..<15).map { Array(logits[$0 * 7..<($0 + 1) * 7]) }
    }
    let differ = zip(rows(sequence), rows(changed)).enumerated()
      .filter { $0.element.0 != $0.element.1 }.map(\.offset)
    #expect(differ == Array(first..<15))
  }

  /// Equal images at two places differ: positions are absolute.
  @Test func positionsAreAbsolute() {
    let config = Self.config()
    let sequence = WorldSteps.Sequence(
      codes: Array(repeating: 2, count: 12), actions: [1, 1, 1], rewards: [1, 1, 1],
      ends: [0, 0, 0])
    var model = WorldModelTests.model(config)
    for index in model.blocks.indices {
      // Without attention nothing but the position tells one token from another.
      let weight = model.blocks[index].attention.projection.weight
      model.blocks[index].attention.projection.weight = weight.scaled(by: 0)
    }
    let logits = model(WorldSteps([sequence], of: config)).codes.elements()
    #expect(Distance(Array(logits[0..<7]), Array(logits[35..<42])).largest > 1e-3)
  }

  @Test func theFirstImageIsATargetWhereItIsAskedFor() {
    let sequence = WorldSteps.Sequence(
      codes: [1, 2, 3, 4, 5, 6, 0, 1], actions: [2, 0], rewards: [1, 2], ends: [0, 1])
    var random = RandomSource(seed: 0)
    let steps = WorldSteps(
      [sequence], of: Self.config(), predictsFirst: true, using: &random)
    #expect(steps.codeTargets.elements == [2, 3, 4, -1, 5, 6, 0, 1, -1, -1])
  }

  @Test(arguments: [WorldConfig.Mask.causal, .blockCausal])
  func gradientsMatchFiniteDifferences(mask: WorldConfig.Mask) throws {
    let config = Self.config(mask)
    let sequences = [
      WorldModelTests.sequence(3, of: config), WorldModelTests.sequence(2, seed: 4, of: config),
    ]
    let zero = Tensor(repeating: 0, shape: [])
    var model = WorldModelTests.model(config)
    // Far from the kink of ReLU, which a difference quotient would step over.
    let biases = (0..<config.width).map { $0 % 2 == 0 ? Float(8) : -8 }
    for head in [\WorldModel.codeHead, \.rewardHead, \.endHead] {
      model[keyPath: head].hidden?.bias = Tensor(biases, shape: [config.width]).trainable()
      let weight = model[keyPath: head].output.weight
      model[keyPath: head].output.weight = weight.detached().scaled(by: 0.1).trainable()
    }
    try checkGradient(of: model, at: zero, step: 3e-3) { model, zero in
      var random: RandomSource? = RandomSource(seed: 0)
      let steps = WorldSteps(sequences, of: config)
      return model.losses(steps, droppingWith: &random)[0] + zero
    }
  }

  /// Dropping happens in training alone, and with other numbers differently.
  @Test func attentionDropsItsWeights() {
    var config = Self.config()
    config.attentionDropout = 0.5
    let model = WorldModelTests.model(config)
    let steps = WorldSteps([WorldModelTests.sequence(3, of: config)], of: config)
    func loss(_ seed: UInt64?) -> Float {
      var random = seed.map { RandomSource(seed: $0) }
      return model.losses(steps, droppingWith: &random)[0].item()
    }
    #expect(loss(1) == loss(1) && loss(1) != loss(2) && loss(1) != loss(nil))
    #expect(loss(nil) == loss(nil))
  }
}

@Suite struct IRISRolloutTests {
  /// What a roll-out says, against one pass over what its window holds: the steps since the refill.
  @Test func outcomesAreThoseOfOnePassOverTheWindow() {
    let config = IRISModelTests.config(context: 4)
    let model = WorldModelTests.model(config)
    let sequences = [
      WorldModelTests.sequence(11), WorldModelTests.sequence(11, seed: 9),
    ]
    var rollout = WorldRollout(of: model, items: 2)
    for step in 0..<11 {
      rollout.show(sequences.map { Array($0.codes[step * 4..<(step + 1) * 4]) })
      let outcome = rollout.act(sequences.map { $0.actions[step] })
      // Refilled before the action of steps 3, 6 and 9.
      let first = step / 3 * 3
      let seen = sequences.map { whole in
        WorldSteps.Sequence(
          codes: Array(whole.codes[first * 4..<(step + 1) * 4]),
          actions: Array(whole.actions[first...step]), rewards: Array(whole.rewards[first...step]),
          ends: Array(whole.ends[first...step]))
      }
      let logits = model(WorldSteps(seen, of: config))
      let (rewards, count) = (logits.rewards.elements(), step - first + 1)
      for item in 0..<2 {
        let row = (item * count + count - 1) * 3
        let distance = Distance(outcome.rewards[item], Array(rewards[row..<row + 3]))
        #expect(distance.largest < 1e-4, "step \(step), game \(item)")
      }
    }
  }

  /// Dreams longer than the window, one code at a time, against passes over it.
  @Test func imaginedImagesAreThoseOfOnePassOverTheWindow() throws {
    let config = IRISModelTests.config()
    let model = WorldModelTests.model(config)
    var rollout = WorldRollout(of: model, items: 1)
    rollout.show([[1, 2, 3, 4]])
    var streams = [RandomSource(seed: 1)]
    var window: (codes: [Int32], actions: [Int32]) = ([1, 2, 3, 4], [])
    for step in 0..<9 {
      let action = Int32(step % 3)
      if window.actions.count == config.context - 1 { window = (window.codes.suffix(4), []) }
      window.actions.append(action)
      _ = rollout.act([action])
      try rollout.imagine(SamplingOptions(isGreedy: true), using: &streams)
      window.codes += rollout.codes[0]
      let count = window.actions.count + 1
      let sequence = WorldSteps.Sequence(
        codes: window.codes, actions: window.actions + [0],
        rewards: Array(repeating: 1, count: count), ends: Array(repeating: 0, count: count))
      let logits = model(WorldSteps([sequence], of: config)).codes.elements()
      for place in 0..<4 {
        let token = (count - 1) * 5 + place - 1
        let row = logits[token * 7..<(token + 1) * 7]
        let chosen = row[row.startIndex + Int(rollout.codes[0][place])]
        #expect(chosen > (row.max() ?? 0) - 1e-4, "step \(step), code \(place)")
      }
    }
  }
}
