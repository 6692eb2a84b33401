import Checkpoints
import DurableFiles
import Foundation
import TestSupport
import Testing
import Training

struct RunsFolderTests {
  private struct Config: Codable, Equatable {
    var steps = 7
    var name = "ä/b"
  }

  private let folder: TemporaryFolder
  private let run: RunFolder

  init() throws {
    folder = try TemporaryFolder()
    run = RunFolder(folder("run"))
    try run.create(config: Config())
  }

  private func save(_ step: Int, keeping: Int = 3, text: String = "{}") throws {
    try run.saveCheckpoint(step: step, keeping: keeping) { folder in
      try SafetensorsWriter.write(
        [SafetensorsEntry("w", shape: [1], floats: [Float(step)])],
        to: "\(folder)/model.safetensors")
      try DurableFile.write(Array(text.utf8), to: "\(folder)/state.json")
    }
  }

  private var checkpoints: [String] {
    DurableFile.names(in: "\(run.path)/checkpoints")
  }

  @Test func theConfigurationIsKeptAndNotOverwritten() throws {
    #expect(run.exists)
    #expect(try RunFolder.decode(Config.self, from: run.configPath) == Config())
    #expect(throws: RunError.alreadyARun(path: folder("run"))) {
      try run.create(config: Config(steps: 8))
    }
    #expect(try RunFolder.decode(Config.self, from: run.configPath) == Config())
    #expect(!RunFolder(folder("other")).exists)
  }

  /// Case 32: files of the names that a run gives, where there is no run.
  @Test(arguments: ["metrics.csv", "pictures/step-000001.png", "checkpoints/mine"])
  func externalFilesAreNotOverwritten(name: String) throws {
    let other = RunFolder(folder("other"))
    let path = "\(other.path)/\(name)"
    try DurableFile.createFolder(DurableFile.folder(of: path))
    try DurableFile.write([1], to: path)
    #expect(throws: RunError.externalFile(path: path)) { try other.create(config: Config()) }
    #expect(try DurableFile.read(path) == [1] && !other.exists)
  }

  @Test func aRunThatDiedBeforeItsConfigurationIsBegunAgain() throws {
    let other = RunFolder(folder("other"))
    try DurableFile.createFolder("\(other.path)/checkpoints")
    try other.create(config: Config())
  }

  @Test func theNewestCheckpointIsFound() throws {
    #expect(throws: RunError.noCheckpoint(path: folder("run"))) { try run.lastCheckpoint() }
    for step in [1, 999_999, 1_000_000] { try save(step) }
    #expect(checkpoints == ["last", "step-000001", "step-1000000", "step-999999"])
    #expect(run.steps() == [1, 999_999, 1_000_000])
    #expect(try run.lastCheckpoint() == folder("run/checkpoints/step-1000000"))
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder("run/checkpoints/last"))
        == "step-1000000")
    #expect(
      try SafetensorsFile(folder("run/checkpoints/last/model.safetensors")).floats(of: "w")
        == [1e6])
  }

  @Test(arguments: [(1, [40]), (2, [30, 40]), (0, [40]), (9, [10, 20, 30, 40])])
  func oldCheckpointsGo(keeping: Int, left: [Int]) throws {
    for step in [10, 20, 30, 40] { try save(step, keeping: keeping) }
    #expect(run.steps() == left)
  }

  @Test func aStepSavedAgainReplacesItself() throws {
    try save(5, text: "old")
    try save(5, text: "new")
    #expect(try DurableFile.read(folder("run/checkpoints/last/state.json")) == Array("new".utf8))
    #expect(checkpoints == ["last", "step-000005"])
  }

  @Test func aFailedSaveLeavesTheOldCheckpoints() throws {
    struct Stop: Error {}
    try save(1)
    #expect(throws: Stop.self) {
      try run.saveCheckpoint(step: 2, keeping: 1) { path in
        try DurableFile.write([1], to: "\(path)/state.json")
        throw Stop()
      }
    }
    #expect(throws: SafetensorsError.self) {
      try run.saveCheckpoint(step: 2, keeping: 1) { path in
        try DurableFile.write([1, 2, 3], to: "\(path)/model.safetensors")
      }
    }
    #expect(checkpoints == ["last", "step-000001"])
    #expect(try run.lastCheckpoint() == folder("run/checkpoints/step-000001"))
  }

  /// What a process leaves that dies at each point of saving a checkpoint.
  @Test func aDeathWhileSavingIsSurvived() throws {
    try save(1)
    let dead = try #require(try shell("sh -c 'echo $$'").output.split(separator: "\n").first)
    let half = folder("run/checkpoints/step-000002.tmp-\(dead)-12345678")
    try DurableFile.createFolder(half)
    try DurableFile.write([1], to: "\(half)/model.safetensors")
    try DurableFile.createFolder(run.imagesPath)
    try DurableFile.write([1], to: folder("run/pictures/step-000002.png.tmp-\(dead)-12345678"))
    #expect(try run.lastCheckpoint() == folder("run/checkpoints/step-000001"))
    #expect(run.steps() == [1])

    // Published, but `last` still leads to the one before: complete as well.
    try save(2)
    try DurableFile.link(to: "step-000001", at: folder("run/checkpoints/last"))
    #expect(try run.lastCheckpoint() == folder("run/checkpoints/step-000001"))
    #expect(checkpoints == ["last", "step-000001", "step-000002"], "the half one is gone")
    #expect(DurableFile.names(in: folder("run/pictures")) == [])

    // `last` leads nowhere, or is missing after a copy.
    try DurableFile.link(to: "step-000009", at: folder("run/checkpoints/last"))
    #expect(try run.lastCheckpoint() == folder("run/checkpoints/step-000002"))
    DurableFile.remove(folder("run/checkpoints/last"))
    #expect(try run.lastCheckpoint() == folder("run/checkpoints/step-000002"))
  }

  @Test(arguments: [
    (#"{"steps": 7}"#, "no key \"name\""),
    (#"{"steps": "7", "name": "x"}"#, "\"steps\": "),
    (#"{"steps": 7, "name": null}"#, "\"name\": "),
    (#"{"steps": 7, "name": "x", "nmae": 1}"#, "unknown key \"nmae\"; known are name, steps"),
    ("{", "not JSON: "),
    (#"{"steps": 7,,}"#, "not JSON: "),
    ("", "not JSON: "),
  ])
  func aDamagedConfigurationIsNamed(json: String, problem: String) throws {
    try DurableFile.write(Array(json.utf8), to: run.configPath)
    do {
      _ = try RunFolder.decode(Config.self, from: run.configPath)
      Issue.record("\(json) was read")
    } catch let error as RunError {
      #expect("\(error)".hasPrefix("\(folder("run/config.json")): \(problem)"))
    }
  }
}
