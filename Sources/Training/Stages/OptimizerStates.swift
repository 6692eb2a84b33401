// Where the states of optimizers come from when a training goes on from other weights.
import Checkpoints
import Models
import NN
import TamingCheckpoints

/// The moments of a training's optimizers, still in their file, and how many steps those have
/// taken.
struct OptimizerStates {
  /// Names are those of a checkpoint's `optimizer.safetensors`.
  let tensors: any TensorSource
  let state: TrainingState

  /// Those that lie beside a VQGAN's weights.
  ///
  /// - Throws: `ArchitectureError` or `RunError` when there are none, `ModelMismatchError`, and
  ///   what reading throws.
  static func ofVQGAN(_ path: String) throws -> OptimizerStates {
    if let folder = try FirstStageFile.checkpointFolder(of: path) { return try saved(in: folder) }
    let file = try CheckpointFile.openAsItIs(path)
    guard case .firstStage(let weights) = try TamingCheckpoint(file.underUsualNames(), heads: 1),
      let checkpoint = file as? PyTorchFile, !checkpoint.optimizers.isEmpty
    else { throw missing(path) }
    return OptimizerStates(try OptimizerImport(checkpoint, of: weights))
  }

  /// Those of a run's newest checkpoint, or of one checkpoint.
  ///
  /// - Throws: as `ofVQGAN`.
  static func ofRun(_ path: String) throws -> OptimizerStates {
    guard let folder = try FirstStageFile.checkpointFolder(of: path) else { throw missing(path) }
    return try saved(in: folder)
  }

  /// Those that lie beside a transformer's weights.
  ///
  /// - Throws: as `ofVQGAN`.
  static func ofGPT(_ path: String) throws -> OptimizerStates {
    if let folder = try FirstStageFile.checkpointFolder(of: path) { return try saved(in: folder) }
    let file = try CheckpointFile.openAsItIs(path)
    // The number of heads does not matter to the states.
    guard case .transformer(let weights) = try TamingCheckpoint(file.underUsualNames(), heads: 1),
      let checkpoint = file as? PyTorchFile, !checkpoint.optimizers.isEmpty
    else { throw missing(path) }
    return OptimizerStates(try OptimizerImport(checkpoint, of: weights))
  }

  private init(_ found: OptimizerImport) {
    (tensors, state) = (found.tensors, found.state)
  }

  private init(tensors: any TensorSource, state: TrainingState) {
    (self.tensors, self.state) = (tensors, state)
  }

  private static func saved(in folder: String) throws -> OptimizerStates {
    try RunFolder.requireWhole(folder, ["optimizer.safetensors"])
    let state = try TrainingState.readAlone(in: folder)
    return OptimizerStates(
      tensors: try SafetensorsFile("\(folder)/optimizer.safetensors"), state: state)
  }

  private static func missing(_ path: String) -> ArchitectureError {
    .otherModel(path: path, found: "no states of optimizers", expected: "them")
  }
}

extension OptimizerStates {
  /// Gives them to the optimizers of a VQGAN's training; the discriminator's where its shape is
  /// that of the file.
  ///
  /// - Throws: `ModelMismatchError`.
  func load(_ trainer: inout VQGANTrainer, withDiscriminator: Bool) throws {
    try ModelFiles.load(
      &trainer.optimizer, step: state.counters["generator_updates"] ?? state.step,
      like: trainer.model, from: tensors, prefix: "generator.")
    guard withDiscriminator else { return }
    try ModelFiles.load(
      &trainer.discriminatorOptimizer, step: state.counters["discriminator_updates"] ?? 0,
      like: trainer.discriminator, from: tensors, prefix: "discriminator.")
  }

  /// Gives them to the optimizer of a transformer's training.
  ///
  /// - Throws: `ModelMismatchError`.
  func load(_ trainer: inout TransformerTrainer<some TransformerModel>) throws {
    try ModelFiles.load(
      &trainer.optimizer, step: state.counters[TransformerCheckpoint.updates] ?? state.step,
      like: trainer.model, from: tensors)
  }
}
