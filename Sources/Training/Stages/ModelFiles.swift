// Layers and optimizers to safetensors files and back.
import Checkpoints
import NN
import TamingCheckpoints
import TensorCore

/// Reading and writing of a layer's tensors under their reference names.
package enum ModelFiles {
  /// The file entries of a layer, names with `prefix`.
  package static func entries(_ layer: some Layer, prefix: String = "") -> [SafetensorsEntry] {
    layer.namedTensors.map { SafetensorsEntry(prefix + $0.name, $0.tensor) }
  }

  /// The file entries of an optimizer's moments, names with `prefix`.
  package static func entries(_ optimizer: Adam, prefix: String = "") -> [SafetensorsEntry] {
    optimizer.state.map { SafetensorsEntry(prefix + $0.name, $0.tensor) }
  }

  /// Fills a layer from the tensors of a file whose names begin with `prefix`; all or nothing.
  ///
  /// - Parameter ignoring: names in the file, behind the prefix, that may be left over.
  /// - Throws: `ModelMismatchError`, with everything that does not fit.
  package static func load<L: Layer>(
    _ layer: inout L, from file: some TensorSource, prefix: String = "",
    ignoring isIgnored: (String) -> Bool = { _ in false }
  ) throws {
    try file.require(layer.shapes(below: prefix), below: prefix, ignoring: isIgnored)
    try layer.visitParameters { name, tensor in
      tensor.assign(try file.tensor(prefix + name, on: tensor.device))
    }
  }

  /// Restores an optimizer's moments stored with `prefix`; all or nothing.
  ///
  /// A parameter that never had a gradient has none.
  /// - Parameters: step: steps that the optimizer has taken; model: whose parameters it moves.
  /// - Throws: `ModelMismatchError`, with everything that does not fit.
  package static func load(
    _ optimizer: inout Adam, step: Int, like model: some Layer, from file: some TensorSource,
    prefix: String = ""
  ) throws {
    var mismatch = ModelMismatchError(path: file.path)
    var known: Set<String> = []
    for (name, parameter) in model.namedTensors where parameter.isTracked {
      let moments = ["\(prefix)m.\(name)", "\(prefix)v.\(name)"]
      known.formUnion(moments)
      let present = moments.filter { file.contains($0) }
      if present.count == 1 { mismatch.missing += moments.filter { !file.contains($0) } }
      for moment in present {
        let (shape, type) = (try file.shape(of: moment), try file.type(of: moment))
        if type.isInteger { mismatch.integers.append("\(moment) \(type.rawValue)") }
        guard shape != parameter.shape.extents else { continue }
        mismatch.misshapen.append("\(moment) \(shape) instead of \(parameter.shape)")
      }
    }
    mismatch.unexpected = file.names.filter { $0.hasPrefix(prefix) && !known.contains($0) }
    guard mismatch.isEmpty else { throw mismatch }
    try optimizer.restore(step: step, like: model) { name, parameter in
      guard file.contains(prefix + name) else { return nil }
      return try file.tensor(prefix + name, on: parameter.device)
    }
  }
}
