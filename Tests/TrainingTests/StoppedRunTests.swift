// Runs that are stopped where they ask whether to stop: between steps and within validations.
import DurableFiles
import Foundation
import TestSupport
import Testing
import Training

@Suite struct StoppedRunTests {
  // MARK: GPT

  private func trainGPT(
    _ path: String, resumed: Bool = false, stoppingAt question: Int = .max,
    _ change: (inout GPTRunConfig) -> Void = { _ in }
  ) throws -> GPTRun {
    var config = try GPTRunTests.config(steps: 8)
    (config.logEvery, config.ema) = (3, 0.9)
    change(&config)
    let folder = RunFolder(path)
    if resumed { try folder.update(config: config) } else { try folder.create(config: config) }
    var run = try GPTRun(config, in: folder, resumed: resumed, on: .default)
    try run.train(
      on: GPTRunTests.data, validation: GPTRunTests.data, .stopping(atQuestion: question))
    return run
  }

  /// Two validations of five batches, at steps 4 and 8, and eight steps.
  @Test(arguments: 1...18)
  func aGPTStoppedAnywhereHasTheRowsOfOneThatWasNot(question: Int) throws {
    let folder = try TemporaryFolder()
    let (whole, parts) = (folder("whole"), folder("parts"))
    _ = try trainGPT(whole)
    _ = try trainGPT(parts, stoppingAt: question)
    // Stopped again at once, which may be within the validation that is made up for.
    _ = try trainGPT(parts, resumed: true, stoppingAt: 1)
    _ = try trainGPT(parts, resumed: true)
    #expect(try GPTRunTests.checkpoint(parts) == GPTRunTests.checkpoint(whole))
    #expect(try GPTRunTests.metrics(parts) == GPTRunTests.metrics(whole))
    #expect(try GPTRunTests.metrics(whole).map { $0[0] } == ["step", "3", "4", "6", "8"])
  }

  @Test func theBestCheckpointStaysBesideTheNewest() throws {
    let folder = try TemporaryFolder()
    func change(_ config: inout GPTRunConfig) {
      config.learningRate = LearningRate(peak: 0.2)  // too much: the loss jumps
      (config.validateEvery, config.keepCheckpoints, config.keepBest) = (1, 1, true)
    }
    let (whole, parts) = (RunFolder(folder("whole")), RunFolder(folder("parts")))
    _ = try trainGPT(whole.path, change)
    _ = try trainGPT(parts.path, stoppingAt: 20, change)
    _ = try trainGPT(parts.path, resumed: true, change)
    for run in [whole, parts] {
      let rows = try GPTRunTests.metrics(run.path)
      let column = try #require(rows[0].firstIndex(of: "val/loss"))
      let losses = rows.dropFirst().map { Double($0[column]) ?? .infinity }
      let best =
        try #require(losses.indices.min { losses[$0] < losses[$1] }) + 1 - losses.startIndex
      #expect(run.steps() == Set([best, 8]).sorted(), "losses \(losses)")
      #expect(
        try FileManager.default.destinationOfSymbolicLink(atPath: "\(run.path)/checkpoints/best")
          == RunFolder.name(ofStep: best))
      #expect(DurableFile.exists("\(run.path)/checkpoints/best/model.json"))
    }
    #expect(try GPTRunTests.checkpoint(parts.path) == GPTRunTests.checkpoint(whole.path))
  }

  /// The best of those that are left takes the place of a best one that somebody has removed.
  @Test(arguments: [1, 3])
  func theBestThatIsLeftIsTheBest(keeping: Int) throws {
    let folder = try TemporaryFolder()
    func change(_ config: inout GPTRunConfig) {
      config.learningRate = LearningRate(peak: 0.2)  // too much: the loss jumps
      (config.validateEvery, config.keepCheckpoints, config.keepBest) = (1, keeping, true)
      config.checkpointEvery = 1
    }
    let run = RunFolder(folder("run"))
    let link = "\(run.path)/checkpoints/best"
    func best() throws -> String {
      try FileManager.default.destinationOfSymbolicLink(atPath: link)
    }
    _ = try trainGPT(run.path, change)
    DurableFile.remove("\(run.path)/checkpoints/\(try best())")
    var left = run.steps()
    _ = try trainGPT(run.path, resumed: true) {
      change(&$0)
      $0.steps = 12
    }
    left += 9...12
    let rows = try GPTRunTests.metrics(run.path)
    let column = try #require(rows[0].firstIndex(of: "val/loss"))
    func loss(_ step: Int) -> Double { Double(rows[step][column]) ?? .infinity }
    let expected = try #require(left.min { loss($0) < loss($1) })
    #expect(try best() == RunFolder.name(ofStep: expected), "\(rows)")
    #expect(DurableFile.exists("\(link)/model.json"))
  }

  // MARK: VQGAN

  private func trainVQGAN(
    _ path: String, _ shard: String, resumed: Bool = false, stoppingAt question: Int = .max
  ) throws {
    var config = VQGANRunConfig.small(discStart: 1, steps: 4)
    (config.shards, config.validation, config.logEvery) = ([shard], [shard], 1)
    (config.checkpointEvery, config.imageEvery) = (2, 100)
    try RunFolder(path).train(config, resumed: resumed, .stopping(atQuestion: question))
  }

  /// Two validations of three batches, at steps 2 and 4, and four steps.
  @Test func aVQGANStoppedAnywhereHasTheRowsOfOneThatWasNot() throws {
    let folder = try TemporaryFolder()
    let shard = folder("a.h5")
    try imageShard(shard, rows: 6) { row in (0..<768).map { UInt8(($0 * 7 + row * 31) % 256) } }
    let whole = folder("whole")
    try trainVQGAN(whole, shard)
    let expected = try checkpointAndRows(whole)
    #expect(
      expected.keys.count { $0.hasPrefix("row ") } == 7, "a header, four steps, two validations")
    for question in [1, 2, 3, 4, 5, 6, 8, 10] {
      let parts = folder("parts-\(question)")
      try trainVQGAN(parts, shard, stoppingAt: question)
      try trainVQGAN(parts, shard, resumed: true, stoppingAt: 1)
      try trainVQGAN(parts, shard, resumed: true)
      #expect(try checkpointAndRows(parts) == expected, "stopped at question \(question)")
    }
  }
}
