import Models
import TensorCore
import TestSupport
import Testing

@Suite struct WorldModelTests {
  /// Images of 2×2 codes.
  static let config = {
    var config = WorldConfig(
      gridHeight: 2, gridWidth: 2, codebookSize: 7, actions: 3, context: 2, layers: 2, heads: 2,
      width: 12)
    config.surroundings = 11
    return config
  }()

  /// Every parameter is away from its initial zero.
  static func model(_ config: WorldConfig = config, on device: Device = .default) -> WorldModel {
    var random = RandomSource(seed: 5)
    var model = WorldModel(config, using: &random, on: device)
    model.visitParameters { _, tensor in
      let noise = random.normal(tensor.shape, deviation: 0.3, on: device)
      tensor = (tensor.detached() + noise).trainable()
    }
    return model
  }

  static func sequence(
    _ steps: Int, seed: UInt64 = 3, of config: WorldConfig = config
  ) -> WorldSteps.Sequence {
    var random = RandomSource(seed: seed)
    func numbers(_ count: Int, below limit: Int) -> [Int32] {
      (0..<count).map { _ in Int32.random(in: 0..<Int32(limit), using: &random) }
    }
    return WorldSteps.Sequence(
      codes: numbers(steps * config.codes, below: config.codebookSize),
      actions: numbers(steps, below: config.actions), rewards: numbers(steps, below: 3),
      ends: numbers(steps, below: 2))
  }

  @Test func stepsBecomeTokens() {
    let sequence = WorldSteps.Sequence(
      codes: [1, 2, 3, 4, 5, 6, 0, 1], actions: [2, 0], rewards: [1, 2], ends: [0, 1])
    let steps = WorldSteps(
      [
        sequence,
        WorldSteps.Sequence(codes: [6, 6, 6, 5], actions: [1], rewards: [0], ends: [0]),
      ], of: Self.config)
    #expect(
      steps.tokens
        == IndexTensor(
          [1, 2, 3, 4, 9, 5, 6, 0, 1, 7, 6, 6, 6, 5, 8, 0, 0, 0, 0, 0], shape: [2, 10]))
    #expect(
      steps.previous.elements
        == [7, 7, 7, 7, 1, 2, 3, 4, 7, 5, 7, 7, 7, 7, 6, 7, 7, 7, 7, 7])
    #expect(
      steps.codeTargets.elements
        == [-1, -1, -1, -1, 5, 6, 0, 1, -1, -1] + Array(repeating: -1, count: 10))
    #expect(steps.rewardTargets.elements == [1, 2, 0, -1])
    #expect(steps.endTargets.elements == [0, 1, 0, -1])
  }

  /// What decides the rows that a token reads: squares of both images before, and the action.
  @Test func stepsBringWhatIsAroundThem() {
    var config = Self.config
    (config.gridHeight, config.gridWidth, config.surroundings) = (1, 5, 1 << 20)
    let sequence = Self.sequence(3, of: config)
    func rows(_ change: (inout WorldSteps.Sequence) -> Void) -> [[Int32]] {
      var changed = sequence
      change(&changed)
      let read = WorldSteps([changed], of: config).read.surroundings
      #expect(read?.shape == [1, 18, 4])
      let all = read?.elements ?? []
      return stride(from: 0, to: all.count, by: 4).map { Array(all[$0..<$0 + 4]) }
    }
    /// Which rows of a token of the last image another sequence changes.
    func changes(predicting place: Int, _ change: (inout WorldSteps.Sequence) -> Void) -> [Int] {
      let token = 12 + place - 1
      return (0..<4).filter { rows { _ in }[token][$0] != rows(change)[token][$0] }
    }
    #expect(rows { _ in }.joined().enumerated().allSatisfy { $1 / (1 << 20) == $0 % 4 })
    #expect(changes(predicting: 2) { $0.actions[1] = ($0.actions[1] + 1) % 3 } == [0, 2, 3])
    #expect(changes(predicting: 2) { $0.actions[0] = ($0.actions[0] + 1) % 3 } == [])
    func next(_ step: Int, _ place: Int) -> (inout WorldSteps.Sequence) -> Void {
      { $0.codes[step * 5 + place] = ($0.codes[step * 5 + place] + 1) % 7 }
    }
    #expect(changes(predicting: 2, next(1, 2)) == [0, 1, 2, 3])
    #expect(changes(predicting: 2, next(1, 3)) == [1, 2, 3])
    #expect(changes(predicting: 2, next(1, 4)) == [])
    #expect(changes(predicting: 2, next(0, 2)) == [0, 3])
    #expect(changes(predicting: 2, next(0, 1)) == [3])
    #expect(changes(predicting: 2, next(2, 1)) == [])
    config.surroundings = 0
    #expect(WorldSteps([sequence], of: config).read.surroundings == nil)
  }

  @Test func noiseChangesWhatIsReadAndNotWhatIsSaid() {
    let sequences = [Self.sequence(20)]
    var random = RandomSource(seed: 1)
    let clean = WorldSteps(sequences, of: Self.config)
    let noisy = WorldSteps(sequences, of: Self.config, noise: 0.3, using: &random)
    #expect(noisy.codeTargets == clean.codeTargets)
    let changed = zip(noisy.tokens.elements, clean.tokens.elements).enumerated()
      .filter { $0.element.0 != $0.element.1 }.map(\.offset)
    #expect((10...40).contains(changed.count), "\(changed.count) of 80")
    #expect(changed.allSatisfy { $0 % 5 != 4 }, "an action is never replaced")
    #expect(noisy.previous != clean.previous)
  }

  @Test func headsHaveTheirShapes() {
    let logits = Self.model()(WorldSteps([Self.sequence(3), Self.sequence(2)], of: Self.config))
    #expect(logits.codes.shape == [2, 15, 7])
    #expect(logits.rewards.shape == [6, 3])
    #expect(logits.ends.shape == [6, 2])
  }

  @Test(arguments: Device.all.indices)
  func gradientsMatchFiniteDifferences(device: Int) throws {
    let device = Device.all[device]
    let steps = WorldSteps([Self.sequence(4), Self.sequence(3, seed: 4)], of: Self.config)
    let zero = Tensor(repeating: 0, shape: [], on: device)
    try checkGradient(of: Self.model(on: device), at: zero, step: 3e-3) { model, zero in
      var none: RandomSource?
      return model.losses(steps, droppingWith: &none)[0] + zero
    }
  }

  @Test func theLossIsTheSumOfItsParts() {
    var steps = WorldSteps([Self.sequence(4)], of: Self.config)
    (steps.rewardWeight, steps.endWeight) = (0.5, 0.25)
    var none: RandomSource?
    let parts = Self.model().losses(steps, droppingWith: &none).map { $0.item() }
    #expect(abs(parts[0] - (parts[1] + 0.5 * parts[2] + 0.25 * parts[3])) < 1e-5)
  }

  /// A token changes nothing before it, something at once, and nothing once all layers have
  /// forgotten it.
  @Test(arguments: [0, 4, 13])
  func aTokenIsSeenBehindItAndWithinTheBand(token: Int) {
    let (config, count) = (Self.config, 8)
    let sequence = Self.sequence(count)
    var changed = sequence
    let (step, place) = (token / config.step, token % config.step)
    if place == config.codes {
      changed.actions[step] = (changed.actions[step] + 1) % 3
    } else {
      changed.codes[step * config.codes + place] =
        (changed.codes[step * config.codes + place] + 1) % 7
    }
    let model = Self.model()
    func rows(_ sequence: WorldSteps.Sequence) -> [[Float]] {
      let logits = model(WorldSteps([sequence], of: config)).codes.elements()
      return (0..<count * config.step).map { Array(logits[$0 * 7..<($0 + 1) * 7]) }
    }
    let differ = zip(rows(sequence), rows(changed)).enumerated()
      .filter { $0.element.0 != $0.element.1 }.map(\.offset)
    #expect(differ.first == token)
    // Each layer carries it a step further, and so do the inputs of the images before.
    #expect((differ.last ?? 0) < (step + 2 * (config.context - 1) + 3) * config.step)
  }

  @Test func theProblemOfAConfigurationIsNamed() {
    #expect(Self.config.problem == nil)
    var config = Self.config
    config.heads = 5
    #expect(config.problem?.contains("n_embd / n_head is 12 / 5") == true)
    config = Self.config
    config.context = 0
    #expect(config.problem == "context is 0; it must be in 1...4096")
    config = Self.config
    config.surroundings = -1
    #expect(config.problem == "surroundings is -1; it must be in 0...16777216")
  }
}

@Suite struct WorldRolloutTests {
  /// The cache, which forgets a step at every step, against one pass over all steps.
  @Test(arguments: Device.all, [0, 11])
  func cachedLogitsEqualOnePassOver500Steps(device: Device, surroundings: Int) {
    var config = WorldModelTests.config
    config.surroundings = surroundings
    let model = WorldModelTests.model(config, on: device)
    let count = 500
    let sequences = [
      WorldModelTests.sequence(count), WorldModelTests.sequence(count, seed: 9),
    ]
    let logits = model(WorldSteps(sequences, of: config))
    let (rewards, ends) = (logits.rewards.elements(), logits.ends.elements())
    var rollout = WorldRollout(of: model, items: 2)
    var worst: Float = 0
    for step in 0..<count {
      rollout.show(sequences.map { Array($0.codes[step * 4..<(step + 1) * 4]) })
      let outcome = rollout.act(sequences.map { $0.actions[step] })
      for item in 0..<2 {
        let row = item * count + step
        for (a, b) in zip(outcome.rewards[item], rewards[row * 3..<(row + 1) * 3]) {
          worst = max(worst, abs(a - b))
        }
        for (a, b) in zip(outcome.ends[item], ends[row * 2..<(row + 1) * 2]) {
          worst = max(worst, abs(a - b))
        }
      }
    }
    #expect(worst < 1e-3, "\(worst)")
  }

  /// Greedy images, one code at a time, are the largest logits of a pass over all steps.
  @Test func imaginedImagesAreThoseOfOnePass() throws {
    let config = WorldModelTests.config
    let model = WorldModelTests.model()
    var sequence = WorldModelTests.sequence(2)
    var rollout = WorldRollout(of: model, items: 1)
    rollout.show([Array(sequence.codes[0..<4])])
    _ = rollout.act([sequence.actions[0]])
    rollout.show([Array(sequence.codes[4..<8])])
    _ = rollout.act([sequence.actions[1]])
    var streams = [RandomSource(seed: 1)]
    for step in 2..<9 {
      try rollout.imagine(SamplingOptions(isGreedy: true), using: &streams)
      sequence.codes += rollout.codes[0]
      sequence.actions.append(Int32(step % 3))
      sequence.rewards.append(1)
      sequence.ends.append(0)
      let logits = model(WorldSteps([sequence], of: config)).codes.elements()
      for place in 0..<4 {
        // The token before the code: the last action, or the code before it.
        let token = step * 5 + place - 1
        let row = logits[token * 7..<(token + 1) * 7]
        let chosen = row[row.startIndex + Int(rollout.codes[0][place])]
        #expect(chosen > (row.max() ?? 0) - 1e-4, "step \(step), code \(place)")
      }
      _ = rollout.act([Int32(step % 3)])
    }
  }

  @Test func aGameDoesNotDependOnThoseBesideIt() throws {
    let model = WorldModelTests.model()
    func images(_ numbers: [Int]) throws -> [[Int32]] {
      var rollout = WorldRollout(of: model, items: numbers.count)
      var streams = numbers.map { RandomSource(seed: 4).stream($0) }
      rollout.show(numbers.map { number in (0..<4).map { Int32(($0 + number) % 7) } })
      for step in 0..<5 {
        _ = rollout.act(numbers.map { Int32(($0 + step) % 3) })
        try rollout.imagine(SamplingOptions(), using: &streams)
      }
      return rollout.codes
    }
    #expect(try images([0, 1, 2])[2] == images([2])[0])
  }
}
