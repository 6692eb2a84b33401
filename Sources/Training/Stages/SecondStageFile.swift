// Where the weights of a GPT come from: a run, a checkpoint, or a file of another program.
import Checkpoints
import Models
import Shards
import TamingCheckpoints

/// The weights of a GPT in their file, and what they are the weights of.
package struct SecondStageFile: Sendable {
  package let description: GPTDescription
  package let tensors: any TensorSource
  /// Where the description comes from, for messages.
  package let position: String

  package init(description: GPTDescription, tensors: any TensorSource, position: String) {
    self.description = description
    self.tensors = tensors
    self.position = position
  }

  /// Opens a run folder (its newest checkpoint), one checkpoint's folder, or a transformer's file
  /// that holds its VQGAN.
  ///
  /// What the weights of an external file do not tell is taken from the project file that lies
  /// beside it.
  /// - Throws: `RunError`, `SafetensorsError`, `PyTorchFileError`, `ArchitectureError`,
  ///   `GPTConfigError`, `ModelMismatchError`, `DurableFileError`.
  /// - Parameter choice: which weights, where the training kept averages.
  package static func open(_ path: String, weights choice: WeightChoice = .ema) throws
    -> SecondStageFile
  {
    let file: SecondStageFile
    try RunFolder(path).requireKind(GPTSettings.kind)
    if let folder = try FirstStageFile.checkpointFolder(of: path) {
      let opened = try TransformerCheckpoint.open(GPTDescription.self, in: folder, choice)
      file = SecondStageFile(
        description: opened.description, tensors: opened.tensors, position: opened.position)
    } else {
      file = try external(path, choice)
    }
    if let problem = file.description.problem {
      throw RunError.damaged(path: file.position, problem: problem)
    }
    return file
  }

  private static func external(
    _ path: String, _ choice: WeightChoice
  ) throws -> SecondStageFile {
    try RunFolder.requireWholeFile(path)
    let checkpoint = try TamingCheckpoint(
      try CheckpointFile.open(path, weights: choice), project: try TamingProject.beside(path))
    guard case .transformer(let weights) = checkpoint else {
      throw ArchitectureError.otherModel(
        path: path, found: checkpoint.title, expected: "a transformer")
    }
    guard let stage = weights.firstStage else {
      throw ArchitectureError.unsupported(
        path: path,
        problem: "a transformer without its VQGAN; join them: convert-checkpoint \(path) "
          + "--vqgan VQGAN --out FOLDER")
    }
    let fingerprints = try FirstStageFile(stage).fingerprints()
    let codes = CodeGrid(
      of: weights, stage.config, fingerprint: fingerprints.vqgan,
      codesFingerprint: fingerprints.codes, vqgan: path)
    return SecondStageFile(
      description: GPTDescription(
        model: weights.config, codes: codes,
        condition: try GPTCondition(of: weights, codes: codes, stagePath: path),
        order: weights.order),
      tensors: weights.tensors, position: path)
  }
}

extension CodeGrid {
  /// The grid that an external transformer was trained on.
  ///
  /// That of images of the project file's size or else of its VQGAN's nominal resolution; where the
  /// transformer does not see that many codes behind those of their condition, the largest square
  /// that it sees.
  package init(
    of weights: TransformerWeights, _ stage: VQGANConfig, fingerprint: String,
    codesFingerprint: String? = nil, vqgan: String
  ) {
    func fits(_ side: Int) -> Bool {
      let pixels = side * stage.downsampling
      let condition = weights.conditionLength(height: pixels, width: pixels)
      // The last code is only predicted.
      return side * side + condition - 1 <= weights.config.blockSize
    }
    var side = (weights.imageSize ?? stage.resolution) / stage.downsampling
    if side < 1 || !fits(side) {
      side = Int(Double(weights.config.blockSize).squareRoot())
      while side > 1 && !fits(side) { side -= 1 }
    }
    self.init(
      height: side, width: side, codebookSize: stage.codes, fingerprint: fingerprint,
      codesFingerprint: codesFingerprint, vqgan: vqgan)
  }
}
