// Losses and gradients that are not finite.
import NN
import TensorCore

/// A loss or a gradient of a step is not finite, or a moment of its optimizer would not be; the
/// trainer is as it was before the step.
package struct NotFinite: Error, Equatable {
  /// What is not finite, such as "the gradient of head.weight".
  package let what: String
}

extension Gradients {
  /// The first gradient of a model that is not finite, or that is so large that Adam's moments
  /// would not be; its name in messages begins with `prefix`.
  ///
  /// - Parameter clip: the norm to which the gradients are clipped before their use; nil for none.
  func notFinite(
    in model: some Layer, below prefix: String = "", clippedTo clip: Float? = nil
  ) -> NotFinite? {
    let found = model.namedTensors.compactMap { name, parameter in
      self[parameter].map { (name: name, tensor: $0) }
    }
    switch firstUnbounded(found, below: largestSquared, clippedTo: clip) {
    case .value(let name): return NotFinite(what: "the gradient of \(prefix)\(name)")
    case .norm(let name, let largest):
      return NotFinite(
        what: "the norm of the gradients (the largest value is \(largest), of \(prefix)\(name))")
    case .square(let name, let largest):
      return NotFinite(
        what: "Adam's second moment of \(prefix)\(name) (its largest gradient is \(largest))")
    case nil: return nil
    }
  }
}

extension RunFolder {
  /// That something of a step is not finite.
  ///
  /// - Parameters:
  ///   - last: the step of the newest checkpoint that can be gone on from.
  ///   - canSkip: whether it can be gone on from without the step.
  func notFinite(
    _ what: String, at step: Int, last: Int?, canSkip: Bool = false
  ) -> RunError {
    .notFinite(path: path, step: step, what: what, last: last, canSkip: canSkip)
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
    switch firstUnbounded(namedTensors) {
    case .value(let name): name
    case .norm(let name, let largest), .square(let name, let largest):
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
  /// All values are finite, but the square of one is not.
  case square(name: String, largest: Float)
}

/// The largest gradient that Adam takes, 2^63.
///
/// The second moment is an average of squares, v = β·v + (1 − β)·g². With squares that are at most
/// a quarter of the largest float, it stays finite for any number of steps, rounding included, and
/// so does the first.
private let largestSquared: Float = 0x1p63

/// The first that is found; one value is read back unless the norm is above `bound`.
///
/// - Parameters:
///   - bound: the largest value that may be; the largest float for any that is finite.
///   - clip: the norm to which the tensors are clipped before the bound counts; nil for none.
private func firstUnbounded(
  _ tensors: [(name: String, tensor: Tensor)], below bound: Float = .greatestFiniteMagnitude,
  clippedTo clip: Float? = nil
) -> Unbounded? {
  guard let device = tensors.first?.tensor.device else { return nil }
  let length = norm(of: tensors.map(\.tensor), on: device).item()
  if length <= bound { return nil }  // and so is every value
  if !length.isFinite, let found = tensors.first(where: { !$0.tensor.isFinite }) {
    return .value(name: found.name)
  }
  guard let found = largest(of: tensors) else { return nil }
  if !length.isFinite { return .norm(name: found.name, largest: found.value) }
  let scale = min(1, (clip ?? .infinity) / length)
  return found.value * scale > bound ? .square(name: found.name, largest: found.value) : nil
}

/// The largest absolute value with its tensor's name; reads all of them.
private func largest(
  of tensors: [(name: String, tensor: Tensor)]
) -> (name: String, value: Float)? {
  tensors.map { name, tensor in
    (name: name, value: tensor.elements().reduce(0) { max($0, abs($1)) })
  }.max { $0.value < $1.value }
}
