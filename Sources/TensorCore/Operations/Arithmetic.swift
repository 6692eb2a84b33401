// Elementwise arithmetic between tensors of one shape, and with scalars.

extension Tensor {
  package static func + (a: Tensor, b: Tensor) -> Tensor {
    let b = b.matching(a)
    let y = a.combined(.add, b)
    return record(y, [a, b]) { dy, _ in [dy, dy] }
  }

  package static func - (a: Tensor, b: Tensor) -> Tensor {
    let b = b.matching(a)
    let y = a.combined(.subtract, b)
    return record(y, [a, b]) { dy, wanted in [dy, wanted[1] ? dy.scaled(by: -1) : nil] }
  }

  package static func * (a: Tensor, b: Tensor) -> Tensor {
    let b = b.matching(a)
    let y = a.combined(.multiply, b)
    let (a0, b0) = (a.detached(), b.detached())
    return record(y, [a, b]) { dy, wanted in
      [wanted[0] ? dy * b0 : nil, wanted[1] ? dy * a0 : nil]
    }
  }

  private func combined(_ operation: BinaryOperation, _ other: Tensor) -> Tensor {
    let y = Tensor(uninitializedLike: self)
    backend.apply(operation, self, other, into: y)
    return y
  }

  package static func * (factor: Float, x: Tensor) -> Tensor { x.scaled(by: factor) }

  package static prefix func - (x: Tensor) -> Tensor { x.scaled(by: -1) }

  /// `factor · x + offset`; an offset only in the plain layout, whose buffer has no padding.
  package func scaled(by factor: Float, plus offset: Float = 0) -> Tensor {
    precondition(offset == 0 || layout == .plain, "an offset would fill the padding")
    let y = mapped(.affine(scale: factor, offset: offset))
    return record(y, [self]) { dy, _ in [dy.scaled(by: factor)] }
  }

  /// `factor / divisor · x` for a scalar of the device, a constant to the graph.
  package func scaled(by factor: Tensor, over divisor: Float = 1) -> Tensor {
    let y = Tensor(uninitializedLike: self)
    backend.scale(self, by: factor, over: divisor, into: y)
    let factor = factor.detached()
    return record(y, [self]) { dy, _ in [dy.scaled(by: factor, over: divisor)] }
  }

  // MARK: Of constants: statistics, weights of losses; they have no derivative here

  package static func / (a: Tensor, b: Tensor) -> Tensor {
    a.constant().combined(.divide, b.constant().matching(a))
  }

  package func squareRoot() -> Tensor { constant().mapped(.squareRoot) }

  package func reciprocal() -> Tensor { constant().mapped(.reciprocal) }

  package func clamped(to range: ClosedRange<Float>) -> Tensor {
    constant().mapped(.clamp(range.lowerBound, range.upperBound))
  }

  /// This tensor in the plain layout, whose buffer has no padding.
  private func constant() -> Tensor {
    precondition(!isTracked, "an operation without a derivative on a tensor that is tracked")
    return plain()
  }

  // MARK: In any layout

  private func mapped(_ operation: UnaryOperation) -> Tensor {
    let y = Tensor(uninitializedLike: self)
    backend.apply(operation, self, into: y)
    return y
  }

  /// `scale[c] · x + shift[c]` for plain `[N, C, H, W]`; scale and shift `[C]`.
  package func channelsScaled(by scale: Tensor, plus shift: Tensor) -> Tensor {
    let x = plain()
    let y = Tensor(uninitializedLike: x)
    backend.scaleChannels(x, scale: scale, shift: shift, into: y)
    let (scale0, zero) = (scale.detached(), Tensor(zerosLike: shift))
    // The input is kept only for the gradient of the scale.
    let saved = scale.isTracked ? x.detached() : nil
    return record(y, [x, scale, shift]) { dy, wanted in
      /// Sums over N, H and W.
      func channelSums(of x: Tensor) -> Tensor {
        let sums = Tensor(uninitializedLike: scale0)
        x.backend.rowSums(x.rows(), into: sums)
        return sums
      }
      return [
        wanted[0] ? dy.channelsScaled(by: scale0, plus: zero) : nil,
        wanted[1] ? saved.map { channelSums(of: dy * $0) } : nil,
        wanted[2] ? channelSums(of: dy) : nil,
      ]
    }
  }

  private func matching(_ other: Tensor) -> Tensor {
    precondition(shape == other.shape, "shapes differ: \(other.shape) and \(shape)")
    return self.in(other.layout)
  }
}
