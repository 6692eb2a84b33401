// Maps of labels as images of one-hot channels that are never built.

extension IndexTensor {
  /// The convolution of the one-hot channels of these labels `[N, H, W]`, odd kernel, the size kept.
  ///
  /// - Parameters: weights: `[O, I, k, k]` for labels in `0..<I`; bias: `[O]`.
  /// - Returns: blocked `[N, O, H, W]`.
  package func convolved(with weights: Tensor, bias: Tensor) -> Tensor {
    let (n, h, w) = (shape[0], shape[1], shape[2])
    let (o, i, k) = (weights.shape[0], weights.shape[1], weights.shape[2])
    precondition(elements.allSatisfy { $0 >= 0 && $0 < i }, "a label outside 0..<\(i)")
    // [O, I · k · k] to [k · k, I, O]
    let taps = weights.plain().reshaped([o, i * k * k]).transposed().reshaped([i, k * k, o])
      .axesSwapped()
    let rows = Tensor(uninitialized: [n, h * w, o], on: weights.device)
    elements.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      rows.backend.labelConvolution(
        base, taps.pointer, bias.pointer, rows.pointer, shape, kernel: k, labels: i, outputs: o)
    }
    let (labels, biasShape, tapShape) = (self, bias.shape, taps.shape)
    let recorded = record(rows, [taps, bias]) { dy, wanted in
      let dtaps = Tensor(uninitialized: tapShape, on: dy.device)
      let dbias = Tensor(uninitialized: biasShape, on: dy.device)
      labels.elements.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        dy.backend.labelConvolutionBackward(
          base, dy.pointer, dtaps.pointer, labels.shape, kernel: k, labels: i, outputs: o)
      }
      dy.backend.rowSums(dy.pointer, dbias.pointer, n * h * w, o)
      return [dtaps, dbias]
    }
    return recorded.image(height: h, width: w)
  }
}

extension Tensor {
  /// `[A, B, C]` to `[B, A, C]`.
  func axesSwapped() -> Tensor {
    let (a, b, c) = (shape[0], shape[1], shape[2])
    let x = plain()
    let result = Tensor(uninitialized: [b, a, c], on: device)
    for row in 0..<a {
      for column in 0..<b {
        backend.copy(
          x.pointer + (row * b + column) * c, result.pointer + (column * a + row) * c, c)
      }
    }
    return record(result, [x]) { gradient, _ in [gradient.axesSwapped()] }
  }

  /// Mean binary cross-entropy of these logits `[N, C, H, W]` with one-hot labels `[N, H, W]`, over all channels and places.
  ///
  /// - Source: the reference's `BCELossWithQuant`.
  package func labelCrossEntropy(_ labels: IndexTensor) -> Tensor {
    let x = blocked()
    let c = shape[1]
    precondition(
      labels.count * c == count && labels.elements.allSatisfy { $0 >= 0 && $0 < c },
      "labels \(labels.shape) for logits \(shape)")
    let sums = Tensor(uninitialized: [shape[0] * ((c + 15) / 16)], on: device)
    labels.elements.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      backend.labelEntropy(x.pointer, base, sums.pointer, shape)
    }
    let total = count
    let loss = Tensor(Float(backend.sum(sums.pointer, sums.count) / Double(total)), on: device)
    let saved = x.detached()
    return record(loss, [x]) { dy, _ in
      let dx = Tensor(uninitializedLike: saved)
      labels.elements.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        dy.backend.labelEntropyBackward(
          saved.pointer, base, dx.pointer, dy.item() / Float(total), saved.shape)
      }
      return [dx]
    }
  }

  /// The most likely label of every place of logits `[N, C, H, W]`, `[N, H, W]`.
  package func largestChannels() -> IndexTensor {
    withoutGradients { vectors().largestColumns() }.reshaped([shape[0], shape[2], shape[3]])
  }
}
