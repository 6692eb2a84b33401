// Normalisation and resampling on the processor.
import CKernels

extension CPUBackend {
  func groupNorm(
    _ x: Tensor, gamma: Tensor, beta: Tensor, groups: Int, eps: Float, silu: Bool, into y: Tensor,
    mean: Tensor, rstd: Tensor
  ) {
    let (n, c, hw) = extents(x)
    timed("group norm", floats: 3 * x.count) {
      ck_group_norm_forward(
        x.floats, gamma.floats, beta.floats, y.floats, mean.floats, rstd.floats, n, c, hw, groups,
        eps, silu ? 1 : 0)
    }
  }

  func groupNormBackward(
    _ x: Tensor, _ dy: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, rstd: Tensor, groups: Int,
    silu: Bool, into dx: Tensor, _ dgamma: Tensor?, _ dbeta: Tensor?
  ) {
    let (n, c, hw) = extents(x)
    timed("group norm backward", floats: 5 * x.count) {
      ck_group_norm_backward(
        x.floats, dy.floats, gamma.floats, beta.floats, mean.floats, rstd.floats, dx.floats,
        dgamma?.floats, dbeta?.floats, n, c, hw, groups, silu ? 1 : 0)
    }
  }

  func channelMoments(_ x: Tensor, intoMean mean: Tensor, variance: Tensor) {
    let (n, c, hw) = extents(x)
    timed("channel moments", floats: x.count) {
      ck_channel_moments(x.floats, mean.floats, variance.floats, n, c, hw)
    }
  }

  func batchNorm(
    _ x: Tensor, mean: Tensor, rstd: Tensor, gamma: Tensor, beta: Tensor, slope: Float,
    into y: Tensor
  ) {
    let (n, c, hw) = extents(x)
    timed("batch norm", floats: 2 * x.count) {
      ck_batch_norm_forward(
        x.floats, mean.floats, rstd.floats, gamma.floats, beta.floats, y.floats, n, c, hw, slope)
    }
  }

  func batchNormBackward(
    _ x: Tensor, _ dy: Tensor, mean: Tensor, rstd: Tensor, gamma: Tensor, beta: Tensor,
    slope: Float, into dx: Tensor, _ dgamma: Tensor?, _ dbeta: Tensor?
  ) {
    let (n, c, hw) = extents(x)
    timed("batch norm backward", floats: 5 * x.count) {
      ck_batch_norm_backward(
        x.floats, dy.floats, mean.floats, rstd.floats, gamma.floats, beta.floats, dx.floats,
        dgamma?.floats, dbeta?.floats, n, c, hw, slope)
    }
  }

  func channelAffine(_ x: Tensor, loc: Tensor, scale: Tensor, slope: Float, into y: Tensor) {
    let (n, c, hw) = extents(x)
    timed("channel affine", floats: 2 * x.count) {
      ck_channel_affine_forward(x.floats, loc.floats, scale.floats, y.floats, n, c, hw, slope)
    }
  }

  func channelAffineBackward(
    _ x: Tensor, _ dy: Tensor, loc: Tensor, scale: Tensor, slope: Float, into dx: Tensor,
    _ dloc: Tensor?, _ dscale: Tensor?
  ) {
    let (n, c, hw) = extents(x)
    timed("channel affine backward", floats: 3 * x.count) {
      ck_channel_affine_backward(
        x.floats, dy.floats, loc.floats, scale.floats, dx.floats, dloc?.floats, dscale?.floats, n,
        c, hw, slope)
    }
  }

  func layerNorm(
    _ x: Tensor, gamma: Tensor, beta: Tensor, eps: Float, into y: Tensor, mean: Tensor, rstd: Tensor
  ) {
    timed("layer norm", floats: 2 * x.count) {
      ck_layer_norm_forward(
        x.floats, gamma.floats, beta.floats, y.floats, mean.floats, rstd.floats, mean.count,
        x.shape[-1], eps)
    }
  }

  func layerNormBackward(
    _ x: Tensor, _ dy: Tensor, gamma: Tensor, mean: Tensor, rstd: Tensor, into dx: Tensor,
    _ dgamma: Tensor, _ dbeta: Tensor
  ) {
    timed("layer norm backward", floats: 3 * x.count) {
      ck_layer_norm_backward(
        x.floats, dy.floats, gamma.floats, mean.floats, rstd.floats, dx.floats, dgamma.floats,
        dbeta.floats, mean.count, x.shape[-1])
    }
  }

  // MARK: Resampling

  func maxPool(_ x: Tensor, into y: Tensor) {
    timed("max pool", floats: 5 * x.count / 4) {
      ck_max_pool_forward(x.floats, y.floats, planes(x), x.shape[2], x.shape[3])
    }
  }

  func maxPoolBackward(_ x: Tensor, _ dy: Tensor, into dx: Tensor) {
    timed("max pool backward", floats: 9 * x.count / 4) {
      ck_max_pool_backward(x.floats, dy.floats, dx.floats, planes(x), x.shape[2], x.shape[3])
    }
  }

  func upsample(_ x: Tensor, into y: Tensor) {
    timed("upsample", floats: 5 * x.count) {
      ck_upsample_forward(x.floats, y.floats, planes(x), x.shape[2], x.shape[3])
    }
  }

  func upsampleBackward(_ dy: Tensor, into dx: Tensor) {
    timed("upsample backward", floats: 5 * dx.count) {
      ck_upsample_backward(dy.floats, dx.floats, planes(dx), dx.shape[2], dx.shape[3])
    }
  }

  private func extents(_ x: Tensor) -> (n: Int, c: Int, hw: Int) {
    (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
  }

  private func planes(_ x: Tensor) -> Int { x.shape[0] * ((x.shape[1] + 15) / 16) }
}
