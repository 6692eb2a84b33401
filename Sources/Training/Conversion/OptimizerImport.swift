// Adam's state of an external checkpoint under the names of this suite.
import Checkpoints
import Models
import NN
import TamingCheckpoints
import TensorCore

/// The moments of the parameters of one external optimizer, which numbers them instead of naming
/// them.
package struct OptimizerImport {
  /// The moments, named as in `optimizer.safetensors` of a checkpoint.
  package var tensors: RenamedTensors { RenamedTensors(file, oldNames: storedNames) }
  /// How many steps the optimizers have taken, as a checkpoint's `state.json` tells it.
  package private(set) var state = TrainingState(seed: 0)
  private let file: PyTorchFile
  private var storedNames: [String: String] = [:]

  /// A VQGAN's two optimizers, as `optimizer.safetensors` of a checkpoint names them.
  ///
  /// - Throws: `ModelMismatchError` when the optimizers are of other parameters.
  package init(_ file: PyTorchFile, of weights: FirstStageWeights) throws {
    self.file = file
    if let family = weights.family {
      throw ArchitectureError.unsupported(
        path: file.path, problem: "states of optimizers of \(family), whose order is not known")
    }
    // A list of the entries in use is not trained.
    let parameters = VQGAN(weights.config).shapes().filter { $0.name != "quantize.used" }
    state.step = try add(0, parameters, below: "generator.")
    state.counters["generator_updates"] = state.step
    guard let config = weights.discriminator else { return }
    let discriminator = Discriminator(config, channels: weights.config.outChannels)
    let trained = Set(discriminator.namedTensors.filter(\.tensor.isTracked).map(\.name))
    state.counters["discriminator_updates"] = try add(
      1, discriminator.shapes().filter { trained.contains($0.name) }, below: "discriminator.")
  }

  /// A transformer's optimizer: first the weights that decay, then the others, each sorted by name.
  ///
  /// - Throws: as the other one.
  package init(_ file: PyTorchFile, of weights: TransformerWeights) throws {
    let model = GPT(weights.config)
    let sorted = model.shapes().sorted {
      $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    let decayed = model.decayedNames
    self.file = file
    state.step = try add(
      0,
      sorted.filter { decayed.contains($0.name) } + sorted.filter { !decayed.contains($0.name) },
      below: "")
  }

  /// - Returns: the steps that the optimizer has taken.
  private mutating func add(
    _ optimizer: Int, _ parameters: [(name: String, shape: [Int])],
    below prefix: String
  ) throws -> Int {
    guard file.optimizers.indices.contains(optimizer) else {
      throw ModelMismatchError(path: file.path, missing: ["optimizer_states[\(optimizer)]"])
    }
    let states = file.optimizers[optimizer]
    var mismatch = ModelMismatchError(
      path: file.path,
      unexpected: states.keys.filter { !parameters.indices.contains($0) }.sorted().map {
        "optimizer_states[\(optimizer)] parameter \($0)"
      })
    for (number, (name, expected)) in parameters.enumerated() {
      guard let state = states[number] else { continue }  // one that never had a gradient
      for (moment, stored) in [("m", state.average), ("v", state.squareAverage)] {
        let shape = try file.shape(of: stored)
        if shape != expected {
          mismatch.misshapen.append("\(stored) \(shape) instead of \(expected) of \(name)")
        }
        storedNames["\(prefix)\(moment).\(name)"] = stored
      }
    }
    guard mismatch.isEmpty else { throw mismatch }
    guard let first = states.values.first else { return 0 }
    return try first.step ?? Int(file.floats(of: first.stepTensor).first ?? 0)
  }
}
