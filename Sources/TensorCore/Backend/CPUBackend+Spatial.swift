// Normalisation, resampling and perceptual distance on the processor.
import CKernels

extension CPUBackend {
  func groupNorm(
    _ x: Input, _ gamma: Input, _ beta: Input, _ y: Output, _ mean: Output, _ rstd: Output,
    _ shape: Shape, groups: Int, eps: Float, silu: Bool
  ) {
    ck_group_norm_forward(
      x, gamma, beta, y, mean, rstd, shape[0], shape[1], shape[2] * shape[3], groups, eps,
      silu ? 1 : 0)
  }

  func groupNormBackward(
    _ x: Input, _ dy: Input, _ gamma: Input, _ beta: Input, _ mean: Input, _ rstd: Input,
    _ dx: Output,
    _ dgamma: Output?, _ dbeta: Output?, _ shape: Shape, groups: Int, silu: Bool
  ) {
    ck_group_norm_backward(
      x, dy, gamma, beta, mean, rstd, dx, dgamma, dbeta, shape[0], shape[1], shape[2] * shape[3],
      groups, silu ? 1 : 0)
  }

  func channelMoments(_ x: Input, _ mean: Output, _ variance: Output, _ shape: Shape) {
    ck_channel_moments(x, mean, variance, shape[0], shape[1], shape[2] * shape[3])
  }

  func batchNorm(
    _ x: Input, _ mean: Input, _ rstd: Input, _ gamma: Input, _ beta: Input, _ y: Output,
    _ shape: Shape, slope: Float
  ) {
    ck_batch_norm_forward(
      x, mean, rstd, gamma, beta, y, shape[0], shape[1], shape[2] * shape[3], slope)
  }

  func batchNormBackward(
    _ x: Input, _ dy: Input, _ mean: Input, _ rstd: Input, _ gamma: Input, _ beta: Input,
    _ dx: Output,
    _ dgamma: Output?, _ dbeta: Output?, _ shape: Shape, slope: Float
  ) {
    ck_batch_norm_backward(
      x, dy, mean, rstd, gamma, beta, dx, dgamma, dbeta, shape[0], shape[1], shape[2] * shape[3],
      slope)
  }

  func channelAffine(
    _ x: Input, _ loc: Input, _ scale: Input, _ y: Output, _ shape: Shape, slope: Float
  ) {
    ck_channel_affine_forward(x, loc, scale, y, shape[0], shape[1], shape[2] * shape[3], slope)
  }

  func channelAffineBackward(
    _ x: Input, _ dy: Input, _ loc: Input, _ scale: Input, _ dx: Output, _ dloc: Output?,
    _ dscale: Output?, _ shape: Shape, slope: Float
  ) {
    ck_channel_affine_backward(
      x, dy, loc, scale, dx, dloc, dscale, shape[0], shape[1], shape[2] * shape[3], slope)
  }

  func layerNorm(
    _ x: Input, _ gamma: Input, _ beta: Input, _ y: Output, _ mean: Output, _ rstd: Output,
    _ m: Int,
    _ c: Int, eps: Float
  ) {
    ck_layer_norm_forward(x, gamma, beta, y, mean, rstd, m, c, eps)
  }

  func layerNormBackward(
    _ x: Input, _ dy: Input, _ gamma: Input, _ mean: Input, _ rstd: Input, _ dx: Output,
    _ dgamma: Output, _ dbeta: Output, _ m: Int, _ c: Int
  ) {
    ck_layer_norm_backward(x, dy, gamma, mean, rstd, dx, dgamma, dbeta, m, c)
  }

  private func planes(_ shape: Shape) -> Int { shape[0] * ((shape[1] + 15) / 16) }

  func maxPool(_ x: Input, _ y: Output, _ shape: Shape) {
    ck_max_pool_forward(x, y, planes(shape), shape[2], shape[3])
  }

  func maxPoolBackward(_ x: Input, _ dy: Input, _ dx: Output, _ shape: Shape) {
    ck_max_pool_backward(x, dy, dx, planes(shape), shape[2], shape[3])
  }

  func upsample(_ x: Input, _ y: Output, _ shape: Shape) {
    ck_upsample_forward(x, y, planes(shape), shape[2], shape[3])
  }

  func upsampleBackward(_ dy: Input, _ dx: Output, _ shape: Shape) {
    ck_upsample_backward(dy, dx, planes(shape), shape[2], shape[3])
  }

  func perceptualDistance(
    _ a: Input, _ b: Input, _ weights: Input, _ distance: Output, _ shape: Shape
  ) {
    ck_lpips_forward(a, b, weights, distance, shape[0], shape[1], shape[2] * shape[3])
  }

  func perceptualDistanceBackward(
    _ a: Input, _ b: Input, _ weights: Input, _ ddistance: Input, _ db: Output, _ shape: Shape
  ) {
    ck_lpips_backward(a, b, weights, ddistance, db, shape[0], shape[1], shape[2] * shape[3])
  }
}
