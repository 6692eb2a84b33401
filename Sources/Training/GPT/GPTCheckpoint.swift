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
    try RunFolder.write(state, to: "\(folder)/state.json")
  }

  /// The counter of the optimizer's steps.
  static let updates = "updates"

  /// The averaged weights, which are taken for use where they are.
  static let emaName = "ema.safetensors"

  /// Restores everything that `save` wrote.
  static func restore(_ trainer: inout GPTTrainer, from folder: String) throws -> TrainingState {
    var state = try RunFolder.decode(TrainingState.self, from: "\(folder)/state.json")
    try ModelFiles.load(&trainer.model, from: try SafetensorsFile("\(folder)/model.safetensors"))
    try ModelFiles.load(
      &trainer.optimizer, step: state.counters.removeValue(forKey: updates) ?? state.step,
      like: trainer.model,
      from: try SafetensorsFile("\(folder)/optimizer.safetensors"))
    try trainer.average?.restore {
      try ModelFiles.load(&$0, from: try SafetensorsFile("\(folder)/\(emaName)"))
    }
    return state
  }
}
