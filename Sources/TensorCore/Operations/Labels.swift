// Maps of labels as images of one-hot channels that are never built.
import Foundation

extension IndexTensor {
  /// The convolution of the one-hot channels of these labels `[N, H, W]`, odd kernel, the size
  /// kept; with several labels at a position, `[N, P, H, W]`, the sum of their convolutions.
  ///
  /// - Parameters: weights: `[O, I, k, k]` for labels in `0..<I`; bias: `[O]`.
  /// - Returns: blocked `[N, O, H, W]`.
  package func convolved(with weights: Tensor, bias: Tensor) -> Tensor {
    let labels = shape.rank == 4 ? self : reshaped([shape[0], 1, shape[1], shape[2]])
    let (n, h, w) = (labels.shape[0], labels.shape[2], labels.shape[3])
    let (o, i, k) = (weights.shape[0], weights.shape[1], weights.shape[2])
    precondition(isWithin(0..<Int32(i)), "a label outside 0..<\(i)")
    // [O, I · k · k] to [k · k, I, O]
    let taps = weights.plain().reshaped([o, i * k * k]).transposed().reshaped([i, k * k, o])
      .axesSwapped()
    let rows = Tensor(uninitialized: [n, h * w, o], on: weights.device)
    rows.backend.labelConvolution(labels, taps, bias, kernel: k, into: rows)
    let (biasShape, tapShape) = (bias.shape, taps.shape)
    let recorded = record(rows, [taps, bias]) { dy, _ in
      let dtaps = Tensor(uninitialized: tapShape, on: dy.device)
      let dbias = Tensor(uninitialized: biasShape, on: dy.device)
      dy.backend.labelConvolutionBackward(labels, dy, kernel: k, into: dtaps)
      dy.backend.rowSums(dy, into: dbias)
      return [dtaps, dbias]
    }
    return recorded.image(height: h, width: w)
  }
}

extension Tensor {
  /// `[A, B, C]` to `[B, A, C]`.
  func axesSwapped() -> Tensor {
    let x = plain()
    let result = Tensor(uninitialized: [shape[1], shape[0], shape[2]], on: device)
    backend.swapAxes(x, into: result)
    return record(result, [x]) { gradient, _ in [gradient.axesSwapped()] }
  }

  /// Mean binary cross-entropy of these logits `[N, C, H, W]` with one-hot labels `[N, H, W]`, over
  /// all channels and positions.
  ///
  /// - Source: the reference's `BCELossWithQuant`.
  package func labelCrossEntropy(_ labels: IndexTensor) -> Tensor {
    let x = blocked()
    let c = shape[1]
    precondition(
      labels.count * c == count && labels.isWithin(0..<Int32(c)),
      "labels \(labels.shape) for logits \(shape)")
    let loss = Tensor(uninitialized: [], on: device)
    backend.labelEntropy(x, labels, into: loss)
    let saved = x.detached()
    return record(loss, [x]) { dy, _ in
      let dx = Tensor(uninitializedLike: saved)
      dy.backend.labelEntropyBackward(
        saved, labels, times: dy, over: Float(saved.count), into: dx)
      return [dx]
    }
  }

  /// Mean cross-entropy of the softmax over the channels of these logits `[N, C, H, W]` with labels
  /// `[N, H, W]`, each position weighted by its label, in nats.
  ///
  /// The logits are those of the labels' true frequencies: their softmax takes the logarithms of
  /// the weights on top. Without that the least loss is at logits that are too high by these
  /// logarithms, and the largest one finds too much of what is rare.
  ///
  /// - Parameter weights: of the labels, `[C]`; at least 1e-6 in the logarithm.
  /// - Source: after Menon et al. 2021, *Long-tail learning via logit adjustment*.
  package func labelCrossEntropy(_ labels: IndexTensor, weights: [Float]) -> Tensor {
    precondition(weights.count == shape[1], "\(weights.count) weights for logits \(shape)")
    func row(_ values: [Float]) -> Tensor { Tensor(values, shape: [values.count], on: device) }
    let logarithms = weights.map { log(max($0, 1e-6)) }
    return channelsScaled(by: row(weights.map { _ in 1 }), plus: row(logarithms)).vectors()
      .crossEntropy(labels, weights: row(weights))
  }

  /// The most likely label of every position of logits `[N, C, H, W]`, `[N, H, W]`.
  package func largestChannels() -> IndexTensor {
    withoutGradients { vectors().largestColumns() }.reshaped([shape[0], shape[2], shape[3]])
  }
}
