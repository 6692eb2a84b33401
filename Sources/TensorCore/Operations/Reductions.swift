// Sums and means to scalars. Padding of blocked tensors is zero and never counted.

extension Tensor {
  /// The sum of all elements, a scalar.
  package func sum() -> Tensor {
    let like = detached()
    return record(reduced(.sum, over: 1), [self]) { dy, _ in
      let value = Tensor(uninitialized: like.shape, on: dy.device)
      dy.backend.fill(value, with: dy)
      return [value.in(like.layout)]
    }
  }

  /// A sum over all elements, divided before it is rounded; not recorded.
  func reduced(_ reduction: Reduction, over divisor: Int) -> Tensor {
    let y = Tensor(uninitialized: [], on: device)
    backend.reduce(self, reduction, over: divisor, into: y)
    return y
  }

  /// The mean of all elements, a scalar.
  package func mean() -> Tensor { sum().scaled(by: 1 / Float(max(count, 1))) }

  /// The mean of `|self - other|`, a scalar.
  package func meanAbsoluteDifference(from other: Tensor) -> Tensor {
    let other = other.in(layout)
    precondition(shape == other.shape, "shapes differ: \(shape) and \(other.shape)")
    let y = reduced(.absoluteDifference(from: other), over: max(count, 1))
    let (a, b, n) = (detached(), other.detached(), Float(max(count, 1)))
    return record(y, [self, other]) { dy, wanted in
      func gradient(_ sign: Float) -> Tensor {
        let d = Tensor(uninitializedLike: a)
        d.backend.signOfDifference(a, b, times: dy, over: sign * n, into: d)
        return d
      }
      return [wanted[0] ? gradient(1) : nil, wanted[1] ? gradient(-1) : nil]
    }
  }

  /// The mean of `(self - other)²`, a scalar.
  package func meanSquaredDifference(from other: Tensor) -> Tensor {
    let other = other.in(layout)
    precondition(shape == other.shape, "shapes differ: \(shape) and \(other.shape)")
    let y = reduced(.squaredDifference(from: other), over: max(count, 1))
    let (a, b, n) = (detached(), other.detached(), Float(max(count, 1)))
    return record(y, [self, other]) { dy, wanted in
      let d = (a - b).scaled(by: dy, over: n / 2)
      return [wanted[0] ? d : nil, wanted[1] ? d.scaled(by: -1) : nil]
    }
  }

  /// The Euclidean norm of all elements, a scalar; not recorded.
  package func norm() -> Tensor { TensorCore.norm(of: [self], on: device) }

  /// Whether every element is a finite number; reads back.
  package var isFinite: Bool {
    let result = Tensor(uninitialized: [], on: device)
    backend.allFinite(self, into: result)
    return result.item() != 0
  }
}

/// The Euclidean norm of the elements of all tensors together, a scalar; not recorded.
package func norm(of tensors: [Tensor], on device: Device) -> Tensor {
  let result = Tensor(uninitialized: [], on: device)
  device.backend.norm(of: tensors, into: result)
  return result
}
