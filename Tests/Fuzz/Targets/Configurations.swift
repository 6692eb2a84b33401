// JSON files of runs and shards, and lists of paths.

import CommandSupport
import Models
import NN
import Shards
import TensorCore
import Training

enum Configurations {
  /// A file of a run, of whatever kind it is.
  static func any(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    let path = try scratch.file(input)
    if let config = try? RunFolder.runConfig(VQGANRunConfig.self, from: path) {
      try config.requireContinuing(config, in: RunFolder(scratch.path))
      try use(config.model)
    } else if let config = try? RunFolder.runConfig(GPTRunConfig.self, from: path) {
      try config.requireContinuing(config, in: RunFolder(scratch.path))
      try config.check()
      try use(config.description)
    } else if let config = try? RunFolder.runConfig(WorldRunConfig.self, from: path) {
      try config.requireContinuing(config, in: RunFolder(scratch.path))
      try config.check()
      try use(config.description)
    } else if let model = try? RunFolder.decode(VQGANConfig.self, from: path) {
      try use(model)
    } else if let model = try? RunFolder.decode(GPTDescription.self, from: path) {
      try use(model)
    } else if let model = try? RunFolder.decode(WorldDescription.self, from: path) {
      try use(model)
    } else {
      var state = try RunFolder.decode(TrainingState.self, from: path)
      var order = EpochOrder(count: 3, seed: 0)
      _ = (order.next(2, from: &state.position), state.random.next())
    }
  }

  private static func use(_ model: VQGANConfig) throws {
    guard model.problem == nil else { return }
    _ = VQGAN(model).shapes().map { $0.shape.reduce(1, *) }
  }

  private static func use(_ description: GPTDescription) throws {
    guard description.problem == nil else { return }
    // A layer is like the next one; the rest of them takes its time alone.
    if description.model.layers <= 8 {
      _ = GPT(description.model).shapes().map { $0.shape.reduce(1, *) }
    }
    _ = (description.condition?.title, description.condition?.grid)
    let headWidth = description.model.width / description.model.heads
    if let rotary = description.model.rotary { _ = rotary.rotation([0, 1], headWidth: headWidth) }
  }

  private static func use(_ description: WorldDescription) throws {
    guard description.problem == nil, description.model.layers <= 8 else { return }
    let trial = WorldModel(description.model).trial
    _ = trial.model.shapes().map { $0.shape.reduce(1, *) }
    precondition(trial.batch.tokens.count <= 18, "a trial of \(trial.batch.tokens.count) tokens")
  }

  static func manifest(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    _ = try scratch.file(input, "manifest.json")
    try ShardManifest.requireComplete(scratch.path)
    _ = FolderVerification(scratch.path, isPartial: false)
  }

  static func paths(_ input: [UInt8], _ scratch: ScratchFolder) throws {
    let hasNULs = input.contains(0)
    for line in try PathList.lines(input, of: "list") {
      precondition(!line.isEmpty && !line.utf8.contains(0), "a line of two")
      precondition(hasNULs || !line.utf8.contains(0x0A), "a line of two")
    }
  }
}
