// A trained GPT, ready for use.
import Models
import Shards
import TensorCore

/// A trained GPT with what its codes mean.
package struct SecondStage: Sendable {
  package let model: GPT
  package let codes: CodeGrid
  /// What stands before the codes; nil for the start token.
  package let condition: GPTCondition?
  /// The order of the codes.
  package let order: TokenOrder
  /// The weights file.
  package let path: String

  /// Loads a GPT from a run folder (its newest checkpoint), from one checkpoint's folder, or from a
  /// transformer's file that holds its VQGAN.
  ///
  /// - Throws: `RunError`, `SafetensorsError`, `PyTorchFileError`, `ArchitectureError`,
  ///   `GPTConfigError`, `ModelMismatchError`, `NotFiniteError`, `DurableFileError`.
  package static func load(_ path: String, on device: Device = .default) throws -> SecondStage {
    let file = try SecondStageFile.open(path)
    var gpt = GPT(file.description.model, on: device)
    try ModelFiles.load(&gpt, from: file.tensors)
    try gpt.requireFiniteResults(of: file.tensors.path)
    return SecondStage(
      model: gpt.frozen(), codes: file.description.codes, condition: file.description.condition,
      order: file.description.order ?? .raster, path: file.tensors.path)
  }

  /// The grid that the model was trained on.
  package var trainedGrid: GridSize { codes.size }
}
