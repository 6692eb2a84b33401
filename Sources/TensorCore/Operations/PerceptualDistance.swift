// One level of LPIPS.

extension Tensor {
  /// Distance of two sets of features: the mean over places of `Σ_c w_c (â_c - b̂_c)²`, features normalised to unit length
  /// over the channels.
  ///
  /// - Parameters: self: constant features `[N, C, H, W]`; other: features whose gradient is wanted; weights: `[C]`.
  /// - Returns: `[N]`. The gradient is zero where all features are zero (black frames), not NaN.
  /// - Source: Zhang et al. 2018, eq. 1.
  package func perceptualDistance(to other: Tensor, weights: Tensor) -> Tensor {
    let (a, b) = (blocked(), other.blocked())
    precondition(a.shape == b.shape, "features differ in shape: \(a.shape), \(b.shape)")
    let distance = Tensor(uninitialized: [shape[0]], on: device)
    backend.perceptualDistance(a.pointer, b.pointer, weights.pointer, distance.pointer, shape)
    let (a0, b0, weights0) = (a.detached(), b.detached(), weights.detached())
    return record(distance, [b]) { dy, _ in
      let db = Tensor(uninitializedLike: b0)
      dy.backend.perceptualDistanceBackward(
        a0.pointer, b0.pointer, weights0.pointer, dy.pointer, db.pointer, b0.shape)
      return [db]
    }
  }
}
