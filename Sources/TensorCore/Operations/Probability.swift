// Softmax and cross-entropy over the last axis.

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
}
