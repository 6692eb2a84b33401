// Softmax over the last axis, and what is measured on it.

extension Tensor {
  /// Softmax over the last axis.
  package func softmax() -> Tensor {
    let x = plain()
    let c = shape[-1]
    let m = count / max(c, 1)
    let y = Tensor(uninitializedLike: x)
    backend.softmax(x.pointer, y.pointer, m, c)
    return record(y, [x]) { dy, _ in
      let dx = Tensor(uninitializedLike: dy)
      dy.backend.softmaxBackward(y.pointer, dy.pointer, dx.pointer, m, c)
      return [dx]
    }
  }

  /// Mean of `-log softmax(logits)[target]` over the positions whose target is not -1, in nats.
  ///
  /// - Parameters: self: logits `[…, V]`; targets: `[…]` in `0..<V`, or -1 for a position that does not count.
  package func crossEntropy(_ targets: IndexTensor) -> Tensor {
    let x = plain()
    let v = shape[-1]
    let m = count / max(v, 1)
    precondition(targets.count == m, "\(targets.count) targets for \(m) positions")
    precondition(targets.elements.allSatisfy { $0 >= -1 && $0 < v }, "a target outside -1..<\(v)")
    let losses = Tensor(uninitialized: [m], on: device)
    let logSums = Tensor(uninitialized: [m], on: device)
    targets.elements.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      backend.crossEntropy(x.pointer, base, losses.pointer, logSums.pointer, m, v)
    }
    let counted = max(targets.elements.count { $0 >= 0 }, 1)
    let loss = Tensor(Float(backend.sum(losses.pointer, m) / Double(counted)), on: device)
    let saved = x.detached()
    return record(loss, [x]) { dy, _ in
      let dx = Tensor(uninitializedLike: saved)
      targets.elements.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress else { return }
        dy.backend.crossEntropyBackward(
          saved.pointer, base, logSums.pointer, dx.pointer, dy.item() / Float(counted), m, v)
      }
      return [dx]
    }
  }

  /// Mean over the rows of `Σ q log(q K)`, q their softmax: the divergence from K equal shares, in nats.
  ///
  /// - Parameter self: logits `[M, K]`.
  package func divergenceFromUniform() -> Tensor {
    let x = plain()
    let (m, k) = (count / max(shape[-1], 1), shape[-1])
    let divergences = Tensor(uninitialized: [m], on: device)
    let logSums = Tensor(uninitialized: [m], on: device)
    backend.uniformDivergence(x.pointer, divergences.pointer, logSums.pointer, m, k)
    let mean = backend.sum(divergences.pointer, m) / Double(max(m, 1))
    let saved = x.detached()
    return record(Tensor(Float(mean), on: device), [x]) { dy, _ in
      let dx = Tensor(uninitializedLike: saved)
      dy.backend.uniformDivergenceBackward(
        saved.pointer, divergences.pointer, logSums.pointer, dx.pointer,
        dy.item() / Float(max(m, 1)), m, k)
      return [dx]
    }
  }

  /// The column of the largest value of each row of `[M, K]`, `[M]`; the lowest column wins a tie.
  package func largestColumns() -> IndexTensor {
    let (m, k) = (shape[0], shape[1])
    let columns = plain().withElements { values in
      (0..<m).map { row in
        var best = 0
        for column in 1..<max(k, 1) where values[row * k + column] > values[row * k + best] {
          best = column
        }
        return best
      }
    }
    return IndexTensor(columns, shape: [m])
  }
}
