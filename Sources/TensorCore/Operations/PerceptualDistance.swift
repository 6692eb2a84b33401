// One level of LPIPS.

extension Tensor {
  /// Distance of two sets of features: the mean over positions of `Σ_c w_c (â_c - b̂_c)²`, features
  /// normalised to unit length over the channels.
  ///
  /// - Parameters: self, other: features `[N, C, H, W]`; weights: constants `[C]`.
  /// - Returns: `[N]`. The gradient is zero where all features are zero (black frames), not NaN.
  /// - Source: Zhang et al. 2018, eq. 1.
  package func perceptualDistance(to other: Tensor, weights: Tensor) -> Tensor {
    let (a, b) = (blocked(), other.blocked())
    precondition(a.shape == b.shape, "features differ in shape: \(a.shape), \(b.shape)")
    precondition(!weights.isTracked, "the weights get no gradient")
    let distance = Tensor(uninitialized: [shape[0]], on: device)
    backend.perceptualDistance(a, b, weights: weights, into: distance)
    guard a.isTracked || b.isTracked else { return distance }
    let (a0, b0) = (a.saved(), b.saved())
    return record(distance, [a, b]) { dy, wanted in
      let (a, b) = (a0.restored(), b0.restored())
      /// For `moved`; the distance is the same from both sides.
      func gradient(of moved: Tensor, from fixed: Tensor) -> Tensor {
        let d = Tensor(uninitializedLike: moved)
        dy.backend.perceptualDistanceBackward(fixed, moved, weights: weights, dy, into: d)
        return d
      }
      return [
        wanted[0] ? gradient(of: a, from: b) : nil, wanted[1] ? gradient(of: b, from: a) : nil,
      ]
    }
  }
}
