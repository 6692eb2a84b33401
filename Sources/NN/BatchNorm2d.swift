// Batch normalisation with running statistics and the activation that follows it.
import TensorCore

/// Batch normalisation, eps 1e-5, momentum 0.1, then leaky ReLU of the given slope.
package struct BatchNorm2d: Layer {
  package var weight: Tensor  // [C]
  package var bias: Tensor  // [C]
  package var runningMean: Tensor  // [C]
  package var runningVariance: Tensor  // [C], unbiased
  package let momentum: Float = 0.1
  package let eps: Float = 1e-5

  /// Weights N(1, 0.02) and biases 0, as the reference initialises its discriminator.
  package init(channels: Int, using random: inout RandomSource, on device: Device) {
    weight = random.normal([channels], deviation: 0.02, mean: 1, on: device).trainable()
    bias = Tensor(repeating: 0, shape: [channels], on: device).trainable()
    runningMean = Tensor(repeating: 0, shape: [channels], on: device)
    runningVariance = Tensor(repeating: 1, shape: [channels], on: device)
  }

  /// - Parameters:
  ///   - x: `[N, C, H, W]`.
  ///   - slope: of the leaky ReLU that follows; 1 for none.
  ///   - training: normalises by the batch's own moments and moves the running ones; else uses the
  ///     running ones.
  package mutating func callAsFunction(_ x: Tensor, slope: Float, training: Bool) -> Tensor {
    guard training else {
      // (x - mean)/√(v + eps)·w + b as scale·x + shift
      let scale = weight * runningVariance.inverseDeviation(eps: eps)
      let y = x.channelsScaled(by: scale, plus: bias - scale * runningMean)
      return slope == 1 ? y : y.activated(.leakyReLU(slope: slope))
    }
    let (output, mean, variance) = x.batchNormalized(
      gamma: weight, beta: bias, eps: eps, slope: slope)
    let samples = Float(x.shape[0] * x.shape[2] * x.shape[3])
    runningMean.moveAverage(towards: mean, decay: 1 - momentum)
    runningVariance.moveAverage(
      towards: variance.scaled(by: samples / max(samples - 1, 1)), decay: 1 - momentum)
    return output
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("weight", &weight)
    try visit("bias", &bias)
    try visit("running_mean", &runningMean)
    try visit("running_var", &runningVariance)
  }
}
