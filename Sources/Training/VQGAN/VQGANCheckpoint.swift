// Checkpoints of a VQGAN training.
import Checkpoints
import Models
import NN
import TensorCore

/// A checkpoint's files: `model.json`, `model.safetensors` (with `loss.discriminator.*`),
/// `optimizer.safetensors`, `state.json`.
enum VQGANCheckpoint {
  static let discriminatorPrefix = "loss.discriminator."

  static func save(_ trainer: VQGANTrainer, _ state: TrainingState, in folder: String) throws {
    try SafetensorsWriter.write(
      ModelFiles.entries(trainer.model)
        + ModelFiles.entries(trainer.discriminator, prefix: discriminatorPrefix),
      metadata: ["format": "pt"], to: "\(folder)/model.safetensors")
    try SafetensorsWriter.write(
      ModelFiles.entries(trainer.optimizer, prefix: "generator.")
        + ModelFiles.entries(trainer.discriminatorOptimizer, prefix: "discriminator.")
        + usageEntries(trainer.usage) + lecamEntries(trainer),
      to: "\(folder)/optimizer.safetensors")
    if let average = trainer.average {
      try SafetensorsWriter.write(
        ModelFiles.entries(average.model), metadata: ["format": "pt"],
        to: "\(folder)/\(emaName)")
    }
    try RunFolder.write(trainer.model.config, to: "\(folder)/model.json")
    var state = state
    state.counters["generator_updates"] = trainer.optimizer.step
    state.counters["discriminator_updates"] = trainer.discriminatorOptimizer.step
    try state.write(in: folder)
  }

  /// The averaged weights, which are taken for use where they are.
  static let emaName = "ema.safetensors"

  /// Restores what `save` wrote beside the state.
  ///
  /// - Parameter state: that of the checkpoint, by which its files have been compared.
  /// - Throws: `RunError.damaged` where a file describes another model, and what reading throws.
  static func restore(
    _ trainer: inout VQGANTrainer, _ state: TrainingState, from folder: String
  ) throws {
    let position = "\(folder)/model.json"
    guard try RunFolder.decode(VQGANConfig.self, from: position) == trainer.model.config else {
      throw RunError.damaged(path: position, problem: "another model than that of config.json")
    }
    let weights = try SafetensorsFile("\(folder)/model.safetensors")
    try ModelFiles.load(
      &trainer.model, from: weights, ignoring: { $0.hasPrefix(discriminatorPrefix) })
    try ModelFiles.load(&trainer.discriminator, from: weights, prefix: discriminatorPrefix)
    let moments = try SafetensorsFile("\(folder)/optimizer.safetensors")
    try ModelFiles.load(
      &trainer.optimizer, step: state.counters["generator_updates"] ?? state.step,
      like: trainer.model, from: moments, prefix: "generator.")
    try ModelFiles.load(
      &trainer.discriminatorOptimizer, step: state.counters["discriminator_updates"] ?? 0,
      like: trainer.discriminator, from: moments, prefix: "discriminator.")
    let entries = trainer.usage.fractions.count
    func ofCodes(_ name: String) throws -> [Float] {
      let values = try moments.tensor(name).elements()
      guard values.count == entries else {
        throw ModelMismatchError(
          path: moments.path, misshapen: ["\(name) [\(values.count)] instead of [\(entries)]"])
      }
      return values
    }
    trainer.usage.fractions = try ofCodes("codebook.shares")
    trainer.usage.idleSteps = try ofCodes("codebook.idle_steps").map {
      Int(min(max($0.rounded(), 0), 0x1p60))
    }
    if trainer.objective.lecamWeight > 0 {
      let sums = try moments.tensor(lecamName).elements()
      guard sums.count == trainer.lecam.sums.count else {
        throw ModelMismatchError(
          path: moments.path,
          misshapen: ["\(lecamName) [\(sums.count)] instead of [\(trainer.lecam.sums.count)]"])
      }
      trainer.lecam = LeCAM(sums: sums)
    }
    try trainer.average?.restore {
      try ModelFiles.load(&$0, from: try SafetensorsFile("\(folder)/\(emaName)"))
    }
  }

  private static let lecamName = "lecam.sums"

  private static func lecamEntries(_ trainer: VQGANTrainer) -> [SafetensorsEntry] {
    guard trainer.objective.lecamWeight > 0 else { return [] }
    let sums = trainer.lecam.sums
    return [SafetensorsEntry(lecamName, Tensor(sums, shape: [sums.count]))]
  }

  private static func usageEntries(_ usage: CodebookUsage) -> [SafetensorsEntry] {
    let shape: Shape = [usage.fractions.count]
    // Exact up to 2²⁴ steps.
    let idle = Tensor(usage.idleSteps.map { Float($0) }, shape: shape)
    return [
      SafetensorsEntry("codebook.shares", Tensor(usage.fractions, shape: shape)),
      SafetensorsEntry("codebook.idle_steps", idle),
    ]
  }
}
