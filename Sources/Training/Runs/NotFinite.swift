// Losses and gradients that are not finite.
import NN
import TensorCore

/// A loss or a gradient of a step is not finite; the trainer is as it was before the step.
package struct NotFinite: Error, Equatable {
  /// What is not finite, such as "the gradient of head.weight".
  package let what: String
}

extension Gradients {
  /// The first gradient of a model that is not finite; its name in messages begins with `prefix`.
  func notFinite(in model: some Layer, below prefix: String = "") -> NotFinite? {
    let found = model.namedTensors.compactMap { name, parameter in
      self[parameter].map { (name: name, tensor: $0) }
    }
    return firstNotFinite(found).map { NotFinite(what: "the gradient of \(prefix)\($0)") }
  }
}

extension RunFolder {
  /// That something of a step is not finite, with the newest checkpoint.
  func notFinite(_ what: String, at step: Int) -> RunError {
    .notFinite(path: path, step: step, what: what, last: steps().last)
  }
}

extension Layer {
  /// The name of the first tensor that holds a value that is not finite.
  var notFinite: String? { firstNotFinite(namedTensors) }
}

/// The first name; one value is read back unless there is one.
private func firstNotFinite(_ tensors: [(name: String, tensor: Tensor)]) -> String? {
  guard let device = tensors.first?.tensor.device,
    !norm(of: tensors.map(\.tensor), on: device).item().isFinite
  else { return nil }
  // None of them where only their norm is too large for a float.
  return tensors.first { !$0.tensor.isFinite }?.name ?? "the norm of all tensors"
}
