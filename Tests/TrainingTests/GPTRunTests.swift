import DurableFiles
import Foundation
import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct GPTRunTests {
  /// Rows of eight codes, each row counting up from a random code: all but the first code can be
  /// foreseen.
  static let codes: CodeTable = {
    var random = RandomSource(seed: 2)
    let rows: [[Int32]] = (0..<24).map { _ in
      let first = Int32.random(in: 0..<16, using: &random)
      return (0..<8).map { (first + $0) % 16 }
    }
    return CodeTable(rows.flatMap { $0 }, rowLength: 8, codebookSize: 16)
  }()

  static let data = GPTData(codes: codes)

  static func config(
    steps: Int, width: Int = 16, dropout: Float = 0.1, attentionDropout: Float = 0,
    checkpointEvery: Int = 1000
  ) throws -> GPTRunConfig {
    var config = GPTRunConfig(
      GPTSettings(
        model: try GPTConfig(
          vocabSize: 16, blockSize: 8, layers: 2, heads: 2, width: width,
          embeddingDropout: dropout, residualDropout: dropout, attentionDropout: attentionDropout),
        codes: CodeGrid(height: 2, width: 4, codebookSize: 16, fingerprint: "f00d", vqgan: "")),
      loop: LoopSettings(
        steps: steps, batchSize: 5, learningRate: LearningRate(peak: 3e-3, warmup: 3)),
      in: Environment(toolVersion: "test", threads: 2))
    (config.keepProbability, config.validateEvery) = (0.9, 4)
    (config.accumulate, config.seed, config.logEvery) = (2, 7, 1)
    (config.checkpointEvery, config.keepCheckpoints) = (checkpointEvery, 2)
    return config
  }

  static func train(
    _ path: String, _ config: GPTRunConfig, resumed: Bool = false, stopAfter: Int? = nil,
    on device: Device = .default
  ) throws -> GPTRun {
    let folder = RunFolder(path)
    if !resumed { try folder.create(config: config) }
    var run = try GPTRun(config, in: folder, resumed: resumed, on: device)
    var steps = 0
    try run.train(
      on: data, validation: data,
      TrainingReporter(
        step: { _ in steps += 1 }, warn: { _ in }, shouldStop: { steps + 1 == stopAfter }))
    return run
  }

  /// The bytes of the newest checkpoint, by file.
  static func checkpoint(_ path: String) throws -> [String: [UInt8]] {
    try RunFolder(path).lastCheckpointFiles()
  }

  /// The rows of metrics.csv without what depends on the clock and the machine.
  static func metrics(_ path: String) throws -> [[Substring]] {
    try RunFolder(path).untimedMetrics()
  }

  @Test func resumedRunsEqualAnUninterruptedOne() throws {
    let folder = try TemporaryFolder()
    let whole = folder("whole")
    _ = try Self.train(whole, try Self.config(steps: 12))
    let expected = try Self.checkpoint(whole)

    // Ended at step 5, at step 6, and by a signal at step 8.
    let pieces = folder("pieces")
    _ = try Self.train(pieces, try Self.config(steps: 12), stopAfter: 5)
    _ = try Self.train(pieces, try Self.config(steps: 12), resumed: true, stopAfter: 1)
    _ = try Self.train(pieces, try Self.config(steps: 12), resumed: true, stopAfter: 2)
    let run = try Self.train(pieces, try Self.config(steps: 12), resumed: true)
    #expect(run.state.step == 12)
    #expect(try Self.checkpoint(pieces) == expected)
    #expect(try Self.metrics(pieces).count == 13)
  }

  @Test func rowsBehindTheLastCheckpointAreWrittenAnew() throws {
    let folder = try TemporaryFolder()
    let whole = folder("whole")
    _ = try Self.train(whole, try Self.config(steps: 8, checkpointEvery: 3))
    // As if killed after step 8 had been logged, with the checkpoint of step 6 the newest.
    let killed = folder("killed")
    _ = try Self.train(killed, try Self.config(steps: 8, checkpointEvery: 3))
    try FileManager.default.removeItem(atPath: try RunFolder(killed).lastCheckpoint())
    let run = try Self.train(killed, try Self.config(steps: 8, checkpointEvery: 3), resumed: true)
    #expect(run.state.step == 8)
    #expect(try Self.checkpoint(killed) == Self.checkpoint(whole))
    #expect(try Self.metrics(killed) == Self.metrics(whole))
  }

  @Test func aRunWithoutACheckpointIsContinuedFromItsBeginning() throws {
    let folder = try TemporaryFolder()
    let (whole, killed) = (folder("whole"), folder("killed"))
    _ = try Self.train(whole, try Self.config(steps: 3))
    _ = try Self.train(killed, try Self.config(steps: 3), stopAfter: 1)
    try FileManager.default.removeItem(atPath: "\(killed)/checkpoints")
    _ = try Self.train(killed, try Self.config(steps: 3), resumed: true)
    #expect(try Self.checkpoint(killed) == Self.checkpoint(whole))
    #expect(try Self.metrics(killed) == Self.metrics(whole))
  }

  @Test func learnsWhatFollowsWhat() throws {
    let folder = try TemporaryFolder()
    let run = try Self.train(folder("run"), try Self.config(steps: 150, dropout: 0))
    let loss = try #require(
      run.trainer.validate(Self.data, rows: Array(0..<24), batchSize: 7))
    #expect(Self.codes.unigramEntropy > 2.5)
    #expect(loss < Self.codes.unigramEntropy - 1, "\(loss) nats a code")
    let last = try #require(try Self.metrics(folder("run")).last)
    #expect(last.first == "150")
    #expect(last.allSatisfy { !$0.isEmpty }, "a column without a value: \(last)")
  }

  @Test func bfloat16LearnsTheSame() throws {
    guard let device = try bfloat16Device() else { return }
    let folder = try TemporaryFolder()
    let config = try Self.config(steps: 60, width: 64, dropout: 0)
    func loss(_ name: String, on device: Device) throws -> Double {
      let run = try Self.train(folder(name), config, on: device)
      return try #require(
        run.trainer.validate(Self.data, rows: Array(0..<24), batchSize: 7))
    }
    let exact = try loss("float32", on: .default)
    let rounded = try loss("bf16", on: device)
    #expect(exact < Self.codes.unigramEntropy - 1)
    #expect(rounded != exact)
    #expect(abs(rounded - exact) < 0.02 * exact + 0.01, "\(rounded) beside \(exact) nats a code")
  }

  @Test func attentionDropoutIsRefused() throws {
    let folder = try TemporaryFolder()
    let config = try Self.config(steps: 1, attentionDropout: 0.1)
    #expect(throws: GPTConfigError.attentionDropout(0.1)) { try Self.train(folder("run"), config) }
  }

  @Test func configurationSurvivesItsFile() throws {
    let folder = try TemporaryFolder()
    let config = try Self.config(steps: 3)
    try RunFolder(folder("run")).create(config: config)
    #expect(try RunFolder(folder("run")).config(GPTRunConfig.self) == config)
  }

  @Test func anUnknownKeyInsideTheConfigurationIsNamedWithItsPlace() throws {
    let folder = try TemporaryFolder()
    let run = RunFolder(folder("run"))
    try run.create(config: try Self.config(steps: 3))
    let text = String(decoding: try DurableFile.read(run.configPath), as: UTF8.self)
    let changed = text.replacing("\"n_head\"", with: "\"n_heads\" : 1, \"n_head\"")
    try DurableFile.write(Array(changed.utf8), to: run.configPath)
    let error = #expect(throws: RunError.self) { try run.config(GPTRunConfig.self) }
    #expect(error?.description.contains("unknown key \"model.n_heads\"") == true)
  }

  @Test func trainedModelIsLoadedForSampling() throws {
    let folder = try TemporaryFolder()
    let run = try Self.train(folder("run"), try Self.config(steps: 2))
    let stage = try SecondStage.load(folder("run"))
    #expect(stage.codes == run.config.codes)
    let indices = IndexTensor([0, 3, 4], shape: [1, 3])
    #expect(stage.model(indices).elements() == run.trainer.model(indices).elements())
    #expect(stage.model.parameterCount == 0, "a loaded model is not trained")
    let checkpoint = try RunFolder(folder("run")).lastCheckpoint()
    #expect(try SecondStage.load(checkpoint).codes == run.config.codes)
    #expect(throws: (any Error).self) { try SecondStage.load(folder("nothing")) }
  }
}

@Suite struct CodeTableTests {
  @Test(arguments: [4, 1 << 17])
  func rowsComeBack(codebookSize: Int) {
    let table = CodeTable([0, 1, 2, 3, 3, 1], rowLength: 2, codebookSize: codebookSize)
    #expect(table.count == 3)
    #expect(table.codes([2, 0]) == IndexTensor([3, 1, 0, 1], shape: [2, 2]))
  }

  @Test func entropyIsThatOfTheFrequencies() {
    let even = CodeTable([0, 1, 2, 3], rowLength: 1, codebookSize: 4)
    #expect(abs(even.unigramEntropy - log(4.0)) < 1e-12)
    let odd = CodeTable([0, 0, 0, 1], rowLength: 2, codebookSize: 4)
    #expect(abs(odd.unigramEntropy - (0.75 * log(4 / 3) + 0.25 * log(4.0))) < 1e-12)
    #expect(CodeTable([2, 2], rowLength: 2, codebookSize: 4).unigramEntropy == 0)
  }
}
