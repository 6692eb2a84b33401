// A moving average of a model's weights, which samples better than the weights themselves.
import TensorCore

/// The exponential moving average of a model's weights.
package struct EMAWeights<Model: Layer>: Sendable {
  /// Constants of the averaged values.
  package private(set) var model: Model
  package let decay: Float

  /// Starts at the weights as they are.
  package init(_ model: Model, decay: Float) {
    self.model = model.frozen()
    self.decay = decay
  }

  /// Takes in the weights after `step` steps; the first steps count for more, so that the start is
  /// forgotten soon.
  package mutating func update(_ current: Model, step: Int) {
    let decay = min(decay, Float(1 + step) / Float(10 + step))
    let tensors = current.namedTensors.map(\.tensor)
    var index = 0
    model.visitParameters { _, average in
      if tensors[index].isTracked {
        average.moveAverage(towards: tensors[index].detached(), decay: decay)
      } else {
        average.assign(tensors[index].detached())
      }
      index += 1
    }
  }

  /// The averages as weights that a training could go on from, with gradients where `current` has
  /// them.
  package func trainable(like current: Model) -> Model {
    let tensors = current.namedTensors.map(\.tensor)
    var (model, index) = (model, 0)
    model.visitParameters { _, average in
      if tensors[index].isTracked { average = average.trainable() }
      index += 1
    }
    return model
  }

  /// Takes up stored averages.
  package mutating func restore(_ load: (inout Model) throws -> Void) rethrows { try load(&model) }
}

extension Gradients {
  /// Shortens the gradients of a model to a length of `limit` if they are longer.
  ///
  /// - Returns: the length before, a scalar.
  @discardableResult
  package mutating func clip(_ model: some Layer, to limit: Float) -> Tensor? {
    let found = model.parameters.compactMap { self[$0] }
    guard let device = found.first?.device else { return nil }
    let length = norm(of: found, on: device)
    // 1 unless longer; not a number stays so: the step is then reported as not finite, not hidden.
    scale(by: Tensor(limit, on: device) / length.clamped(to: limit...(.infinity)))
    return length
  }
}
