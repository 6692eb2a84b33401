// Losses, gradients and weights that are not finite.
import Checkpoints
import DurableFiles
import Foundation
import Models
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

  @Test func aRunStopsWithTheStateBeforeTheStep() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder("run"))
    let error = #expect(throws: RunError.self) {
      _ = try GPTRunTests.train(run.path, try self.config(nil))
    }
    guard case .notFinite(run.path, 2, let what, 1)? = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(
      what.hasPrefix("the loss (the largest weight is ") || what.hasPrefix("the gradient of "),
      "\(what)")
    #expect(run.steps() == [1])
    let last = try run.lastCheckpoint()
    for name in DurableFile.names(in: last) where name.hasSuffix(".safetensors") {
      try SafetensorsFile("\(last)/\(name)").requireFinite()
    }
    // What the message advises can be done.
    try run.update(config: try config(.skip))
    let resumed = try GPTRunTests.train(run.path, try config(.skip), resumed: true)
    #expect(resumed.state.step == 6)
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
    case .notFinite(run.path, 1, let found, nil)? where policy == nil: what = found
    case .onlySkipped(run.path, 3, 3, let found, nil)? where policy == .skip: what = found
    default: what = "\(String(describing: error))"
    }
    #expect(what.hasPrefix("Adam's second moment of "), "\(what)")
    #expect(run.steps() == [])
  }

  @Test func skippedStepsAreStepsWithoutAnUpdate() throws {
    let folder = try TemporaryFolder()
    let (whole, parts) = (folder("whole"), folder("parts"))
    let run = try GPTRunTests.train(whole, try config(.skip))
    #expect(run.state.step == 6)
    #expect(run.trainer.optimizer.step == 1)
    let rows = try GPTRunTests.metrics(whole)
    let loss = try #require(rows[0].firstIndex(of: "train/loss"))
    #expect(rows.count == 7)
    #expect(rows[2...].allSatisfy { $0[loss].isEmpty })
    #expect(!rows[1][loss].isEmpty)

    _ = try GPTRunTests.train(parts, try config(.skip), stopAfter: 4)
    _ = try GPTRunTests.train(parts, try config(.skip), resumed: true)
    #expect(try GPTRunTests.checkpoint(parts) == GPTRunTests.checkpoint(whole))
    #expect(try GPTRunTests.metrics(parts) == GPTRunTests.metrics(whole))
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
      #expect(error == .notFinite(path: run.path, step: 7, what: "m.head.weight", last: nil))
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
