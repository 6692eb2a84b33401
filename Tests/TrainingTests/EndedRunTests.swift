// 20 steps are a run that ended at step 7 and went on to 20: what it had only for its end is gone.
import DurableFiles
import Foundation
import Models
import Shards
import TestSupport
import Testing
import Training

@Suite struct EndedRunTests {
  /// Trains in a folder to some step, from where the run there has ended.
  private typealias Train = (_ path: String, _ steps: Int) throws -> [String]

  /// Opens the folder of a run that begins or goes on.
  private static func folder(_ path: String, _ config: some Encodable) throws -> (RunFolder, Bool) {
    let folder = RunFolder(path)
    let isResumed = folder.exists
    if isResumed { try folder.update(config: config) } else { try folder.create(config: config) }
    return (folder, isResumed)
  }

  private static func train(_ path: String, _ config: VQGANRunConfig) throws -> [String] {
    let (folder, isResumed) = try folder(path, config)
    var run = try VQGANRun(config, in: folder, resumed: isResumed, on: .default)
    let shards = try ImageShardSet(config.shards)
    var warnings: [String] = []
    try run.train(
      on: shards, validation: shards,
      .stopping(after: .max) { warnings.append($0) })
    return warnings
  }

  private static func train<Task: TransformerTask>(
    _ path: String, _ config: RunConfig<Task.Settings>, _ task: Task.Type, on data: Task.Data,
    isValidated: Bool = true
  ) throws -> [String] {
    let (folder, isResumed) = try folder(path, config)
    var run = try TransformerRun<Task>(config, in: folder, resumed: isResumed, on: .default)
    var warnings: [String] = []
    try run.train(
      on: data, validation: isValidated ? data : nil,
      .stopping(after: .max) { warnings.append($0) })
    return warnings
  }

  /// Trains at once, in two parts, and in three of which the second dies before its first
  /// checkpoint.
  private func expectTheSame(rows: [String], in folder: TemporaryFolder, _ train: Train) throws {
    let names = ["whole", "parts", "dying"]
    let (whole, parts, dying) = (folder(names[0]), folder(names[1]), folder(names[2]))
    #expect(try train(whole, 20) == [])
    #expect(try train(parts, 7) == [])
    #expect(try train(parts, 20) == [], "rows that were taken out are none that are missing")
    _ = try train(dying, 7)
    let files = FileManager.default
    try files.copyItem(atPath: "\(dying)/checkpoints", toPath: folder("checkpoints"))
    _ = try train(dying, 20)
    DurableFile.remove("\(dying)/checkpoints")
    try files.moveItem(atPath: folder("checkpoints"), toPath: "\(dying)/checkpoints")
    #expect(try train(dying, 20) == [])
    let expected = try checkpointAndRows(whole)
    #expect(expected["row 0"] != nil && expected["state.json"] != nil)
    for path in [parts, dying] {
      let found = try checkpointAndRows(path)
      for name in Set(expected.keys).union(found.keys).sorted() {
        #expect(found[name] == expected[name], "\(path): \(name)")
      }
    }
    let steps = (1..<100).compactMap { expected["row \($0)"] }.map {
      String(decoding: $0.prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self)
    }
    #expect(steps == rows)
  }

  private static let vqgans:
    [(kind: String, change: @Sendable (inout VQGANRunConfig) -> Void, rows: [String])] = [
      ("neither is due", { $0.logEvery = 5 }, ["5", "10", "10", "15", "20", "20"]),
      (
        "its row is due", { $0.checkpointEvery = 8 },
        (1...20).flatMap { [8, 16, 20].contains($0) ? ["\($0)", "\($0)"] : ["\($0)"] }
      ),
      (
        "its validation is due", { ($0.logEvery, $0.checkpointEvery) = (10, 7) },
        ["7", "10", "14", "20", "20"]
      ),
      (
        "an evaluation, averages, the best one",
        {
          ($0.logEvery, $0.ema, $0.keepBest, $0.keepCheckpoints) = (10, 0.9, true, 1)
          $0.evaluation = EvaluationSettings(every: 6)
        }, ["6", "10", "10", "12", "18", "20", "20", "20"]
      ),
    ]

  @Test(arguments: vqgans.map(\.kind))
  func aVQGANThatEndedAtStepSevenGoesOnAsIfItHadNot(kind: String) throws {
    let folder = try TemporaryFolder()
    var config = try ExactResumeTests.config(on: folder("a.h5"))
    let (_, change, rows) = try #require(Self.vqgans.first { $0.kind == kind })
    change(&config)
    try expectTheSame(rows: rows, in: folder) { path, steps in
      config.steps = steps
      return try Self.train(path, config)
    }
  }

  /// With intervals of rows and of validations.
  @Test(arguments: [(10, 4), (1, 4), (10, 7), (7, 3)], [true, false])
  func aGPTThatEndedAtStepSevenGoesOnAsIfItHadNot(every: (Int, Int), isValidated: Bool) throws {
    let folder = try TemporaryFolder()
    var config = try GPTRunTests.config(steps: 20)
    (config.logEvery, config.validateEvery, config.ema) = (every.0, every.1, 0.9)
    let rows = (1...20).filter { $0 % every.0 == 0 || $0 % every.1 == 0 || $0 == 20 }
    try expectTheSame(rows: rows.map(String.init), in: folder) { path, steps in
      config.steps = steps
      return try Self.train(
        path, config, GPTTask.self, on: GPTRunTests.data, isValidated: isValidated)
    }
  }

  @Test(arguments: [(10, 4), (1, 4), (10, 7)])
  func aWorldModelThatEndedAtStepSevenGoesOnAsIfItHadNot(every: (Int, Int)) throws {
    let folder = try TemporaryFolder()
    var config = RingGame.config(steps: 20)
    (config.logEvery, config.validateEvery) = every
    let rows = (1...20).filter { $0 % every.0 == 0 || $0 % every.1 == 0 || $0 == 20 }
    try expectTheSame(rows: rows.map(String.init), in: folder) { path, steps in
      config.steps = steps
      return try Self.train(path, config, WorldTask.self, on: RingGame.data())
    }
  }

  /// Validated only at its end, step 7 may be the best there: the best one before stays beside it.
  @Test(arguments: [3e-3, 0.2] as [Float])
  func theBestThatWasDueStaysBesideTheLast(peak: Float) throws {
    let folder = try TemporaryFolder()
    var config = try GPTRunTests.config(steps: 20)
    config.learningRate = LearningRate(peak: peak)
    (config.logEvery, config.validateEvery) = (10, 4)
    (config.keepBest, config.keepCheckpoints) = (true, 1)
    let (whole, parts) = (RunFolder(folder("whole")), RunFolder(folder("parts")))
    func train(_ run: RunFolder, to steps: Int) throws {
      config.steps = steps
      _ = try Self.train(run.path, config, GPTTask.self, on: GPTRunTests.data)
    }
    func best(_ run: RunFolder) throws -> String {
      try FileManager.default.destinationOfSymbolicLink(atPath: "\(run.path)/checkpoints/best")
    }
    try train(parts, to: 7)
    let losses = try GPTRunTests.metrics(parts.path)
    let column = try #require(losses[0].firstIndex(of: "val/loss"))
    #expect(losses.dropFirst().map { $0[0] } == ["4", "7"])
    let isBetter = try #require(Double(losses[2][column])) < #require(Double(losses[1][column]))
    #expect(try best(parts) == RunFolder.name(ofStep: isBetter ? 7 : 4))
    #expect(parts.steps() == [4, 7])
    try train(parts, to: 7)
    #expect(parts.steps() == [4, 7], "nor does one that has nothing to do remove it")
    try train(parts, to: 20)
    try train(whole, to: 20)
    #expect(try best(parts) == best(whole))
    #expect(parts.steps() == whole.steps())
    #expect(try checkpointAndRows(parts.path) == checkpointAndRows(whole.path))
  }

  /// Where the intervals are others by then, rows stay that these ask for.
  @Test func whatIsDueByNowStays() throws {
    let folder = try TemporaryFolder()
    var config = try GPTRunTests.config(steps: 7)
    (config.logEvery, config.validateEvery) = (10, 4)
    let train = { (config: GPTRunConfig) in
      try Self.train(folder("run"), config, GPTTask.self, on: GPTRunTests.data)
    }
    #expect(try train(config) == [])
    let ended = try GPTRunTests.metrics(folder("run"))
    #expect(ended.dropFirst().map { $0[0] } == ["4", "7"])
    (config.steps, config.validateEvery) = (8, 7)
    #expect(try train(config) == [])
    let found = try GPTRunTests.metrics(folder("run"))
    #expect(found.prefix(3) == ended[...])
    #expect(found.dropFirst().map { $0[0] } == ["4", "7", "8"])
  }

  /// Of the rows that stay any change is told, as of others.
  @Test func aChangedRowIsToldAlsoBehindAnEnd() throws {
    let folder = try TemporaryFolder()
    var config = try GPTRunTests.config(steps: 7)
    (config.logEvery, config.validateEvery) = (3, 100)
    let train = { (config: GPTRunConfig) in
      try Self.train(folder("run"), config, GPTTask.self, on: GPTRunTests.data)
    }
    _ = try train(config)
    let path = RunFolder(folder("run")).metricsPath
    var text = String(decoding: try DurableFile.read(path), as: UTF8.self)
    text.replace("\n3,", with: "\n3,9")
    try DurableFile.write(Array(text.utf8), to: path)
    config.steps = 9
    let warnings = try train(config)
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("the rows up to step 7 are not those") == true, "\(warnings)")
    #expect(
      try GPTRunTests.metrics(folder("run")).dropFirst().map { $0[0] } == ["3", "6", "9"])
  }
}
