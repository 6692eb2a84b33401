// Sums and means to scalars. Padding of blocked tensors is zero and never counted.

extension Tensor {
  /// The sum of all elements, a scalar.
  package func sum() -> Tensor {
    let y = Tensor(Float(backend.sum(pointer, stored)), on: device)
    let like = detached()
    return record(y, [self]) { dy, _ in [like.constant(dy.item())] }
  }

  /// The mean of all elements, a scalar.
  package func mean() -> Tensor { sum().scaled(by: 1 / Float(max(count, 1))) }

  /// The mean of `|self - other|`, a scalar.
  package func meanAbsoluteDifference(from other: Tensor) -> Tensor {
    let other = other.in(layout)
    precondition(shape == other.shape, "shapes differ: \(shape) and \(other.shape)")
    let total = backend.sumOfAbsoluteDifferences(pointer, other.pointer, stored)
    let y = Tensor(Float(total / Double(max(count, 1))), on: device)
    let (a, b, n) = (detached(), other.detached(), Float(max(count, 1)))
    return record(y, [self, other]) { dy, wanted in
      func gradient(_ sign: Float) -> Tensor {
        let d = Tensor(uninitializedLike: a)
        d.backend.signOfDifference(a.pointer, b.pointer, d.pointer, sign * dy.item() / n, d.stored)
        return d
      }
      return [wanted[0] ? gradient(1) : nil, wanted[1] ? gradient(-1) : nil]
    }
  }

  /// The mean of `(self - other)²`, a scalar.
  package func meanSquaredDifference(from other: Tensor) -> Tensor {
    let other = other.in(layout)
    precondition(shape == other.shape, "shapes differ: \(shape) and \(other.shape)")
    let total = backend.sumOfSquaredDifferences(pointer, other.pointer, stored)
    let y = Tensor(Float(total / Double(max(count, 1))), on: device)
    let (a, b, n) = (detached(), other.detached(), Float(max(count, 1)))
    return record(y, [self, other]) { dy, wanted in
      let d = (a - b).scaled(by: 2 * dy.item() / n)
      return [wanted[0] ? d : nil, wanted[1] ? d.scaled(by: -1) : nil]
    }
  }

  /// The Euclidean norm of all elements.
  package func norm() -> Float { Float(backend.sumOfSquares(pointer, stored).squareRoot()) }

  /// Whether every element is a finite number.
  package var isFinite: Bool { backend.allFinite(pointer, stored) }

  /// A tensor of this form with one value everywhere but in the padding.
  private func constant(_ value: Float) -> Tensor {
    Tensor(repeating: value, shape: shape, on: device).in(layout)
  }
}
