// Checkpoints of a GPT training.
import Checkpoints
import Models

/// A checkpoint's files: `model.json`, `model.safetensors`, `optimizer.safetensors`, `state.json`.
enum GPTCheckpoint {
  static func save(
    _ trainer: GPTTrainer, _ description: GPTDescription, _ state: TrainingState, in folder: String
  ) throws {
    try SafetensorsWriter.write(
      ModelFiles.entries(trainer.model), metadata: ["format": "pt"],
      to: "\(folder)/model.safetensors")
    try SafetensorsWriter.write(
      ModelFiles.entries(trainer.optimizer), to: "\(folder)/optimizer.safetensors")
    if let average = trainer.average {
      try SafetensorsWriter.write(
        ModelFiles.entries(average.model), metadata: ["format": "pt"],
        to: "\(folder)/\(emaName)")
    }
    try RunFolder.write(description, to: "\(folder)/model.json")
    var state = state
    // Fewer than steps where some were skipped, more where the optimizer went on from another run.
    if trainer.optimizer.step != state.step { state.counters[updates] = trainer.optimizer.step }
    try state.write(in: folder)
  }

  /// The counter of the optimizer's steps.
  static let updates = "updates"

  /// The averaged weights, which are taken for use where they are.
  static let emaName = "ema.safetensors"

  /// Restores what `save` wrote beside the state.
  ///
  /// - Parameter state: that of the checkpoint, by which its files have been compared; what belongs
  ///   to the optimizer is taken out of it.
  /// - Throws: `RunError.damaged` where a file describes another model than `description`, and what
  ///   reading throws.
  static func restore(
    _ trainer: inout GPTTrainer, _ description: GPTDescription, _ state: inout TrainingState,
    from folder: String
  ) throws {
    let position = "\(folder)/model.json"
    guard try RunFolder.decode(GPTDescription.self, from: position) == description else {
      throw RunError.damaged(path: position, problem: "another model than that of config.json")
    }
    try ModelFiles.load(&trainer.model, from: try SafetensorsFile("\(folder)/model.safetensors"))
    try ModelFiles.load(
      &trainer.optimizer, step: state.counters.removeValue(forKey: updates) ?? state.step,
      like: trainer.model,
      from: try SafetensorsFile("\(folder)/optimizer.safetensors"))
    try trainer.average?.restore {
      try ModelFiles.load(&$0, from: try SafetensorsFile("\(folder)/\(emaName)"))
    }
  }
}
