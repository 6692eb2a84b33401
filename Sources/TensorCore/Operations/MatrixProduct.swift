// Linear maps and matrix products.

extension Tensor {
  /// `x · weightᵀ + bias` over the last axis: `[…, I]` to `[…, O]`, weight `[O, I]`, bias `[O]`.
  package func linear(_ weight: Tensor, bias: Tensor?) -> Tensor {
    let x = plain()
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    precondition(shape[-1] == inputs, "a linear map from \(inputs) channels on \(shape)")
    let m = count / max(inputs, 1)
    let y = Tensor(uninitialized: Shape(shape.extents.dropLast() + [outputs]), on: device)
    backend.gemm(false, true, m, outputs, inputs, 1, x.pointer, weight.pointer, 0, y.pointer)
    if let bias { backend.addBias(y.pointer, bias.pointer, y.pointer, m, outputs) }
    let savedInput = weight.isTracked ? x.detached() : nil
    let (weight0, bias0) = (weight.detached(), bias?.detached())
    let inputShape = x.shape
    return record(y, [x, weight] + (bias.map { [$0] } ?? [])) { dy, wanted in
      let backend = dy.backend
      var gradients: [Tensor?] = [nil, nil, nil]
      if wanted[0] {
        let dx = Tensor(uninitialized: inputShape, on: dy.device)
        backend.gemm(
          false, false, m, inputs, outputs, 1, dy.pointer, weight0.pointer, 0, dx.pointer)
        gradients[0] = dx
      }
      if let savedInput, wanted[1] {
        let dweight = Tensor(uninitializedLike: weight0)
        backend.gemm(
          true, false, outputs, inputs, m, 1, dy.pointer, savedInput.pointer, 0, dweight.pointer)
        gradients[1] = dweight
      }
      if let bias0, wanted[2] {
        let dbias = Tensor(uninitializedLike: bias0)
        backend.rowSums(dy.pointer, dbias.pointer, m, outputs)
        gradients[2] = dbias
      }
      return gradients
    }
  }

  /// The product of matrices `[M, K]` and `[K, N]`.
  package func matmul(_ other: Tensor) -> Tensor {
    let (a, b) = (plain(), other.plain())
    precondition(a.rank == 2 && b.rank == 2 && a.shape[1] == b.shape[0], "\(a.shape) · \(b.shape)")
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
    let y = Tensor(uninitialized: [m, n], on: device)
    backend.gemm(false, false, m, n, k, 1, a.pointer, b.pointer, 0, y.pointer)
    let (a0, b0) = (a.detached(), b.detached())
    return record(y, [a, b]) { dy, wanted in
      var gradients: [Tensor?] = [nil, nil]
      if wanted[0] {
        let da = Tensor(uninitializedLike: a0)
        dy.backend.gemm(false, true, m, k, n, 1, dy.pointer, b0.pointer, 0, da.pointer)
        gradients[0] = da
      }
      if wanted[1] {
        let db = Tensor(uninitializedLike: b0)
        dy.backend.gemm(true, false, k, n, m, 1, a0.pointer, dy.pointer, 0, db.pointer)
        gradients[1] = db
      }
      return gradients
    }
  }
}
