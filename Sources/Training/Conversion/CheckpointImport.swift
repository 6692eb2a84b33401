// Weights of other programs as checkpoints of this suite.
import Checkpoints
import DurableFiles
import Foundation
import Models
import TamingCheckpoints

/// Writes weights that have been checked; one tensor at a time is in memory.
package struct CheckpointImport {
  /// Is called before each tensor; what it throws ends the work, and nothing is left of it.
  private let willWrite: () throws -> Void

  package init(willWrite: @escaping () throws -> Void) { self.willWrite = willWrite }

  /// A folder with `model.json` and `model.safetensors`, discriminator and perceptual network included.
  ///
  /// - Parameter optimizers: written as `optimizer.safetensors` and `state.json`, if wanted.
  /// - Throws: `DurableFileError`, what reading throws.
  package func write(
    _ weights: FirstStageWeights, optimizers: OptimizerImport? = nil, to folder: String
  ) throws {
    try publish(folder) {
      try fill($0, weights)
      try write(optimizers, in: $0)
    }
  }

  /// A folder of the transformer, with `first-stage/` and `cond-stage/` in it for the VQGANs of its file.
  ///
  /// - Parameters:
  ///   - description: written as `model.json`.
  ///   - withStages: whether the VQGANs are written too.
  ///   - optimizers: written as `optimizer.safetensors`, if wanted.
  package func write(
    _ weights: TransformerWeights, _ description: GPTDescription, withStages: Bool,
    optimizers: OptimizerImport? = nil, to folder: String
  ) throws {
    try publish(folder) { folder in
      try RunFolder.write(description, to: "\(folder)/model.json")
      try writeTensors(weights.tensors, to: "\(folder)/model.safetensors")
      try write(optimizers, in: folder)
      guard withStages else { return }
      for (name, stage) in [("first-stage", weights.firstStage), ("cond-stage", weights.condStage)]
      {
        guard let stage else { continue }
        try DurableFile.createFolder("\(folder)/\(name)")
        try fill("\(folder)/\(name)", stage)
      }
    }
  }

  /// A folder of IRIS' world model, with `first-stage/` in it for its tokenizer.
  ///
  /// - Parameters: description: written as `model.json`; withStage: whether the tokenizer is
  ///   written too.
  package func write(
    _ weights: IRISWeights, _ description: WorldDescription, withStage: Bool, to folder: String
  ) throws {
    try publish(folder) { folder in
      try RunFolder.write(description, to: "\(folder)/model.json")
      try writeTensors(weights.tensors, to: "\(folder)/model.safetensors")
      guard withStage else { return }
      try DurableFile.createFolder("\(folder)/first-stage")
      try fill("\(folder)/first-stage", weights.tokenizer)
    }
  }

  /// One safetensors file for `--perceptual`.
  package func write(_ weights: PerceptualWeights, to path: String) throws {
    try SafetensorsWriter.write(
      try weights.entries(), metadata: ["format": "pt"], to: path, willWrite: willWrite)
  }

  private func write(_ optimizers: OptimizerImport?, in folder: String) throws {
    guard let optimizers else { return }
    let moments = optimizers.tensors
    try SafetensorsWriter.write(
      try moments.names.map { try moments.floatEntry(of: $0, as: $0) },
      to: "\(folder)/optimizer.safetensors", willWrite: willWrite)
    try RunFolder.write(optimizers.state, to: "\(folder)/state.json")
  }

  private func fill(_ folder: String, _ weights: FirstStageWeights) throws {
    try RunFolder.write(weights.config, to: "\(folder)/model.json")
    try writeTensors(weights.tensors, to: "\(folder)/model.safetensors")
  }

  private func writeTensors(_ tensors: any TensorSource, to path: String) throws {
    try SafetensorsWriter.write(
      try tensors.names.map { try tensors.floatEntry(of: $0, as: $0) },
      metadata: ["format": "pt"], to: path, willWrite: willWrite)
  }

  /// Fills a folder aside and gives it its name when it is complete.
  private func publish(_ path: String, _ fill: (_ folder: String) throws -> Void) throws {
    let temporary = DurableFile.temporaryPath(for: path)
    try DurableFile.createFolder(temporary)
    do {
      try fill(temporary)
    } catch {
      DurableFile.removeUnfinished(temporary)
      try FolderLock.check(path)  // rather than that something in it is missing
      throw error
    }
    try DurableFile.publishFolder(temporary, as: path)
  }
}
