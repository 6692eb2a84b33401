// The weights that a GPT's training starts from.
import Checkpoints
import Models
import Shards
import TamingCheckpoints
import TensorCore

/// The weights of a GPT in their file, whatever its codes mean.
package struct GPTWeights {
  package let config: GPTConfig
  let tensors: any TensorSource
  /// The codes that it was trained on; nil for a file of another program.
  package let codes: CodeGrid?

  /// Opens a run folder (its newest checkpoint), one checkpoint's folder, or a transformer's
  /// PyTorch or safetensors file.
  ///
  /// - Parameters:
  ///   - heads: of an external file without a project file beside it.
  ///   - choice: which weights, where there are averages beside them.
  /// - Throws: `RunError`, `SafetensorsError`, `PyTorchFileError`, `ArchitectureError`,
  ///   `GPTConfigError`, `ModelMismatchError`, `DurableFileError`.
  package static func open(
    _ path: String, heads: Int?, weights choice: WeightChoice = .ema
  ) throws -> GPTWeights {
    if try FirstStageFile.checkpointFolder(of: path) != nil {
      let file = try SecondStageFile.open(path, weights: choice)
      return GPTWeights(
        config: file.description.model, tensors: file.tensors, codes: file.description.codes)
    }
    try RunFolder.requireWholeFile(path)
    let checkpoint = try TamingCheckpoint(
      try CheckpointFile.open(path, weights: choice), project: try TamingProject.beside(path),
      heads: heads)
    guard case .transformer(let weights) = checkpoint else {
      throw ArchitectureError.otherModel(
        path: path, found: checkpoint.title, expected: "a transformer")
    }
    return GPTWeights(config: weights.config, tensors: weights.tensors, codes: nil)
  }
}
