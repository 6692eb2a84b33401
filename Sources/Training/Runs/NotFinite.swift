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
    switch firstNotFinite(found) {
    case .value(let name): return NotFinite(what: "the gradient of \(prefix)\(name)")
    case .norm(let name, let largest):
      return NotFinite(
        what: "the norm of the gradients (the largest value is \(largest), of \(prefix)\(name))")
    case nil: return nil
    }
  }
}

extension RunFolder {
  /// That something of a step is not finite, with the newest checkpoint.
  func notFinite(_ what: String, at step: Int) -> RunError {
    .notFinite(path: path, step: step, what: what, last: steps().last)
  }

  /// Whether no checkpoint holds a state or one that came later.
  func hasNothing(since state: TrainingState) -> Bool { state.step > steps().last ?? 0 }

  /// That too many steps were skipped, the last of them that of `state`, with the newest checkpoint.
  func onlySkipped(_ what: String, until state: TrainingState) -> RunError {
    .onlySkipped(
      path: path, step: state.step, count: state.skippedInARow, what: what, last: steps().last)
  }
}

extension Layer {
  /// The name of the first tensor that holds a value that is not finite, or what else is not.
  var notFinite: String? {
    switch firstNotFinite(namedTensors) {
    case .value(let name): name
    case .norm(let name, let largest):
      "the norm of the weights (the largest value is \(largest), of \(name))"
    case nil: nil
    }
  }

  /// The weight of the largest size, for the message of a loss that is not finite.
  var largestWeight: String {
    largest(of: namedTensors).map { "the largest weight is \($0.value), of \($0.name)" } ?? ""
  }
}

private enum Unbounded {
  /// A tensor holds a value that is not finite.
  case value(name: String)
  /// All values are finite, but the norm of all tensors is too large for a float.
  case norm(name: String, largest: Float)
}

/// The first that is found; one value is read back unless there is one.
private func firstNotFinite(_ tensors: [(name: String, tensor: Tensor)]) -> Unbounded? {
  guard let device = tensors.first?.tensor.device,
    !norm(of: tensors.map(\.tensor), on: device).item().isFinite
  else { return nil }
  if let found = tensors.first(where: { !$0.tensor.isFinite }) { return .value(name: found.name) }
  return largest(of: tensors).map { .norm(name: $0.name, largest: $0.value) }
}

/// The largest absolute value with its tensor's name; reads all of them.
private func largest(
  of tensors: [(name: String, tensor: Tensor)]
) -> (name: String, value: Float)? {
  tensors.map { name, tensor in
    (name: name, value: tensor.elements().reduce(0) { max($0, abs($1)) })
  }.max { $0.value < $1.value }
}
