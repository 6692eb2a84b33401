// Group, batch and layer normalisation, each with the activation that follows it.

extension Tensor {
  /// Group normalisation of `[N, C, H, W]`, followed by SiLU (swish) if asked; one fused pass that
  /// saves only mean and 1/deviation of each group.
  ///
  /// - Parameters: gamma, beta: `[C]`; `groups` divides `C`.
  /// - Source: Wu & He 2018, eq. 1–3; eps 1e-6 and 32 groups in the reference.
  package func groupNormalized(
    gamma: Tensor, beta: Tensor, groups: Int = 32, eps: Float = 1e-6, silu: Bool
  ) -> Tensor {
    precondition(shape[1] % groups == 0, "\(groups) groups do not divide \(shape[1]) channels")
    let x = blocked()
    let y = Tensor(uninitializedLike: x)
    let mean = Tensor(uninitialized: [shape[0], groups], on: device)
    let rstd = Tensor(uninitialized: [shape[0], groups], on: device)
    backend.groupNorm(
      x, gamma: gamma, beta: beta, groups: groups, eps: eps, silu: silu, into: y, mean: mean,
      rstd: rstd)
    let (saved, gamma0, beta0) = (x.saved(), gamma.detached(), beta.detached())
    return record(y, [x, gamma, beta]) { dy, wanted in
      let x = saved.restored()
      let dx = Tensor(uninitializedLike: x)
      let dgamma = wanted[1] ? Tensor(uninitializedLike: gamma0) : nil
      let dbeta = wanted[2] ? Tensor(uninitializedLike: beta0) : nil
      dy.backend.groupNormBackward(
        x, dy, gamma: gamma0, beta: beta0, mean: mean, rstd: rstd, groups: groups, silu: silu,
        into: dx, dgamma, dbeta)
      return [dx, dgamma, dbeta]
    }
  }

  /// Batch normalisation of `[N, C, H, W]` by the batch's own moments, then leaky ReLU (slope 1:
  /// none).
  ///
  /// - Returns: the result, and the batch's mean and biased variance `[C]` for the running
  ///   statistics.
  package func batchNormalized(gamma: Tensor, beta: Tensor, eps: Float = 1e-5, slope: Float = 1)
    -> (
      output: Tensor, mean: Tensor, variance: Tensor
    )
  {
    let x = blocked()
    let (mean, variance) = x.channelMoments()
    let rstd = variance.inverseDeviation(eps: eps)
    let y = Tensor(uninitializedLike: x)
    backend.batchNorm(
      x, mean: mean, rstd: rstd, gamma: gamma, beta: beta, slope: slope, into: y)
    let (saved, gamma0, beta0) = (x.saved(), gamma.detached(), beta.detached())
    let output = record(y, [x, gamma, beta]) { dy, wanted in
      let x = saved.restored()
      let dx = Tensor(uninitializedLike: x)
      let dgamma = wanted[1] ? Tensor(uninitializedLike: gamma0) : nil
      let dbeta = wanted[2] ? Tensor(uninitializedLike: beta0) : nil
      dy.backend.batchNormBackward(
        x, dy, mean: mean, rstd: rstd, gamma: gamma0, beta: beta0, slope: slope, into: dx,
        dgamma, dbeta)
      return [dx, dgamma, dbeta]
    }
    return (output, mean, variance)
  }

  /// `scale · (x + loc)` per channel of `[N, C, H, W]`, then leaky ReLU (slope 1: none); `loc` and
  /// `scale` hold C values.
  package func channelAffine(loc: Tensor, scale: Tensor, slope: Float = 1) -> Tensor {
    let x = blocked()
    let y = Tensor(uninitializedLike: x)
    backend.channelAffine(x, loc: loc, scale: scale, slope: slope, into: y)
    let (saved, loc0, scale0) = (x.detached(), loc.detached(), scale.detached())
    return record(y, [x, loc, scale]) { dy, wanted in
      let dx = Tensor(uninitializedLike: saved)
      let dloc = wanted[1] ? Tensor(uninitializedLike: loc0) : nil
      let dscale = wanted[2] ? Tensor(uninitializedLike: scale0) : nil
      dy.backend.channelAffineBackward(
        saved, dy, loc: loc0, scale: scale0, slope: slope, into: dx, dloc, dscale)
      return [dx, dloc, dscale]
    }
  }

  /// Mean and biased variance of every channel of `[N, C, H, W]`; constants to the graph.
  package func channelMoments() -> (mean: Tensor, variance: Tensor) {
    let x = withoutGradients { blocked() }
    let mean = Tensor(uninitialized: [shape[1]], on: device)
    let variance = Tensor(uninitialized: [shape[1]], on: device)
    backend.channelMoments(x, intoMean: mean, variance: variance)
    return (mean, variance)
  }

  /// `1/√(v + eps)` of variances; constants to the graph.
  package func inverseDeviation(eps: Float) -> Tensor {
    withoutGradients { scaled(by: 1, plus: eps).squareRoot().reciprocal() }
  }

  /// Layer normalisation over the last axis.
  ///
  /// - Source: Ba et al. 2016, eq. 4; eps 1e-5 in the reference.
  package func layerNormalized(gamma: Tensor, beta: Tensor, eps: Float = 1e-5) -> Tensor {
    let x = plain()
    let m = count / max(shape[-1], 1)
    let y = Tensor(uninitializedLike: x)
    let mean = Tensor(uninitialized: [m], on: device)
    let rstd = Tensor(uninitialized: [m], on: device)
    backend.layerNorm(x, gamma: gamma, beta: beta, eps: eps, into: y, mean: mean, rstd: rstd)
    let (saved, gamma0) = (x.detached(), gamma.detached())
    return record(y, [x, gamma, beta]) { dy, _ in
      let dx = Tensor(uninitializedLike: saved)
      let dgamma = Tensor(uninitializedLike: gamma0)
      let dbeta = Tensor(uninitializedLike: gamma0)
      dy.backend.layerNormBackward(
        saved, dy, gamma: gamma0, mean: mean, rstd: rstd, into: dx, dgamma, dbeta)
      return [dx, dgamma, dbeta]
    }
  }
}
