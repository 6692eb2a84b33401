// Activation normalisation, initialised by the first batch.
import TensorCore

/// `scale · (x + loc)` per channel, set by the first training batch so that its output has mean 0
/// and deviation 1, then leaky ReLU of the given slope.
///
/// - Source: Kingma & Dhariwal 2018, §3.1; the reference's 1e-6 beside the deviation.
package struct ActNorm: Layer {
  package var loc: Tensor  // [1, C, 1, 1]
  package var scale: Tensor  // [1, C, 1, 1]
  /// 1 after the first batch; a tensor because the reference stores it so.
  package var initialized: Tensor  // []
  /// Whether `initialized` is known to be 1, so that it is read once and not in every pass.
  private var isStarted = false

  package init(channels: Int, on device: Device) {
    loc = Tensor(repeating: 0, shape: [1, channels, 1, 1], on: device).trainable()
    scale = Tensor(repeating: 1, shape: [1, channels, 1, 1], on: device).trainable()
    initialized = Tensor(0, on: device)
  }

  /// `[N, C, H, W]` to the same.
  package mutating func callAsFunction(_ x: Tensor, slope: Float, training: Bool) -> Tensor {
    if training && !isStarted && initialized.item() == 0 {
      let (mean, variance) = x.channelMoments()
      // PyTorch's std is the unbiased one.
      let samples = Float(x.shape[0] * x.shape[2] * x.shape[3])
      let correction = samples / max(samples - 1, 1)
      loc.assign(mean.scaled(by: -1).reshaped(loc.shape))
      let deviation = variance.scaled(by: correction).squareRoot()
      scale.assign(deviation.scaled(by: 1, plus: 1e-6).reciprocal().reshaped(scale.shape))
      initialized = Tensor(1, on: x.device)
    }
    isStarted = isStarted || training
    return x.channelAffine(loc: loc, scale: scale, slope: slope)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("loc", &loc)
    try visit("scale", &scale)
    try visit("initialized", &initialized)
  }
}
