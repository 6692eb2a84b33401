// Linear maps and matrix products.

extension Tensor {
  /// `x · weightᵀ + bias` over the last axis: `[…, I]` to `[…, O]`, weight `[O, I]`, bias `[O]`.
  package func linear(_ weight: Tensor, bias: Tensor?) -> Tensor {
    let y = mapped(by: [weight])
    if let bias {
      backend.addBias(y, bias, into: y)
    }
    return recordLinear(y, [weight], [bias]) { $0 }
  }

  /// Several linear maps of the same input in one product: `[…, I]` to `[…, count · O]`, their results beside each
  /// other.
  package func linear(_ weights: [Tensor], biases: [Tensor]) -> Tensor {
    let y = mapped(by: weights)
    let bias = Tensor(uninitialized: [y.shape[-1]], on: device)
    for (index, part) in biases.enumerated() {
      backend.insert(part, axis: 0, at: index * part.count, into: bias)
    }
    backend.addBias(y, bias, into: y)
    return recordLinear(y, weights, biases) { $0 }
  }

  /// `GELU(x · weightᵀ + bias)` over the last axis; bias and GELU are one pass over the product.
  package func linearGELU(_ weight: Tensor, bias: Tensor) -> Tensor {
    let product = mapped(by: [weight])
    let y = Tensor(uninitializedLike: product)
    backend.biasGELU(product, bias, into: y)
    let bias0 = bias.detached()
    return recordLinear(y, [weight], [bias]) { dy in
      let dproduct = Tensor(uninitializedLike: dy)
      dy.backend.biasGELUBackward(product, bias0, dy, into: dproduct)
      return dproduct
    }
  }

  /// `x · weightᵀ` by each of the weights, not recorded.
  private func mapped(by weights: [Tensor]) -> Tensor {
    let (outputs, inputs) = (weights.count * weights[0].shape[0], weights[0].shape[1])
    precondition(shape[-1] == inputs, "a linear map from \(inputs) channels on \(shape)")
    let y = Tensor(uninitialized: Shape(shape.extents.dropLast() + [outputs]), on: device)
    let form = ProductShape(
      m: count / max(inputs, 1), n: outputs, k: inputs, transposesSecond: true)
    backend.matrixProduct(Columns(plain()), weights, form, into: y)
    return y
  }

  /// Gives the results of linear maps, beside each other, their derivative.
  ///
  /// - Parameter differentiate: from the gradient of the result to that of product plus bias.
  private func recordLinear(
    _ y: Tensor, _ weights: [Tensor], _ biases: [Tensor?],
    _ differentiate: @escaping (Tensor) -> Tensor
  ) -> Tensor {
    let x = plain()
    let (outputs, inputs) = (weights[0].shape[0], weights[0].shape[1])
    let m = count / max(inputs, 1)
    let savedInput = weights.contains(where: \.isTracked) ? x.detached() : nil
    let weights0 = weights.map { $0.detached() }
    let bias0 = biases.compactMap { $0?.detached() }
    let inputShape = x.shape
    return record(y, [x] + weights + biases.compactMap { $0 }) { gradient, wanted in
      let dy = differentiate(gradient)
      var gradients = [Tensor?](repeating: nil, count: wanted.count)
      if wanted[0] {
        let dx = Tensor(uninitialized: inputShape, on: dy.device)
        dy.backend.matrixProduct(
          Columns(dy), weights0, ProductShape(m: m, n: inputs, k: weights0.count * outputs),
          into: dx)
        gradients[0] = dx
      }
      for (index, weight) in weights0.enumerated() where wanted[1 + index] {
        guard let savedInput else { continue }
        let dweight = Tensor(uninitializedLike: weight)
        dy.backend.matrixProduct(
          Columns(dy, from: index * outputs), [savedInput],
          ProductShape(m: outputs, n: inputs, k: m, transposesFirst: true), into: dweight)
        gradients[1 + index] = dweight
      }
      let firstBias = 1 + weights0.count
      if !bias0.isEmpty, wanted[firstBias...].contains(true) {
        let sums = Tensor(uninitialized: [dy.shape[-1]], on: dy.device)
        dy.backend.rowSums(dy, into: sums)
        for (index, bias) in bias0.enumerated() {
          gradients[firstBias + index] =
            bias0.count == 1 ? sums : sums.items(index * bias.count..<(index + 1) * bias.count)
        }
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
    backend.matrixProduct(Columns(a), [b], ProductShape(m: m, n: n, k: k), into: y)
    let (a0, b0) = (a.detached(), b.detached())
    return record(y, [a, b]) { dy, wanted in
      var gradients: [Tensor?] = [nil, nil]
      if wanted[0] {
        let da = Tensor(uninitializedLike: a0)
        dy.backend.matrixProduct(
          Columns(dy), [b0], ProductShape(m: m, n: k, k: n, transposesSecond: true), into: da)
        gradients[0] = da
      }
      if wanted[1] {
        let db = Tensor(uninitializedLike: b0)
        dy.backend.matrixProduct(
          Columns(a0), [dy], ProductShape(m: k, n: n, k: m, transposesFirst: true), into: db)
        gradients[1] = db
      }
      return gradients
    }
  }
}
