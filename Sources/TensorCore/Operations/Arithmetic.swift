// Elementwise arithmetic between tensors of one shape, and with scalars.

extension Tensor {
  package static func + (a: Tensor, b: Tensor) -> Tensor {
    let b = b.matching(a)
    let y = Tensor(uninitializedLike: a)
    a.backend.add(a.pointer, b.pointer, y.pointer, a.stored)
    return record(y, [a, b]) { dy, _ in [dy, dy] }
  }

  package static func - (a: Tensor, b: Tensor) -> Tensor {
    let b = b.matching(a)
    let y = Tensor(uninitializedLike: a)
    a.backend.subtract(a.pointer, b.pointer, y.pointer, a.stored)
    return record(y, [a, b]) { dy, wanted in [dy, wanted[1] ? dy.scaled(by: -1) : nil] }
  }

  package static func * (a: Tensor, b: Tensor) -> Tensor {
    let b = b.matching(a)
    let y = Tensor(uninitializedLike: a)
    a.backend.multiply(a.pointer, b.pointer, y.pointer, a.stored)
    let (a0, b0) = (a.detached(), b.detached())
    return record(y, [a, b]) { dy, wanted in
      [wanted[0] ? dy * b0 : nil, wanted[1] ? dy * a0 : nil]
    }
  }

  package static func * (factor: Float, x: Tensor) -> Tensor { x.scaled(by: factor) }

  package static prefix func - (x: Tensor) -> Tensor { x.scaled(by: -1) }

  /// `factor · x + offset`; an offset only in the plain layout, whose buffer has no padding.
  package func scaled(by factor: Float, plus offset: Float = 0) -> Tensor {
    precondition(offset == 0 || layout == .plain, "an offset would fill the padding")
    let y = Tensor(uninitializedLike: self)
    backend.scale(pointer, y.pointer, factor, offset, stored)
    return record(y, [self]) { dy, _ in [dy.scaled(by: factor)] }
  }

  /// `scale[c] · x + shift[c]` for plain `[N, C, H, W]`; scale and shift `[C]`.
  package func channelsScaled(by scale: Tensor, plus shift: Tensor) -> Tensor {
    let x = plain()
    let y = Tensor(uninitializedLike: x)
    let (n, c, hw) = (shape[0], shape[1], shape[2] * shape[3])
    backend.scaleChannels(x.pointer, scale.pointer, shift.pointer, y.pointer, n, c, hw)
    let (scale0, zero) = (scale.detached(), Tensor(zerosLike: shift))
    // The input is kept only for the gradient of the scale.
    let saved = scale.isTracked ? x.detached() : nil
    return record(y, [x, scale, shift]) { dy, wanted in
      /// Sums over N, H and W.
      func channelSums(of x: Tensor) -> Tensor {
        let sums = Tensor(uninitializedLike: scale0)
        x.backend.rowSums(x.rows().pointer, sums.pointer, n * hw, c)
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
