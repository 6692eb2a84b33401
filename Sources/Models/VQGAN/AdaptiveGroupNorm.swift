// A normalisation whose scale and shift come from the codes.
import NN
import TensorCore

/// Group normalisation in 32 groups; what follows in place of a weight and a bias of its own is
/// linear in the deviations and means that the channels of the quantized latents have over the
/// image.
///
/// - Source: Luo et al. 2024, *Open-MAGVIT2*, §3.1; the deviation is the unbiased one.
struct AdaptiveGroupNorm: Layer {
  var gamma, beta: Linear

  init(
    _ channels: Int, by latents: Int, using random: inout RandomSource, on device: Device
  ) {
    gamma = Linear(latents, channels, using: &random, on: device)
    beta = Linear(latents, channels, using: &random, on: device)
  }

  /// - Parameters: x: `[N, C, H, W]`; z: quantized latents `[N, D, h, w]` of at least two positions.
  /// - Returns: `[N, C, H, W]`.
  func callAsFunction(_ x: Tensor, like z: Tensor) -> Tensor {
    let (n, c, height, width) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let (means, deviations) = z.channelStatistics()
    let one = Tensor(repeating: 1, shape: [c], on: x.device)
    let zero = Tensor(repeating: 0, shape: [c], on: x.device)
    let normalized = x.groupNormalized(gamma: one, beta: zero, silu: false)
    // Each channel of each image has a scale and a shift: as if they were one image's.
    return normalized.reshaped([1, n * c, height, width])
      .channelsScaled(
        by: gamma(deviations).reshaped([n * c]), plus: beta(means).reshaped([n * c])
      ).reshaped([n, c, height, width])
  }

  mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try gamma.visitParameters { try visit("gamma." + $0, &$1) }
    try beta.visitParameters { try visit("beta." + $0, &$1) }
  }
}

extension Tensor {
  /// Means and deviations over the positions of each channel of `[N, D, h, w]`, both `[N, D]`: the
  /// root of the unbiased variance plus 1e-6.
  fileprivate func channelStatistics() -> (means: Tensor, deviations: Tensor) {
    let (n, d, positions) = (shape[0], shape[1], shape[2] * shape[3])
    let x = plain().reshaped([n * d, positions])
    let row = Tensor(repeating: 1, shape: [1, positions], on: device)
    /// The sum of each row, `[N·D, 1]`.
    func sums(_ x: Tensor) -> Tensor { x.linear(row, bias: nil) }
    let means = sums(x).scaled(by: 1 / Float(positions))
    let (deviations, slopes) = withoutGradients {
      let centred = x.detached() - means.detached().matmul(row)
      let root = sums(centred * centred).scaled(by: 1 / Float(positions - 1), plus: 1e-6)
        .squareRoot()
      let slopes = centred * root.reciprocal().scaled(by: 1 / Float(positions - 1)).matmul(row)
      return (root, slopes)
    }
    // The derivative of the deviation is a linear map with constants.
    let tangent = sums(x * slopes)
    let tracked = x.isTracked ? deviations + (tangent - tangent.detached()) : deviations
    return (means.reshaped([n, d]), tracked.reshaped([n, d]))
  }
}
