// A trained world model, ready for use.
import Checkpoints
import Models
import Shards
import TensorCore

/// The weights of a world model in their file, and what they are the weights of.
package struct WorldStageFile: Sendable {
  package let description: WorldDescription
  package let tensors: SafetensorsFile

  /// Opens a run folder (its newest checkpoint) or one checkpoint's folder.
  ///
  /// - Parameter choice: which weights, where the training kept averages.
  /// - Throws: `RunError`, `SafetensorsError`, `DurableFileError`.
  package static func open(
    _ path: String, weights choice: WeightChoice = .ema
  ) throws -> WorldStageFile {
    try RunFolder(path).requireKind(WorldSettings.kind)
    guard let folder = try FirstStageFile.checkpointFolder(of: path) else {
      throw RunError.noCheckpoint(path: path)
    }
    let opened = try TransformerCheckpoint.open(WorldDescription.self, in: folder, choice)
    if let problem = opened.description.problem {
      throw RunError.damaged(path: opened.position, problem: problem)
    }
    return WorldStageFile(description: opened.description, tensors: opened.tensors)
  }
}

/// A trained world model with what its codes mean.
package struct WorldStage: Sendable {
  package let model: WorldModel
  package let codes: CodeGrid
  /// The weights file.
  package let path: String

  /// Loads a world model from a run folder (its newest checkpoint) or one checkpoint's folder.
  ///
  /// - Throws: as `WorldStageFile.open`, `ModelMismatchError`, `NotFiniteError`.
  package static func load(_ path: String, on device: Device = .default) throws -> WorldStage {
    let file = try WorldStageFile.open(path)
    var model = WorldModel(file.description.model, on: device)
    try ModelFiles.load(&model, from: file.tensors)
    try model.requireFiniteResults(of: file.tensors.path)
    return WorldStage(
      model: model.frozen(), codes: file.description.codes, path: file.tensors.path)
  }
}
