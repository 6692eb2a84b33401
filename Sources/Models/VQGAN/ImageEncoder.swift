// What encoders of a VQGAN have in common.
import NN
import TensorCore

/// Images to latents.
package protocol ImageEncoder: Layer {
  /// Images `[N, in_channels, H, W]`, or their labels, to latents `[N, z_channels, H/f, W/f]`.
  func callAsFunction(_ input: VQGANInput, dropout random: inout RandomSource?) -> Tensor

  /// Makes the first weights of a model of labels large enough for them.
  mutating func startLabels()
}
