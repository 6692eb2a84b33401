import Checkpoints
import DurableFiles
import Foundation
import Models
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

  /// What is to be replaced by a checkpoint is one, and holds nothing else; what is of somebody
  /// else stays.
  @Test(arguments: ["notes.txt", "model.json/notes.txt", ".hidden", "a/b", ""])
  func aCheckpointReplacesNothingOfSomebodyElse(name: String) throws {
    try save(1)
    let place = folder("run/checkpoints/step-000002")
    let path = name.isEmpty ? place : "\(place)/\(name)"
    try DurableFile.createFolder(DurableFile.folder(of: path))
    try DurableFile.write([7], to: path)
    let named = name.isEmpty ? place : "\(place)/\(name.prefix { $0 != "/" })"
    let error = RunError.inPlaceOfACheckpoint(path: named)
    #expect(throws: error) { try run.requireFree(behind: 1, upTo: 2) }
    try run.requireFree(behind: 1, upTo: 1)
    try run.requireFree(behind: 2, upTo: 9)
    #expect(throws: error) { try save(2) }
    #expect(try DurableFile.read(path) == [7])
    #expect(checkpoints == ["last", "step-000001", "step-000002"])
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder("run/checkpoints/last"))
        == "step-000001")
  }

  @Test func aCheckpointReplacesNoLink() throws {
    let other = folder("other")
    try DurableFile.createFolder(other)
    try DurableFile.link(to: other, at: folder("run/checkpoints/step-000002"))
    #expect(
      throws: RunError.inPlaceOfACheckpoint(path: folder("run/checkpoints/step-000002"))
    ) { try save(2) }
    #expect(DurableFile.isLink(folder("run/checkpoints/step-000002")))
  }

  /// One that would go with something of somebody else in it stays whole.
  @Test func anOldCheckpointThatHoldsSomethingElseStays() throws {
    for step in [1, 2] { try save(step, keeping: 2) }
    let notes = folder("run/checkpoints/step-000001/notes.txt")
    try DurableFile.write([7], to: notes)
    for step in [3, 4] {
      let staying = try run.saveCheckpoint(step: step, keeping: 1) {
        try DurableFile.write([1], to: "\($0)/state.json")
      }
      #expect(staying == [notes])
    }
    #expect(run.steps() == [1, 4])
    #expect(
      DurableFile.names(in: folder("run/checkpoints/step-000001"))
        == ["model.safetensors", "notes.txt", "state.json"])
    DurableFile.remove(notes)
    try save(5, keeping: 1)
    #expect(run.steps() == [5])
  }

  /// A file or a link where a run keeps a folder.
  @Test(arguments: ["checkpoints", "pictures"])
  func whatIsNoFolderIsToldAsWhatItIs(name: String) throws {
    let path = folder("run/\(name)")
    DurableFile.remove(path)
    try DurableFile.write([1], to: path)
    #expect(throws: RunError.notAFolder(path: path)) { try run.requireItsOwn() }
    #expect("\(RunError.notAFolder(path: path))".hasPrefix("\(path): a file, "))
    DurableFile.remove(path)
    try DurableFile.link(to: "nowhere", at: path)
    #expect(throws: RunError.isALink(path: path)) { try run.requireItsOwn() }
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

  /// Keys that a file leaves out at their defaults may stand in it all the same.
  @Test func aKeyMayStandAtItsDefault() throws {
    let config = QuantizerConfig(kind: .movingAverage)
    let text = String(decoding: try JSONEncoder().encode(config), as: UTF8.self)
    #expect(!text.contains("gradient") && !text.contains("signs"))
    for key in [#""gradient": "straight""#, #""cosine": false"#, #""depth": 1"#] {
      let changed = text.replacing("{", with: "{\(key), ", maxReplacements: 1)
      try DurableFile.write(Array(changed.utf8), to: run.configPath)
      #expect(try RunFolder.decode(QuantizerConfig.self, from: run.configPath) == config)
    }
    let other = text.replacing("{", with: #"{"gradients": "straight", "#, maxReplacements: 1)
    try DurableFile.write(Array(other.utf8), to: run.configPath)
    #expect(throws: RunError.self) {
      try RunFolder.decode(QuantizerConfig.self, from: run.configPath)
    }
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
