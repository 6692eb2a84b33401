// Linear maps and matrix products.

/// `c = op(a) · op(b)`, the factors read in the device's precision; 8 bits are for `x · weightᵀ` alone.
private func multiply(
  _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: Tensor, _ b: Tensor,
  into c: Tensor
) {
  switch a.backend.precision {
  case .bfloat16:
    a.backend.gemmBfloat16(
      transposeA, transposeB, m, n, k, a.bfloat16.pointer, b.bfloat16.pointer, 0, c.pointer)
  case .int8 where !transposeA && transposeB && b.rank == 2:
    let bytes = b.int8
    a.backend.gemmInt8(m, n, k, a.pointer, bytes.values.pointer, bytes.scales.pointer, c.pointer)
  case .float32, .int8:
    a.backend.gemm(transposeA, transposeB, m, n, k, 1, a.pointer, b.pointer, 0, c.pointer)
  }
}

extension Tensor {
  /// `x · weightᵀ + bias` over the last axis: `[…, I]` to `[…, O]`, weight `[O, I]`, bias `[O]`.
  package func linear(_ weight: Tensor, bias: Tensor?) -> Tensor {
    let y = mapped(by: weight)
    if let bias {
      backend.addBias(y.pointer, bias.pointer, y.pointer, y.count / bias.count, bias.count)
    }
    return recordLinear(y, weight, bias) { $0 }
  }

  /// `GELU(x · weightᵀ + bias)` over the last axis; bias and GELU are one pass over the product.
  package func linearGELU(_ weight: Tensor, bias: Tensor) -> Tensor {
    let product = mapped(by: weight)
    let (m, outputs) = (product.count / bias.count, bias.count)
    let y = Tensor(uninitializedLike: product)
    backend.biasGELU(product.pointer, bias.pointer, y.pointer, m, outputs)
    let bias0 = bias.detached()
    return recordLinear(y, weight, bias) { dy in
      let dproduct = Tensor(uninitializedLike: dy)
      dy.backend.biasGELUBackward(
        product.pointer, bias0.pointer, dy.pointer, dproduct.pointer, m, outputs)
      return dproduct
    }
  }

  /// `x · weightᵀ`, not recorded.
  private func mapped(by weight: Tensor) -> Tensor {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    precondition(shape[-1] == inputs, "a linear map from \(inputs) channels on \(shape)")
    let y = Tensor(uninitialized: Shape(shape.extents.dropLast() + [outputs]), on: device)
    multiply(false, true, count / max(inputs, 1), outputs, inputs, plain(), weight, into: y)
    return y
  }

  /// Gives the result of a linear map its derivative.
  ///
  /// - Parameter differentiate: from the gradient of the result to that of product plus bias.
  private func recordLinear(
    _ y: Tensor, _ weight: Tensor, _ bias: Tensor?, _ differentiate: @escaping (Tensor) -> Tensor
  ) -> Tensor {
    let x = plain()
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    let m = count / max(inputs, 1)
    let savedInput = weight.isTracked ? x.detached() : nil
    let (weight0, bias0) = (weight.detached(), bias?.detached())
    let inputShape = x.shape
    return record(y, [x, weight] + (bias.map { [$0] } ?? [])) { gradient, wanted in
      let dy = differentiate(gradient)
      var gradients: [Tensor?] = [nil, nil, nil]
      if wanted[0] {
        let dx = Tensor(uninitialized: inputShape, on: dy.device)
        multiply(false, false, m, inputs, outputs, dy, weight0, into: dx)
        gradients[0] = dx
      }
      if let savedInput, wanted[1] {
        let dweight = Tensor(uninitializedLike: weight0)
        multiply(true, false, outputs, inputs, m, dy, savedInput, into: dweight)
        gradients[1] = dweight
      }
      if let bias0, wanted[2] {
        let dbias = Tensor(uninitializedLike: bias0)
        dy.backend.rowSums(dy.pointer, dbias.pointer, m, outputs)
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
    multiply(false, false, m, n, k, a, b, into: y)
    let (a0, b0) = (a.detached(), b.detached())
    return record(y, [a, b]) { dy, wanted in
      var gradients: [Tensor?] = [nil, nil]
      if wanted[0] {
        let da = Tensor(uninitializedLike: a0)
        multiply(false, true, m, k, n, dy, b0, into: da)
        gradients[0] = da
      }
      if wanted[1] {
        let db = Tensor(uninitializedLike: b0)
        multiply(true, false, k, n, m, a0, dy, into: db)
        gradients[1] = db
      }
      return gradients
    }
  }
}
