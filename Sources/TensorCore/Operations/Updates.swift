// Changes in place, for optimizers and running statistics; never recorded.

extension Tensor {
  /// One Adam step on this parameter; `mean` and `square` are its running moments.
  ///
  /// - Source: Kingma & Ba 2015, alg. 1; Loshchilov & Hutter 2019 for the decoupled decay.
  package mutating func updateByAdam(
    gradient: Tensor, mean: inout Tensor, square: inout Tensor, _ rule: AdamRule
  ) {
    precondition(gradient.layout == layout && gradient.shape == shape, "gradient differs in form")
    makeUnique()
    mean.makeUnique()
    square.makeUnique()
    backend.adam(self, mean: mean, square: square, gradient: gradient, rule)
  }

  /// `self = decay · self + (1 - decay) · x`.
  package mutating func moveAverage(towards x: Tensor, decay: Float) {
    let x = x.in(layout)
    makeUnique()
    backend.moveAverage(self, towards: x, decay: decay)
  }

  /// Replaces the values, keeping layout, device and position in the graph.
  package mutating func assign(_ values: Tensor) {
    precondition(values.shape == shape, "values of shape \(values.shape) for \(shape)")
    storage = withoutGradients { values.moved(to: device).in(layout) }.storage
  }
}
