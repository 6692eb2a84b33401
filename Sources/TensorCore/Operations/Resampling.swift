// Max pooling and nearest-neighbour upsampling of activations.

extension Tensor {
  /// The maximum of each 2×2 window, stride 2, `[N, C, H/2, W/2]`; an odd last row or column is
  /// dropped.
  package func maxPooled() -> Tensor {
    let x = blocked()
    let y = Tensor(
      uninitialized: [shape[0], shape[1], shape[2] / 2, shape[3] / 2], layout: .blocked, on: device)
    backend.maxPool(x, into: y)
    guard x.isTracked else { return y }
    let saved = x.saved()
    return record(y, [x]) { dy, _ in
      let x = saved.restored()
      let dx = Tensor(uninitializedLike: x)
      dy.backend.maxPoolBackward(x, dy, into: dx)
      return [dx]
    }
  }

  /// Each position repeated 2×2: `[N, C, 2H, 2W]`.
  package func upsampled() -> Tensor {
    let x = blocked()
    let y = Tensor(
      uninitialized: [shape[0], shape[1], shape[2] * 2, shape[3] * 2], layout: .blocked, on: device)
    backend.upsample(x, into: y)
    let origin = shape
    return record(y, [x]) { dy, _ in
      let dx = Tensor(uninitialized: origin, layout: .blocked, on: dy.device)
      dy.backend.upsampleBackward(dy, into: dx)
      return [dx]
    }
  }
}
