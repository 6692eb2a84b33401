// Group, batch and layer normalisation, each with the activation that follows it.

extension Tensor {
  /// Group normalisation of `[N, C, H, W]`, followed by SiLU (swish) if asked; one fused pass that saves only mean and
  /// 1/deviation of each group.
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
      x.pointer, gamma.pointer, beta.pointer, y.pointer, mean.pointer, rstd.pointer, shape,
      groups: groups, eps: eps, silu: silu)
    let (saved, gamma0, beta0) = (x.detached(), gamma.detached(), beta.detached())
    return record(y, [x, gamma, beta]) { dy, wanted in
      let dx = Tensor(uninitializedLike: saved)
      let dgamma = wanted[1] ? Tensor(uninitializedLike: gamma0) : nil
      let dbeta = wanted[2] ? Tensor(uninitializedLike: beta0) : nil
      dy.backend.groupNormBackward(
        saved.pointer, dy.pointer, gamma0.pointer, beta0.pointer, mean.pointer, rstd.pointer,
        dx.pointer, dgamma?.pointer, dbeta?.pointer, saved.shape, groups: groups, silu: silu)
      return [dx, dgamma, dbeta]
    }
  }

  /// Batch normalisation of `[N, C, H, W]` by the batch's own moments, then leaky ReLU (slope 1: none).
  ///
  /// - Returns: the result, and the batch's mean and biased variance `[C]` for the running statistics.
  package func batchNormalized(gamma: Tensor, beta: Tensor, eps: Float = 1e-5, slope: Float = 1)
    -> (
      output: Tensor, mean: Tensor, variance: Tensor
    )
  {
    let x = blocked()
    let mean = Tensor(uninitialized: [shape[1]], on: device)
    let variance = Tensor(uninitialized: [shape[1]], on: device)
    backend.channelMoments(x.pointer, mean.pointer, variance.pointer, shape)
    let rstd = Tensor(
      variance.elements().map { 1 / ($0 + eps).squareRoot() }, shape: [shape[1]], on: device)
    let y = Tensor(uninitializedLike: x)
    backend.batchNorm(
      x.pointer, mean.pointer, rstd.pointer, gamma.pointer, beta.pointer, y.pointer, shape,
      slope: slope)
    let (saved, gamma0, beta0) = (x.detached(), gamma.detached(), beta.detached())
    let output = record(y, [x, gamma, beta]) { dy, wanted in
      let dx = Tensor(uninitializedLike: saved)
      let dgamma = wanted[1] ? Tensor(uninitializedLike: gamma0) : nil
      let dbeta = wanted[2] ? Tensor(uninitializedLike: beta0) : nil
      dy.backend.batchNormBackward(
        saved.pointer, dy.pointer, mean.pointer, rstd.pointer, gamma0.pointer, beta0.pointer,
        dx.pointer, dgamma?.pointer, dbeta?.pointer, saved.shape, slope: slope)
      return [dx, dgamma, dbeta]
    }
    return (output, mean, variance)
  }

  /// `scale · (x + loc)` per channel of `[N, C, H, W]`, then leaky ReLU (slope 1: none); `loc` and `scale` hold C values.
  package func channelAffine(loc: Tensor, scale: Tensor, slope: Float = 1) -> Tensor {
    let x = blocked()
    let y = Tensor(uninitializedLike: x)
    backend.channelAffine(x.pointer, loc.pointer, scale.pointer, y.pointer, shape, slope: slope)
    let (saved, loc0, scale0) = (x.detached(), loc.detached(), scale.detached())
    return record(y, [x, loc, scale]) { dy, wanted in
      let dx = Tensor(uninitializedLike: saved)
      let dloc = wanted[1] ? Tensor(uninitializedLike: loc0) : nil
      let dscale = wanted[2] ? Tensor(uninitializedLike: scale0) : nil
      dy.backend.channelAffineBackward(
        saved.pointer, dy.pointer, loc0.pointer, scale0.pointer, dx.pointer, dloc?.pointer,
        dscale?.pointer, saved.shape, slope: slope)
      return [dx, dloc, dscale]
    }
  }

  /// Mean and biased variance of every channel of `[N, C, H, W]`; constants to the graph.
  package func channelMoments() -> (mean: Tensor, variance: Tensor) {
    let x = withoutGradients { blocked() }
    let mean = Tensor(uninitialized: [shape[1]], on: device)
    let variance = Tensor(uninitialized: [shape[1]], on: device)
    backend.channelMoments(x.pointer, mean.pointer, variance.pointer, shape)
    return (mean, variance)
  }

  /// Layer normalisation over the last axis.
  ///
  /// - Source: Ba et al. 2016, eq. 4; eps 1e-5 in the reference.
  package func layerNormalized(gamma: Tensor, beta: Tensor, eps: Float = 1e-5) -> Tensor {
    let x = plain()
    let c = shape[-1]
    let m = count / max(c, 1)
    let y = Tensor(uninitializedLike: x)
    let mean = Tensor(uninitialized: [m], on: device)
    let rstd = Tensor(uninitialized: [m], on: device)
    backend.layerNorm(
      x.pointer, gamma.pointer, beta.pointer, y.pointer, mean.pointer, rstd.pointer, m, c, eps: eps)
    let (saved, gamma0) = (x.detached(), gamma.detached())
    return record(y, [x, gamma, beta]) { dy, _ in
      let dx = Tensor(uninitializedLike: saved)
      let dgamma = Tensor(uninitializedLike: gamma0)
      let dbeta = Tensor(uninitializedLike: gamma0)
      dy.backend.layerNormBackward(
        saved.pointer, dy.pointer, gamma0.pointer, mean.pointer, rstd.pointer, dx.pointer,
        dgamma.pointer, dbeta.pointer, m, c)
      return [dx, dgamma, dbeta]
    }
  }
}
