// Losses, gradients and weights that are not finite.
import Checkpoints
import DurableFiles
import Foundation
import Models
import NN
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct NotFiniteTests {
  // MARK: Steps

  /// A GPT whose head is as large as given, and a batch.
  private func trainer(head: Float) throws -> (GPTTrainer, TokenSequences) {
    var random = RandomSource(seed: 4)
    var model = GPT(try GPTRunTests.config(steps: 1, dropout: 0).model, using: &random)
    model.visitParameters { name, tensor in
      if name == "head.weight" { tensor.assign(random.normal(tensor.shape, deviation: head)) }
    }
    let codes = IndexTensor((0..<16).map { Int32($0) }, shape: [2, 8])
    return (
      try GPTTrainer(model, weightDecay: 0.01),
      TokenSequences(codes: codes, conditions: TokenSequences.unconditional(2))
    )
  }

  private func values(_ trainer: GPTTrainer) -> [[Float]] {
    trainer.model.namedTensors.map { $0.tensor.elements() }
  }

  /// With 3e38 the logits overflow, with 1e37 only their gradients, with 1e25 only the squares of
  /// these.
  @Test(
    arguments: [
      (3e38, "the loss"), (1e37, "the gradient of "), (1e25, "Adam's second moment of "),
    ] as [(Float, String)])
  func aStepThatIsNotFiniteChangesNothing(head: Float, what: String) throws {
    var (trainer, batch) = try trainer(head: head)
    let before = values(trainer)
    var random = RandomSource(seed: 1)
    let error = #expect(throws: NotFinite.self) {
      try trainer.step([batch], learningRate: 1e-3, using: &random)
    }
    #expect(error?.what.hasPrefix(what) == true, "\(error?.what ?? "")")
    #expect(values(trainer) == before)
    #expect(trainer.optimizer.step == 0 && trainer.optimizer.state.isEmpty)
  }

  /// Gradients whose squares are not finite can be clipped; others are taken as they are.
  @Test(arguments: [(1e25, 1), (1e12, nil)] as [(Float, Float?)])
  func momentsStayFinite(head: Float, clip: Float?) throws {
    var (trainer, batch) = try trainer(head: head)
    trainer.clip = clip
    var random = RandomSource(seed: 1)
    _ = try trainer.step([batch], learningRate: 1e-3, using: &random)
    #expect(trainer.optimizer.step == 1 && !trainer.optimizer.state.isEmpty)
    for (name, moment) in trainer.optimizer.state {
      let isFinite = moment.elements().allSatisfy { $0.isFinite }
      #expect(isFinite, "\(name)")
    }
  }

  /// A codebook of moving averages and running statistics move within a step; they go back.
  @Test(arguments: [VQGANObjective.DiscriminatorPass.shared, .fresh])
  func aVQGANsStepThatIsNotFiniteChangesNothing(pass: VQGANObjective.DiscriminatorPass) throws {
    var random = RandomSource(seed: 5)
    var config = VQGANConfig.tiny
    config.quantizer.kind = .movingAverage
    let objective = VQGANObjective(
      discStart: 0, discriminator: DiscriminatorConfig(ndf: 8, nLayers: 1), discriminatorPass: pass)
    var trainer = VQGANTrainer(
      model: VQGAN(config, using: &random),
      discriminator: Discriminator(objective.discriminator, using: &random, on: .default),
      perceptual: nil, objective: objective)
    let good = random.uniform([1, 3, 16, 16], in: -1..<1)
    _ = try trainer.step([.values(good)], step: 0, learningRate: 1e-4, using: &random)
    func values() -> [[Float]] {
      (trainer.model.namedTensors + trainer.discriminator.namedTensors).map { $0.tensor.elements() }
        + [trainer.usage.fractions]
    }
    let before = values()
    let bad = Tensor([Float](repeating: .nan, count: 768), shape: [1, 3, 16, 16])
    #expect(throws: NotFinite.self) {
      try trainer.step(
        [.values(good), .values(bad)], step: 1, learningRate: 1e-4, using: &random)
    }
    #expect(values() == before)
    #expect(trainer.optimizer.step == 1 && trainer.discriminatorOptimizer.step == 1)
    _ = try trainer.step([.values(good)], step: 1, learningRate: 1e-4, using: &random)
    #expect(values() != before)
  }

  // MARK: Runs

  /// After one step the weights are too large to compute with.
  private func config(_ policy: NonfinitePolicy?, steps: Int = 6) throws -> GPTRunConfig {
    var config = try GPTRunTests.config(steps: steps, checkpointEvery: 3)
    config.learningRate = LearningRate(peak: 1e19)
    config.onNonfinite = policy
    return config
  }

  /// They are not saved, neither behind their step nor when the next one cannot be taken: skipping
  /// would not help.
  @Test(arguments: [nil, NonfinitePolicy.skip], [1, 3])
  func weightsThatCannotBeComputedWithAreNotSaved(
    policy: NonfinitePolicy?, checkpointEvery: Int
  ) throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder("run"))
    var config = try config(policy)
    config.checkpointEvery = checkpointEvery
    let error = #expect(throws: RunError.self) { try GPTRunTests.train(run.path, config) }
    let step = checkpointEvery == 1 ? 1 : 2
    guard case .notFinite(run.path, step, let what, nil, false)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(what.hasPrefix("with its weights ") == (step == 1), "\(what)")
    #expect(run.steps() == [])
  }

  /// The newest checkpoint that can be computed with stays, although one alone is kept.
  @Test(arguments: [(6, 0..<0, 24, 18), (10, 22..<23, 23, 20)])
  func theLastGoodCheckpointStays(
    every: Int, failing: Range<Int>, step: Int, last: Int
  ) throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder("run"))
    var config = try Uneven.config(steps: 40)
    (config.checkpointEvery, config.keepCheckpoints) = (every, 1)
    let error = #expect(throws: RunError.self) {
      try Uneven.train(run.path, config, failing: failing)
    }
    guard case .notFinite(run.path, step, _, last, false)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(run.steps() == [last])
    #expect(error?.description.contains("--init-from \(run.checkpointPath(step: last))") == true)
    #expect(error?.description.contains("--on-nonfinite") == false)
  }

  @Test func aRunStopsWithTheStateBeforeTheStep() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder("run"))
    var config = try Uneven.config(steps: 6)
    let error = #expect(throws: RunError.self) {
      try Uneven.train(run.path, config, failing: 3..<4)
    }
    guard case .notFinite(run.path, 4, let what, 3, true)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(what.hasPrefix("the loss (the largest weight is "), "\(what)")
    #expect(run.steps() == [3])
    let last = try run.lastCheckpoint()
    for name in DurableFile.names(in: last) where name.hasSuffix(".safetensors") {
      try SafetensorsFile("\(last)/\(name)").requireFinite()
    }
    // What the message advises can be done.
    config.onNonfinite = .skip
    try run.update(config: config)
    let resumed = try Uneven.train(run.path, config, failing: 3..<4, resumed: true)
    #expect((resumed.state.step, resumed.state.skipped) == (6, 1))
  }

  /// A run whose first weights are so large is told of it at its first step, and not when it saves.
  @Test(arguments: [nil, NonfinitePolicy.skip])
  func momentsThatOverflowAreFoundInTheirStep(policy: NonfinitePolicy?) throws {
    let folder = try TemporaryFolder()
    _ = try GPTRunTests.train(folder("first"), try GPTRunTests.config(steps: 1))
    let first = try RunFolder(folder("first")).lastCheckpoint()
    try DurableFile.createFolder(folder("large"))
    try DurableFile.write(
      try DurableFile.read("\(first)/model.json"), to: folder("large/model.json"))
    let file = try SafetensorsFile("\(first)/model.safetensors")
    try SafetensorsWriter.write(
      try file.names.map { name in
        let values = try file.floats(of: name).map { name == "head.weight" ? $0 * 1e26 : $0 }
        return SafetensorsEntry(name, shape: try file.shape(of: name), floats: values)
      }, to: folder("large/model.safetensors"))
    let run = RunFolder(folder("run"))
    var config = try GPTRunTests.config(steps: 3)
    (config.initFrom, config.onNonfinite) = (folder("large"), policy)
    let error = #expect(throws: RunError.self) { try GPTRunTests.train(run.path, config) }
    let what: String
    switch error {
    case .notFinite(run.path, 1, let found, nil, false)?: what = found
    default: what = "\(String(describing: error))"
    }
    #expect(what.hasPrefix("Adam's second moment of "), "\(what)")
    #expect(run.steps() == [])
  }

  @Test func skippedStepsAreStepsWithoutAnUpdate() throws {
    let folder = try TemporaryFolder()
    let (whole, parts) = (folder("whole"), folder("parts"))
    var config = try Uneven.config(steps: 6)
    config.onNonfinite = .skip
    let run = try Uneven.train(whole, config, failing: 1..<6)
    #expect(run.state.step == 6)
    #expect(run.trainer.optimizer.step == 1)
    let rows = try GPTRunTests.metrics(whole)
    let loss = try #require(rows[0].firstIndex(of: "train/loss"))
    #expect(rows.count == 7)
    #expect(rows[2...].allSatisfy { $0[loss].isEmpty })
    #expect(!rows[1][loss].isEmpty)

    try Uneven.train(parts, config, failing: 1..<6, stopAfter: 4)
    try Uneven.train(parts, config, failing: 1..<6, resumed: true)
    #expect(try GPTRunTests.checkpoint(parts) == GPTRunTests.checkpoint(whole))
    #expect(try GPTRunTests.metrics(parts) == GPTRunTests.metrics(whole))
  }

  /// One step in ten that is skipped is bad luck; ten in a row, or all of a run, are its end.
  @Test(
    arguments: [(30, 2..<30, 12, 10, 2), (3, 0..<3, 3, 3, nil)]
      as [(Int, Range<Int>, Int, Int, Int?)])
  func stepsThatAreSkippedAreCountedAndLimited(
    steps: Int, failing: Range<Int>, end: Int, skipped: Int, last: Int?
  ) throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder("run"))
    var config = try Uneven.config(steps: steps)
    config.onNonfinite = .skip
    let error = #expect(throws: RunError.self) {
      try Uneven.train(run.path, config, failing: failing)
    }
    guard case .onlySkipped(run.path, end, skipped, _, last)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(run.steps() == [last].compactMap(\.self))
  }

  @Test func aCheckpointWithAValueThatIsNotFiniteIsNotWritten() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.path)
    try run.create(config: try config(nil))
    for bad in [Float.nan, .infinity, -.infinity] {
      let error = #expect(throws: RunError.self) {
        try run.saveCheckpoint(step: 7, keeping: 3) {
          try SafetensorsWriter.write(
            [SafetensorsEntry("m.head.weight", shape: [2], floats: [1, bad])],
            to: "\($0)/optimizer.safetensors")
        }
      }
      #expect(
        error
          == .notFinite(
            path: run.path, step: 7, what: "m.head.weight", last: nil, canSkip: false))
    }
    #expect(DurableFile.names(in: folder("checkpoints")) == [])
  }

  // MARK: Files

  @Test(arguments: [ElementType.float32, .float16, .bfloat16, .float64])
  func weightsThatAreNotFiniteAreRefused(type: ElementType) throws {
    let folder = try TemporaryFolder()
    let path = folder("weights.safetensors")
    let bytes: [ElementType: [UInt8]] = [  // infinity
      .float32: [0, 0, 0x80, 0x7F], .float16: [0, 0x7C], .bfloat16: [0x80, 0x7F],
      .float64: [0, 0, 0, 0, 0, 0, 0xF0, 0x7F],
    ]
    let one = try #require(bytes[type])
    try SafetensorsWriter.write(
      [
        SafetensorsEntry(name: "bad", type: type, shape: [1]) { body in
          try one.withUnsafeBytes(body)
        },
        SafetensorsEntry("good", shape: [1], floats: [1]),
        SafetensorsEntry("integers", shape: [1], integers: [.max]),
      ], to: path)
    let file = try SafetensorsFile(path)
    #expect(throws: NotFiniteError(path: path, tensor: "bad")) { try file.requireFinite() }
    #expect(throws: NotFiniteError(path: path, tensor: "bad")) { try file.tensor("bad") }
    #expect(try file.tensor("good").elements() == [1])
  }
}

// MARK: A run that fails where it is to

/// A model of one weight, which falls by one in every step.
private struct OneWeight: TransformerModel {
  var weight = Tensor(repeating: 0, shape: [1]).trainable()

  let decayedNames: Set<String> = []

  mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try weight.visit(as: "weight", visit)
  }

  /// - Parameter batch: whether the loss of an item is not finite.
  func losses(_ batch: [Bool], droppingWith random: inout RandomSource?) -> [Tensor] {
    [weight.mean().scaled(by: batch.contains(true) ? .nan : 1)]
  }

  var trial: (model: OneWeight, batch: [Bool]) { (self, [false]) }

  /// Behind more than 20 steps the model cannot be computed with.
  var notFiniteResult: String? { weight.elements()[0] < -20.5 ? "the weight" : nil }
}

/// Steps of which some cannot be taken.
private enum Uneven: TransformerTask {
  struct Items: TransformerData {
    let failing: Range<Int>
    let identity = "items"
    let count = 100
    let itemLength = 1
    let unigramEntropy = 0.0
  }

  static let validationItems = 1
  static let validationColumns = ["val/loss"]

  static func validateEvery(_ config: GPTRunConfig) -> Int { 1000 }

  static func description(_ config: GPTRunConfig) -> GPTDescription { config.description }

  static func trainer(
    _ config: GPTRunConfig, using random: inout RandomSource, on device: Device
  ) throws -> TransformerTrainer<OneWeight> { TransformerTrainer(of: OneWeight(), weightDecay: 0) }

  static func load(
    _ trainer: inout TransformerTrainer<OneWeight>, from path: String, _ config: GPTRunConfig
  ) throws {}

  static func batch(
    _ items: [Int], of data: Items, _ config: GPTRunConfig, using random: inout RandomSource
  ) -> [Bool] { items.map(data.failing.contains) }

  static func metrics(_ losses: [Double]) -> [Metric] { [] }

  static func validate(
    _ trainer: TransformerTrainer<OneWeight>, on data: Items, _ config: GPTRunConfig,
    unless shouldStop: () -> Bool
  ) -> [Metric]? { nil }

  /// Step n takes item n - 1.
  static func config(steps: Int) throws -> GPTRunConfig {
    var config = try GPTRunTests.config(steps: steps)
    (config.batchSize, config.accumulate, config.shuffles) = (1, 1, false)
    config.learningRate = LearningRate(peak: 1)
    return config
  }

  @discardableResult
  static func train(
    _ path: String, _ config: GPTRunConfig, failing: Range<Int>, resumed: Bool = false,
    stopAfter: Int? = nil
  ) throws -> TransformerRun<Uneven> {
    let folder = RunFolder(path)
    if !resumed { try folder.create(config: config) }
    var run = try TransformerRun<Uneven>(config, in: folder, resumed: resumed, on: .default)
    var steps = 0
    try run.train(
      on: Items(failing: failing), validation: nil,
      TrainingReporter(
        step: { _ in steps += 1 }, warn: { _ in }, shouldStop: { steps + 1 == stopAfter }))
    return run
  }
}
