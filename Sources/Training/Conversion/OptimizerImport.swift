// Adam's state of a foreign checkpoint under the names of this suite.
import Checkpoints
import Models
import TamingCheckpoints

/// The moments of the parameters of one foreign optimizer, which numbers them instead of naming them.
package struct OptimizerImport {
  package private(set) var entries: [SafetensorsEntry] = []

  /// A VQGAN's two optimizers, as `optimizer.safetensors` of a checkpoint names them.
  ///
  /// - Throws: `ModelMismatchError` when the optimizers are of other parameters.
  package init(_ file: PyTorchFile, of weights: FirstStageWeights) throws {
    try add(file, 0, TensorShapes.vqgan(weights.config).list, below: "generator.")
    guard let discriminator = weights.discriminator else { return }
    let shapes = TensorShapes.discriminator(discriminator, channels: weights.config.outChannels)
    let buffers = ["running_mean", "running_var", "initialized"]
    try add(
      file, 1, shapes.list.filter { item in !buffers.contains { item.name.hasSuffix($0) } },
      below: "discriminator.")
  }

  /// A transformer's optimizer: first the weights that decay, then the others, each sorted by name.
  ///
  /// - Throws: as the other one.
  package init(_ file: PyTorchFile, of weights: TransformerWeights) throws {
    let sorted = TensorShapes.gpt(weights.config).list.sorted {
      $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    func decays(_ item: (name: String, shape: [Int])) -> Bool {
      item.shape.count == 2 && item.name != "tok_emb.weight"
    }
    try add(file, 0, sorted.filter(decays) + sorted.filter { !decays($0) }, below: "")
  }

  private mutating func add(
    _ file: PyTorchFile, _ optimizer: Int, _ parameters: [(name: String, shape: [Int])],
    below prefix: String
  ) throws {
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
        entries.append(try file.floatEntry(of: stored, as: "\(prefix)\(moment).\(name)"))
      }
    }
    guard mismatch.isEmpty else { throw mismatch }
  }
}
