// Checkpoints of the training of a transformer.
import Checkpoints
import DurableFiles
import Models

/// A checkpoint's files: `model.json`, `model.safetensors`, `optimizer.safetensors`, `state.json`.
enum TransformerCheckpoint {
  static func save(
    _ trainer: TransformerTrainer<some TransformerModel>, _ description: some Encodable,
    _ state: TrainingState, in folder: String
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
  static func restore<Description: Codable & Equatable>(
    _ trainer: inout TransformerTrainer<some TransformerModel>, _ description: Description,
    _ state: inout TrainingState, from folder: String
  ) throws {
    let position = "\(folder)/model.json"
    guard try RunFolder.decode(Description.self, from: position) == description else {
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

  /// Opens the weights of a checkpoint's folder: the averaged ones, where there are any and they
  /// are wanted.
  ///
  /// - Returns: what `model.json` says, where it is, and the weights.
  /// - Throws: `RunError`, `SafetensorsError`, `DurableFileError`.
  static func open<Description: Codable>(
    _ type: Description.Type, in folder: String, _ choice: WeightChoice
  ) throws -> (description: Description, position: String, tensors: SafetensorsFile) {
    let averaged = "\(folder)/\(emaName)"
    try RunFolder.requireWhole(
      folder, ["model.json"] + (choice == .ema ? [emaName] : []))
    var used = averaged
    if choice != .ema || !DurableFile.exists(averaged) {
      used = "\(folder)/model.safetensors"
      try RunFolder.requireWhole(folder, ["model.safetensors"])
    }
    let position = "\(folder)/model.json"
    return (
      try RunFolder.decode(type, from: position), position, try SafetensorsFile(used)
    )
  }
}
