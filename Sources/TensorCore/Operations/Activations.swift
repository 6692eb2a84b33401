// Elementwise non-linearities.

/// An elementwise function with its derivative.
package enum Activation: Sendable, Equatable {
  case relu
  /// `x` for positive x, else `slope · x`; `slope` is positive.
  case leakyReLU(slope: Float)
  /// `x · σ(x)`, called swish in the reference.
  case silu
  /// The exact form, `x · Φ(x)`.
  case gelu
  /// `log(1 + eˣ)`. Not for blocked tensors: it is not zero at zero.
  case softplus

  /// Whether the derivative is computed from the output.
  var savesOutput: Bool {
    switch self {
    case .relu, .leakyReLU: true
    case .silu, .gelu, .softplus: false
    }
  }
}

extension Tensor {
  /// The function applied to every element, in any layout.
  package func activated(_ function: Activation) -> Tensor {
    precondition(function != .softplus || layout == .plain, "softplus would fill the padding")
    let y = Tensor(uninitializedLike: self)
    backend.apply(.activation(function), self, into: y)
    guard isTracked else { return y }
    let saved = (function.savesOutput ? y : self).saved()
    return record(y, [self]) { dy, _ in
      let dx = Tensor(uninitializedLike: dy)
      dy.backend.activateBackward(function, saved.restored(), dy, into: dx)
      return [dx]
    }
  }

  /// Inverted dropout: zero with probability `rate`, the rest divided by `1 - rate`.
  package func droppedOut(rate: Float, using random: inout RandomSource) -> Tensor {
    guard rate > 0 else { return self }
    let mask = random.mask(stored, keep: 1 - rate, on: device)
    func apply(_ x: Tensor) -> Tensor {
      let y = Tensor(uninitializedLike: x)
      x.backend.dropout(x, mask: mask, rate: rate, into: y)
      return y
    }
    return record(apply(self), [self]) { dy, _ in [apply(dy)] }
  }
}
