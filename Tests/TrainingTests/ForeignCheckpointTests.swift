// Checkpoints of other runs, edited configurations, and rows of metrics that somebody has changed.
import DurableFiles
import Foundation
import TestSupport
import Testing
import Training

@Suite struct ForeignCheckpointTests {
  private let folder: TemporaryFolder
  private let run: RunFolder

  init() throws {
    folder = try TemporaryFolder()
    run = RunFolder(folder("run"))
  }

  private func config(
    steps: Int, _ change: (inout GPTRunConfig) -> Void = { _ in }
  ) throws -> GPTRunConfig {
    var config = try GPTRunTests.config(steps: steps, checkpointEvery: 1)
    change(&config)
    return config
  }

  /// Trains, until the question of that number whether to stop.
  ///
  /// - Returns: the warnings.
  @discardableResult
  private func train(
    _ config: GPTRunConfig, in run: RunFolder, resumed: Bool = false,
    stoppingAt question: Int = .max
  ) throws -> [String] {
    if !resumed { try run.create(config: config) }
    var training = try GPTRun(config, in: run, resumed: resumed, on: .default)
    var warnings: [String] = []
    try training.train(
      on: GPTRunTests.data, validation: GPTRunTests.data,
      .stopping(atQuestion: question) { warnings.append($0) })
    return warnings
  }

  private func problem(_ config: GPTRunConfig) -> String {
    let error = #expect(throws: RunError.self) { try train(config, in: run, resumed: true) }
    guard case .damaged? = error else { return "\(String(describing: error))" }
    return error?.description ?? ""
  }

  // MARK: Configurations

  /// One with the same seed and the same data.
  @Test func aCheckpointOfAnotherRunIsNamed() throws {
    let other = RunFolder(folder("other"))
    try train(try config(steps: 2), in: run)
    try train(try config(steps: 2) { $0.batchSize = 4 }, in: other)
    let last = try run.lastCheckpoint()
    DurableFile.remove(last)
    try FileManager.default.copyItem(atPath: try other.lastCheckpoint(), toPath: last)
    #expect(
      try problem(config(steps: 3))
        == "\(last)/state.json: another run's: its batch_size is 4, that of config.json 5; "
        + "step-000001 is this run's: move step-000002 away, and the run goes on from it")
    DurableFile.remove(last)
    try train(try config(steps: 3), in: run, resumed: true)
    #expect(run.steps() == [2, 3])
  }

  @Test(arguments: [
    ("batch_size=4", "batch_size is 4, step-000002 was trained with 5"),
    ("pkeep=0.5", "pkeep is 0.5, step-000002 was trained with 0.9"),
    ("learning_rate.peak=1", "learning_rate.peak is 1, step-000002 was trained with 0.003"),
    ("shuffles=false", "shuffles is false, step-000002 was trained with true"),
    (
      "model.n_layer=3", "model.n_layer is 3, step-000002 was trained with 2"
    ),
  ])
  func anEditedConfigurationIsNamed(edit: String, words: String) throws {
    try train(try config(steps: 2), in: run)
    let edited = try overriding(try config(steps: 3), [edit])
    try run.update(config: edited)
    #expect(
      problem(edited)
        == "\(run.configPath): \(words): put that back, or move step-000002 away if it is another "
        + "run's")
    try run.update(config: try config(steps: 3))
    try train(try config(steps: 3), in: run, resumed: true)
  }

  /// Nothing stands in the file for what is absent.
  @Test func whatIsAbsentIsCompared() throws {
    try train(try config(steps: 1), in: run)
    #expect(
      try problem(config(steps: 2) { $0.clip = 1 }).contains(
        "clip is 1, step-000001 was trained with none: "))
    #expect(
      try problem(config(steps: 2) { $0.order = .random }).contains(
        "order is \"random\", step-000001 was trained with \"raster\": "))
  }

  /// How a run goes on, where its shards lie, and by which version it was begun.
  @Test func whatDoesNotTellRunsApartIsNotCompared() throws {
    try train(try config(steps: 2), in: run)
    let other = try config(steps: 3) {
      ($0.threads, $0.keepCheckpoints, $0.checkpointEvery) = (1, 7, 2)
      ($0.logEvery, $0.validateEvery, $0.keepBest, $0.onNonfinite) = (2, 3, true, .skip)
      ($0.shards, $0.validation, $0.toolVersion) = (["elsewhere.h5"], ["there.h5"], "another")
      $0.learningRate.steps = 9
    }
    try train(other, in: run, resumed: true)
    #expect(run.steps().last == 3)
  }

  /// Two runs that are equal have equal checkpoints, whatever does not tell them apart.
  @Test func equalRunsHaveEqualStates() throws {
    let other = RunFolder(folder("other"))
    try train(try config(steps: 2), in: run)
    try train(
      try config(steps: 2) {
        ($0.threads, $0.keepCheckpoints, $0.toolVersion) = (1, 1, "another")
        $0.shards = ["elsewhere.h5"]
      }, in: other)
    let states = try [run, other].map {
      try DurableFile.read("\(try $0.lastCheckpoint())/state.json")
    }
    #expect(states[0] == states[1])
    let text = String(decoding: states[0], as: UTF8.self)
    #expect(text.contains(#""batch_size" : "5""#) && text.contains(#""metrics" : ""#), "\(text)")
  }

  /// The version before wrote neither the configuration nor the digest of the rows.
  @Test func checkpointsOfTheVersionBeforeGoOn() throws {
    try train(try config(steps: 2), in: run)
    let path = "\(try run.lastCheckpoint())/state.json"
    var json = try String(contentsOfFile: path, encoding: .utf8)
    for key in [
      #"ending" : \{\n(    .*\n)*  \}"#, #"config" : \{\n(    .*\n)*  \}"#, #"metrics" : .*"#,
      #"sha256" : .*"#,
    ] {
      let shorter = json.replacing(try Regex("  \"\(key),\n"), with: "")
      #expect(shorter != json, "\(key)")
      json = shorter
    }
    // The checksum is that of the text without spaces.
    json.removeAll(where: \.isWhitespace)
    try json.write(toFile: path, atomically: false, encoding: .utf8)
    let sum = try shell("sha256sum '\(path)'").output.prefix(64)
    try json.replacing(#""step":"#, with: #""sha256":"\#(sum)","step":"#)
      .write(toFile: path, atomically: false, encoding: .utf8)
    try put("0.5", "train/loss", line: 1)
    #expect(try train(try config(steps: 3) { $0.batchSize = 4 }, in: run, resumed: true) == [])
    #expect(run.steps().last == 3)
  }

  // MARK: Files of a checkpoint

  /// As after somebody has removed the file, or all but the checksums' key.
  @Test func aCheckpointWithoutItsStateNamesTheOneBefore() throws {
    try train(try config(steps: 2), in: run)
    let path = "\(try run.lastCheckpoint())/state.json"
    let advice =
      "; step-000001 is whole: move step-000002 away, and the run goes on from it"
    let json = try String(contentsOfFile: path, encoding: .utf8)
    let files = try Regex(#"  "files" : \{\n(    .*\n)*  \},\n"#)
    let changed = json.replacing(files, with: "")
    #expect(changed != json)
    try changed.write(toFile: path, atomically: false, encoding: .utf8)
    #expect(try problem(config(steps: 3)).hasSuffix(advice))
    let error = #expect(throws: RunError.self) { try SecondStage.load(run.path) }
    #expect(
      error?.description
        == "\(path): damaged: no key \"files\", which this version writes\(advice)")
    DurableFile.remove(path)
    #expect(
      try problem(config(steps: 3)) == "\(path): missing; no run goes on without it\(advice)")
  }

  // MARK: Rows of metrics

  private func change(_ change: (inout [String]) -> Void) throws {
    var lines = try String(contentsOfFile: run.metricsPath, encoding: .utf8)
      .split(separator: "\n").map(String.init)
    change(&lines)
    try (lines.joined(separator: "\n") + "\n").write(
      toFile: run.metricsPath, atomically: false, encoding: .utf8)
  }

  /// Puts a value into a column of a line.
  private func put(_ value: String, _ column: String, line: Int) throws {
    try change { lines in
      let index = lines[0].split(separator: ",").firstIndex { $0 == column } ?? 0
      var cells = lines[line].split(separator: ",", omittingEmptySubsequences: false)
      cells[index] = Substring(value)
      lines[line] = cells.joined(separator: ",")
    }
  }

  @Test func changedRowsAreWarnedOf() throws {
    let begun = try config(steps: 6)
    try train(begun, in: run)
    #expect(try train(begun, in: run, resumed: true) == [])
    // The clock and the machine are not the run's.
    try put("1", "tokens_per_second", line: 2)
    try put("1", "peak_memory_mib", line: 3)
    #expect(try train(begun, in: run, resumed: true) == [])
    let changed =
      "\(run.metricsPath): the rows up to step 6 are not those that the run wrote; the run goes on "
      + "with them"
    for (column, line) in [("train/loss", 3), ("val/loss", 4), ("learning_rate", 6)] {
      let kept = try DurableFile.read(run.metricsPath)
      try put("0.5", column, line: line)
      #expect(try train(begun, in: run, resumed: true) == [changed], "\(column)")
      try DurableFile.write(kept, to: run.metricsPath)
    }
    try change { $0.swapAt(2, 3) }
    #expect(try train(begun, in: run, resumed: true) == [changed])
    // What is written from here on counts.
    #expect(try train(try config(steps: 7), in: run, resumed: true) == [changed])
    #expect(try train(try config(steps: 8), in: run, resumed: true) == [])
  }

  @Test func repeatedRowsAreNamed() throws {
    let begun = try config(steps: 6)
    try train(begun, in: run)
    try change { $0 += [$0[4], $0[2]] }
    #expect(
      try train(begun, in: run, resumed: true) == [
        "\(run.metricsPath): 8 instead of 6 rows up to step 6, repeated are those of steps 2, 4; "
          + "the run goes on with them"
      ])
  }

  /// A run that is stopped within a validation makes up for it: the row of the checkpoint's step is
  /// another then, and it may die before its next checkpoint.
  @Test func aValidationThatIsMadeUpForIsNoChange() throws {
    let begun = try config(steps: 8) { $0.checkpointEvery = 1000 }
    try train(begun, in: run, stoppingAt: 6)
    #expect(run.steps() == [4])
    let validated = "\(run.path)/checkpoints/step-000004"
    let row = try GPTRunTests.metrics(run.path)[4]
    try train(begun, in: run, resumed: true, stoppingAt: 6)
    #expect(run.steps() == [4, 5])
    #expect(try GPTRunTests.metrics(run.path)[4] != row)
    DurableFile.remove("\(run.path)/checkpoints/step-000005")
    try DurableFile.link(to: "step-000004", at: "\(run.path)/checkpoints/last")
    #expect(DurableFile.isFolder(validated))
    #expect(try train(begun, in: run, resumed: true) == [])
  }
}
