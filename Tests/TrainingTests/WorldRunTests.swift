import DurableFiles
import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

/// A game that is known: a place of eight on a ring, moved by the action, shown in four codes.
enum RingGame {
  static let grid = CodeGrid(height: 2, width: 2, codebookSize: 8, fingerprint: "f00d", vqgan: "")

  static func image(_ place: Int) -> [Int32] {
    [Int32(place), Int32(place), Int32((place + 1) % 8), 3]
  }

  /// Action 0 goes back, 1 stays, 2 goes on; place 0 is worth something, place 7 ends the game.
  static func data(rows: Int = 120, seed: UInt64 = 2, segment: Int = 6) -> WorldData {
    var random = RandomSource(seed: seed)
    var codes: [Int32] = []
    var actions: [Int32] = []
    var rewards: [Int32] = []
    var ends: [Int32] = []
    var frames: [(trajectory: Int, frame: Int)] = []
    var (place, trajectory, frame) = (3, 0, 0)
    for _ in 0..<rows {
      let action = Int.random(in: 0..<3, using: &random)
      let next = (place + action + 7) % 8
      codes += image(place)
      actions.append(Int32(action))
      rewards.append(next == 0 ? 2 : 1)
      ends.append(next == 7 ? 1 : 0)
      frames.append((trajectory, frame))
      if next == 7 {
        (place, trajectory, frame) = (Int.random(in: 1..<6, using: &random), trajectory + 1, 0)
      } else {
        (place, frame) = (next, frame + 1)
      }
    }
    return WorldData(
      codes: CodeTable(codes, rowLength: 4, codebookSize: 8), actions: actions, rewards: rewards,
      ends: ends, frames: frames, segment: segment)
  }

  static func config(
    steps: Int, dropout: Float = 0.1, sampling: WorldSettings.Sampling = .steps
  ) -> WorldRunConfig {
    var config = WorldRunConfig(
      WorldSettings(
        model: WorldConfig(
          gridHeight: 2, gridWidth: 2, codebookSize: 8, actions: 3, context: 2, layers: 2,
          heads: 2, width: 24, embeddingDropout: dropout, residualDropout: dropout),
        codes: grid, segment: 6),
      loop: LoopSettings(
        steps: steps, batchSize: 5, learningRate: LearningRate(peak: 3e-3, warmup: 3)),
      in: Environment(toolVersion: "test", threads: 2))
    (config.noise, config.validateEvery, config.sampling) = (0.1, 4, sampling)
    (config.accumulate, config.seed, config.logEvery, config.ema) = (2, 7, 1, 0.9)
    return config
  }

  @discardableResult
  static func train(
    _ path: String, _ config: WorldRunConfig, resumed: Bool = false, stopAfter: Int? = nil
  ) throws -> WorldRun {
    let folder = RunFolder(path)
    if !resumed { try folder.create(config: config) }
    var run = try WorldRun(config, in: folder, resumed: resumed, on: .default)
    var steps = 0
    let data = data()
    try run.train(
      on: data, validation: data,
      TrainingReporter(
        step: { _ in steps += 1 }, warn: { _ in }, shouldStop: { steps + 1 == stopAfter }))
    return run
  }
}

@Suite struct WorldRunTests {
  @Test(arguments: WorldSettings.Sampling.allCases)
  func resumedRunsEqualAnUninterruptedOne(sampling: WorldSettings.Sampling) throws {
    let folder = try TemporaryFolder()
    let config = RingGame.config(steps: 12, sampling: sampling)
    let (whole, pieces) = (folder("whole"), folder("pieces"))
    try RingGame.train(whole, config)
    try RingGame.train(pieces, config, stopAfter: 5)
    try RingGame.train(pieces, config, resumed: true, stopAfter: 3)
    let run = try RingGame.train(pieces, config, resumed: true)
    #expect(run.state.step == 12)
    func checkpoint(_ path: String) throws -> [String: [UInt8]] {
      let ema = "\(try RunFolder(path).lastCheckpoint())/ema.safetensors"
      return try GPTRunTests.checkpoint(path).merging(["ema": try DurableFile.read(ema)]) { $1 }
    }
    #expect(try checkpoint(pieces) == checkpoint(whole))
    #expect(try GPTRunTests.metrics(pieces) == GPTRunTests.metrics(whole))
    let last = try #require(try GPTRunTests.metrics(whole).last)
    #expect(last.allSatisfy { !$0.isEmpty }, "a column without a value: \(last)")
  }

  @Test func learnsWhatActionsDo() throws {
    let folder = try TemporaryFolder()
    var config = RingGame.config(steps: 200, dropout: 0)
    (config.noise, config.ema) = (0, nil)
    let run = try RingGame.train(folder("run"), config)
    let held = RingGame.data(rows: 200, seed: 77)
    let scores = try #require(
      held.scores(of: run.trainer.model, sequences: 100, batchSize: 9, unless: { false }))
    #expect((0.35..<0.65).contains(scores.copyAccuracy), "\(scores.copyAccuracy)")
    #expect(scores.accuracy > scores.copyAccuracy + 0.2, "\(scores.accuracy)")
    #expect(scores.changedAccuracy > 0.5, "\(scores.changedAccuracy)")
  }

  @Test func anotherSamplingTakesOtherSequences() throws {
    let folder = try TemporaryFolder()
    for sampling in WorldSettings.Sampling.allCases {
      try RingGame.train(
        folder(sampling.rawValue), RingGame.config(steps: 2, sampling: sampling))
    }
    #expect(
      try GPTRunTests.checkpoint(folder("steps")) != GPTRunTests.checkpoint(folder("episodes")))
  }

  @Test func configurationSurvivesItsFile() throws {
    let folder = try TemporaryFolder()
    let config = RingGame.config(steps: 3)
    try RunFolder(folder("run")).create(config: config)
    #expect(try RunFolder(folder("run")).config(WorldRunConfig.self) == config)
    let error = #expect(throws: RunError.self) {
      try RunFolder(folder("run")).config(GPTRunConfig.self)
    }
    #expect(error?.description.contains("a run of kind \"world\", expected \"gpt\"") == true)
  }

  @Test func trainedModelIsLoadedForDreams() throws {
    let folder = try TemporaryFolder()
    let run = try RingGame.train(folder("run"), RingGame.config(steps: 2))
    let stage = try WorldStage.load(folder("run"))
    #expect(stage.codes == RingGame.grid)
    let steps = WorldSteps([RingGame.data().sequence(0..<2)], of: stage.model.config)
    #expect(
      stage.model(steps).codes.elements() == run.trainer.validated(steps).codes.elements(),
      "the averaged weights")
    #expect(throws: RunError.self) { try WorldStage.load(folder("nothing")) }
    #expect(throws: RunError.self, "another kind of run") { try SecondStage.load(folder("run")) }
  }

  @Test func anotherRunsWeightsAreABeginning() throws {
    let folder = try TemporaryFolder()
    try RingGame.train(folder("run"), RingGame.config(steps: 2))
    var config = RingGame.config(steps: 2)
    (config.initFrom, config.initOptimizer) = (folder("run"), true)
    let run = try WorldRun(config, in: RunFolder(folder("next")), resumed: false, on: .default)
    #expect(run.trainer.optimizer.step == 2)
    let stage = try WorldStage.load(folder("run"))
    #expect(
      run.trainer.model.namedTensors.map { $0.tensor.elements() }
        == stage.model.namedTensors.map { $0.tensor.elements() })
  }
}
