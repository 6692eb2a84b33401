// Softmax over the last axis, and what is measured on it.

extension Tensor {
  /// Softmax over the last axis.
  package func softmax() -> Tensor {
    let x = plain()
    let y = Tensor(uninitializedLike: x)
    backend.softmax(x, into: y)
    return record(y, [x]) { dy, _ in
      let dx = Tensor(uninitializedLike: dy)
      dy.backend.softmaxBackward(y, dy, into: dx)
      return [dx]
    }
  }

  /// Mean of `-log softmax(logits)[target]` over the positions whose target is not -1, in nats.
  ///
  /// The gradient is computed at once, in the memory of the logits where nobody else holds them:
  /// `[M, V]` is there once, not twice.
  /// - Parameters: self: logits `[…, V]`; targets: `[…]` in `0..<V`, or -1 for a position that does
  ///   not count; weights: of the targets, `[V]`, by which their losses are multiplied.
  package consuming func crossEntropy(
    _ targets: IndexTensor, weights: Tensor? = nil
  ) -> Tensor {
    let isPlain = layout == .plain
    var x = isPlain ? consume self : plain()
    let (v, device) = (x.shape[-1], x.device)
    let m = x.count / max(v, 1)
    precondition(targets.count == m, "\(targets.count) targets for \(m) positions")
    precondition(targets.isWithin(-1..<Int32(v)), "a target outside -1..<\(v)")
    precondition(weights.map { $0.count == v } ?? true, "weights for other than \(v) targets")
    let losses = Tensor(uninitialized: [m], on: device)
    let logSums = Tensor(uninitialized: [m], on: device)
    x.backend.crossEntropy(x, targets, weights: weights, into: losses, logSums: logSums)
    let counted = max(targets.elements.count { $0 >= 0 }, 1)
    let loss = losses.reduced(.sum, over: counted)
    guard x.isTracked, GradientMode.isRecording else { return loss }
    let input = Tensor(shape: x.shape, layout: x.layout, storage: losses.storage, node: x.node)
    let isOurs = isKnownUniquelyReferenced(&x.storage)
    let gradient = isOurs ? x.detached() : Tensor(uninitializedLike: x)
    if isOurs { gradient.storage.willChange() }
    x.backend.crossEntropyBackward(
      x, targets, weights: weights, logSums: logSums, times: Tensor(1, on: device),
      over: Float(counted), into: gradient)
    return record(loss, [input]) { dy, _ in
      [dy.item() == 1 ? gradient : gradient.scaled(by: dy)]
    }
  }

  /// `-log softmax(logits)[target]` of every position, `[M]`, in nats, without a gradient; 0 where
  /// the target is -1.
  ///
  /// - Parameters: as `crossEntropy`, which is their mean.
  package func crossEntropies(_ targets: IndexTensor) -> Tensor {
    let x = withoutGradients { plain() }
    let (m, v) = (x.count / max(x.shape[-1], 1), x.shape[-1])
    precondition(targets.count == m, "\(targets.count) targets for \(m) positions")
    precondition(targets.isWithin(-1..<Int32(v)), "a target outside -1..<\(v)")
    let losses = Tensor(uninitialized: [m], on: x.device)
    let logSums = Tensor(uninitialized: [m], on: x.device)
    x.backend.crossEntropy(x, targets, weights: nil, into: losses, logSums: logSums)
    return losses
  }

  /// Mean over the rows of `Σ q log(q K)`, q their softmax: the divergence from K equal fractions,
  /// in nats.
  ///
  /// - Parameter self: logits `[M, K]`.
  package func divergenceFromUniform() -> Tensor {
    let x = plain()
    let m = count / max(shape[-1], 1)
    let divergences = Tensor(uninitialized: [m], on: device)
    let logSums = Tensor(uninitialized: [m], on: device)
    backend.uniformDivergence(x, into: divergences, logSums: logSums)
    let saved = x.detached()
    return record(divergences.reduced(.sum, over: max(m, 1)), [x]) { dy, _ in
      let dx = Tensor(uninitializedLike: saved)
      dy.backend.uniformDivergenceBackward(
        saved, divergences: divergences, logSums: logSums, times: dy, over: Float(max(m, 1)),
        into: dx)
      return [dx]
    }
  }

  /// The column of the largest value of each row of `[M, K]`, `[M]`; the lowest column wins a tie.
  package func largestColumns() -> IndexTensor {
    let columns = IndexTensor(uninitialized: [shape[0]], on: device)
    backend.largestColumns(withoutGradients { plain() }, into: columns)
    return columns
  }
}
