// Linear maps and matrix products.

extension Tensor {
  /// `x · weightᵀ + bias` over the last axis: `[…, I]` to `[…, O]`, weight `[O, I]`, bias `[O]`.
  package func linear(_ weight: Tensor, bias: Tensor?) -> Tensor {
    let y = mapped(by: weight)
    if let bias {
      backend.addBias(y, bias, into: y)
    }
    return recordLinear(y, weight, bias) { $0 }
  }

  /// `GELU(x · weightᵀ + bias)` over the last axis; bias and GELU are one pass over the product.
  package func linearGELU(_ weight: Tensor, bias: Tensor) -> Tensor {
    let product = mapped(by: weight)
    let y = Tensor(uninitializedLike: product)
    backend.biasGELU(product, bias, into: y)
    let bias0 = bias.detached()
    return recordLinear(y, weight, bias) { dy in
      let dproduct = Tensor(uninitializedLike: dy)
      dy.backend.biasGELUBackward(product, bias0, dy, into: dproduct)
      return dproduct
    }
  }

  /// `x · weightᵀ`, not recorded.
  private func mapped(by weight: Tensor) -> Tensor {
    let (outputs, inputs) = (weight.shape[0], weight.shape[1])
    precondition(shape[-1] == inputs, "a linear map from \(inputs) channels on \(shape)")
    let y = Tensor(uninitialized: Shape(shape.extents.dropLast() + [outputs]), on: device)
    let form = ProductShape(
      m: count / max(inputs, 1), n: outputs, k: inputs, transposesSecond: true)
    backend.matrixProduct(plain(), weight, form, into: y)
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
        dy.backend.matrixProduct(
          dy, weight0, ProductShape(m: m, n: inputs, k: outputs), into: dx)
        gradients[0] = dx
      }
      if let savedInput, wanted[1] {
        let dweight = Tensor(uninitializedLike: weight0)
        dy.backend.matrixProduct(
          dy, savedInput, ProductShape(m: outputs, n: inputs, k: m, transposesFirst: true),
          into: dweight)
        gradients[1] = dweight
      }
      if let bias0, wanted[2] {
        let dbias = Tensor(uninitializedLike: bias0)
        dy.backend.rowSums(dy, into: dbias)
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
    backend.matrixProduct(a, b, ProductShape(m: m, n: n, k: k), into: y)
    let (a0, b0) = (a.detached(), b.detached())
    return record(y, [a, b]) { dy, wanted in
      var gradients: [Tensor?] = [nil, nil]
      if wanted[0] {
        let da = Tensor(uninitializedLike: a0)
        dy.backend.matrixProduct(
          dy, b0, ProductShape(m: m, n: k, k: n, transposesSecond: true), into: da)
        gradients[0] = da
      }
      if wanted[1] {
        let db = Tensor(uninitializedLike: b0)
        dy.backend.matrixProduct(
          a0, dy, ProductShape(m: k, n: n, k: m, transposesFirst: true), into: db)
        gradients[1] = db
      }
      return gradients
    }
  }
}
