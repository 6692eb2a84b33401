// The optimizer, and the one position where gradients reach parameters.
import TensorCore

/// Adam, or AdamW where a weight decay is given.
///
/// - Source: Kingma & Ba 2015, alg. 1; Loshchilov & Hutter 2019. Arithmetic as in PyTorch.
package struct Adam: Sendable {
  package var beta1: Float
  package var beta2: Float
  package var eps: Float = 1e-8
  /// Steps taken.
  package private(set) var step = 0
  private var means: [String: Tensor] = [:]
  private var squares: [String: Tensor] = [:]

  package init(beta1: Float, beta2: Float) {
    self.beta1 = beta1
    self.beta2 = beta2
  }

  /// One step on every parameter that has a gradient.
  ///
  /// - Parameter weightDecay: the decoupled decay of a parameter, by name.
  package mutating func update(
    _ model: inout some Layer, _ gradients: Gradients, learningRate: Float,
    weightDecay: (String) -> Float = { _ in 0 }
  ) {
    step += 1
    model.visitParameters { name, parameter in
      guard let gradient = gradients[parameter] else { return }
      var mean = means.removeValue(forKey: name) ?? Tensor(zerosLike: parameter)
      var square = squares.removeValue(forKey: name) ?? Tensor(zerosLike: parameter)
      let rule = AdamRule(
        learningRate: learningRate, beta1: beta1, beta2: beta2, eps: eps,
        weightDecay: weightDecay(name), step: step)
      parameter.updateByAdam(gradient: gradient, mean: &mean, square: &square, rule)
      means[name] = mean
      squares[name] = square
    }
  }

  /// The moments by name (`m.NAME`, `v.NAME`), for a checkpoint.
  package var state: [(name: String, tensor: Tensor)] {
    means.keys.sorted().flatMap { name in
      [means[name].map { ("m.\(name)", $0) }, squares[name].map { ("v.\(name)", $0) }].compactMap {
        $0
      }
    }
  }

  /// Takes up a stored state.
  ///
  /// - Parameter tensor: the stored moment of that name in row-major order, `nil` if there is none.
  package mutating func restore(
    step: Int, like model: some Layer, _ tensor: (String, Tensor) throws -> Tensor?
  ) rethrows {
    self.step = step
    for (name, parameter) in model.namedTensors where parameter.isTracked {
      guard let mean = try tensor("m.\(name)", parameter),
        let square = try tensor("v.\(name)", parameter)
      else { continue }
      means[name] = mean.moved(to: parameter.device).in(parameter.layout)
      squares[name] = square.moved(to: parameter.device).in(parameter.layout)
    }
  }
}
