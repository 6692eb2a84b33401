// A codebook of frozen vectors that one linear map moves together.
import NN
import TensorCore

/// Replaces every latent vector by the nearest `W c` of frozen vectors c; W alone is trained.
///
/// All entries move with every step, so none is left behind. The loss is that of
/// `NearestQuantizer`.
/// - Source: Zhu et al. 2024, *Addressing representation collapse in vector quantized models with
///   one linear layer*; without bias as in vector-quantize-pytorch.
package struct SimVQuantizer: Quantizer {
  /// c, `[K, D]`, N(0, 1/D).
  private var frozen: Tensor
  /// W, `[D, D]`.
  private var map: Tensor
  private let config: QuantizerConfig

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    let (entries, length) = (config.nEmbed, config.embedDim)
    let deviation = 1 / Float(length).squareRoot()
    frozen = random.normal([entries, length], deviation: deviation, on: device)
    // Uniform as PyTorch's linear layers start.
    map = random.uniform([length, length], in: -deviation..<deviation, on: device).trainable()
    self.config = config.quantizer
  }

  package var codebook: Tensor { frozen.linear(map, bias: nil) }

  package func callAsFunction(
    _ z: Tensor, among used: IndexTensor?, sampling random: inout RandomSource?
  ) -> Quantized {
    let table = withoutGradients { codebook }
    return Quantized(
      z, nearestIn: table, config, entries: { frozen.gathered(at: $0).linear(map, bias: nil) }
    ) { config.codebookLoss($0, $1) }
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("embedding.weight", &frozen)
    try visit("embedding_proj.weight", &map)
  }
}
