// Timed normalisation, resampling and perceptual distance.
import CKernels

extension ProfilingBackend {
  func groupNorm(
    _ x: Input, _ gamma: Input, _ beta: Input, _ y: Output, _ mean: Output, _ rstd: Output,
    _ shape: Shape, groups: Int, eps: Float, silu: Bool
  ) {
    profile.time("group norm", floats: 3 * shape.count) {
      base.groupNorm(x, gamma, beta, y, mean, rstd, shape, groups: groups, eps: eps, silu: silu)
    }
  }

  func groupNormBackward(
    _ x: Input, _ dy: Input, _ gamma: Input, _ beta: Input, _ mean: Input, _ rstd: Input,
    _ dx: Output, _ dgamma: Output?, _ dbeta: Output?, _ shape: Shape, groups: Int, silu: Bool
  ) {
    profile.time("group norm backward", floats: 5 * shape.count) {
      base.groupNormBackward(
        x, dy, gamma, beta, mean, rstd, dx, dgamma, dbeta, shape, groups: groups, silu: silu)
    }
  }

  func channelMoments(_ x: Input, _ mean: Output, _ variance: Output, _ shape: Shape) {
    profile.time("channel moments", floats: shape.count) {
      base.channelMoments(x, mean, variance, shape)
    }
  }

  func batchNorm(
    _ x: Input, _ mean: Input, _ rstd: Input, _ gamma: Input, _ beta: Input, _ y: Output,
    _ shape: Shape, slope: Float
  ) {
    profile.time("batch norm", floats: 2 * shape.count) {
      base.batchNorm(x, mean, rstd, gamma, beta, y, shape, slope: slope)
    }
  }

  func batchNormBackward(
    _ x: Input, _ dy: Input, _ mean: Input, _ rstd: Input, _ gamma: Input, _ beta: Input,
    _ dx: Output, _ dgamma: Output?, _ dbeta: Output?, _ shape: Shape, slope: Float
  ) {
    profile.time("batch norm backward", floats: 5 * shape.count) {
      base.batchNormBackward(x, dy, mean, rstd, gamma, beta, dx, dgamma, dbeta, shape, slope: slope)
    }
  }

  func channelAffine(
    _ x: Input, _ loc: Input, _ scale: Input, _ y: Output, _ shape: Shape, slope: Float
  ) {
    profile.time("channel affine", floats: 2 * shape.count) {
      base.channelAffine(x, loc, scale, y, shape, slope: slope)
    }
  }

  func channelAffineBackward(
    _ x: Input, _ dy: Input, _ loc: Input, _ scale: Input, _ dx: Output, _ dloc: Output?,
    _ dscale: Output?, _ shape: Shape, slope: Float
  ) {
    profile.time("channel affine backward", floats: 3 * shape.count) {
      base.channelAffineBackward(x, dy, loc, scale, dx, dloc, dscale, shape, slope: slope)
    }
  }

  func layerNorm(
    _ x: Input, _ gamma: Input, _ beta: Input, _ y: Output, _ mean: Output, _ rstd: Output,
    _ m: Int, _ c: Int, eps: Float
  ) {
    profile.time("layer norm", floats: 2 * m * c) {
      base.layerNorm(x, gamma, beta, y, mean, rstd, m, c, eps: eps)
    }
  }

  func layerNormBackward(
    _ x: Input, _ dy: Input, _ gamma: Input, _ mean: Input, _ rstd: Input, _ dx: Output,
    _ dgamma: Output, _ dbeta: Output, _ m: Int, _ c: Int
  ) {
    profile.time("layer norm backward", floats: 3 * m * c) {
      base.layerNormBackward(x, dy, gamma, mean, rstd, dx, dgamma, dbeta, m, c)
    }
  }

  func maxPool(_ x: Input, _ y: Output, _ shape: Shape) {
    profile.time("max pool", floats: 5 * shape.count / 4) { base.maxPool(x, y, shape) }
  }

  func maxPoolBackward(_ x: Input, _ dy: Input, _ dx: Output, _ shape: Shape) {
    profile.time("max pool backward", floats: 9 * shape.count / 4) {
      base.maxPoolBackward(x, dy, dx, shape)
    }
  }

  func upsample(_ x: Input, _ y: Output, _ shape: Shape) {
    profile.time("upsample", floats: 5 * shape.count) { base.upsample(x, y, shape) }
  }

  func upsampleBackward(_ dy: Input, _ dx: Output, _ shape: Shape) {
    profile.time("upsample backward", floats: 5 * shape.count) {
      base.upsampleBackward(dy, dx, shape)
    }
  }

  func perceptualDistance(
    _ a: Input, _ b: Input, _ weights: Input, _ distance: Output, _ shape: Shape
  ) {
    profile.time("perceptual distance", floats: 2 * shape.count) {
      base.perceptualDistance(a, b, weights, distance, shape)
    }
  }

  func perceptualDistanceBackward(
    _ a: Input, _ b: Input, _ weights: Input, _ ddistance: Input, _ db: Output, _ shape: Shape
  ) {
    profile.time("perceptual distance backward", floats: 3 * shape.count) {
      base.perceptualDistanceBackward(a, b, weights, ddistance, db, shape)
    }
  }
}
