// The first-stage model: encoder, codebook, decoder.
import NN
import TensorCore

/// A VQGAN: images to grids of codebook indices and back.
///
/// - Source: Esser et al. 2021, §3.1.
package struct VQGAN: Layer {
  package let config: VQGANConfig
  package var encoder: Encoder
  package var decoder: Decoder
  package var quantize: VectorQuantizer
  package var quantConv: Conv2d
  package var postQuantConv: Conv2d

  package init(
    _ config: VQGANConfig, using random: inout RandomSource, on device: Device = .default
  ) {
    self.config = config
    encoder = Encoder(config, using: &random, on: device)
    decoder = Decoder(config, using: &random, on: device)
    quantize = VectorQuantizer(
      entries: config.nEmbed, dimension: config.embedDim, config.quantizer, using: &random,
      on: device)
    quantConv = Conv2d(config.zChannels, config.embedDim, kernel: 1, using: &random, on: device)
    postQuantConv = Conv2d(config.embedDim, config.zChannels, kernel: 1, using: &random, on: device)
  }

  /// Latents before quantization, `[N, D, H/f, W/f]`; f divides H and W.
  package func latents(of input: VQGANInput, dropout random: inout RandomSource?) -> Tensor {
    let (height, width) = input.size
    precondition(
      height % config.downsampling == 0 && width % config.downsampling == 0,
      "\(height)×\(width) is not a multiple of \(config.downsampling) pixels")
    return quantConv(encoder(input, dropout: &random))
  }

  /// Images `[N, C, H, W]` of quantized latents `[N, D, h, w]`; unbounded.
  package func decode(_ latents: Tensor, dropout random: inout RandomSource?) -> Tensor {
    decoder(postQuantConv(latents), dropout: &random)
  }

  // MARK: Evaluation, without gradients

  /// Codes `[N, h, w]`.
  package func encode(_ input: VQGANInput) -> IndexTensor {
    quantize.codes(of: entries(of: input))
  }

  /// Images `[N, C, h·f, w·f]`, plain, of codes `[N, h, w]`; unbounded, clamp to [-1, 1] when saving.
  package func decode(indices: IndexTensor) -> Tensor {
    pictures(of: quantize.entries(of: indices))
  }

  /// The images after encoding and decoding.
  package func reconstruct(_ images: Tensor) -> Tensor { reconstructWithCodes(images).images }

  /// The images after encoding and decoding, and their codes `[N, h, w]`.
  ///
  /// Entries without a code of their own are decoded as what they are.
  package func reconstructWithCodes(_ images: Tensor) -> (images: Tensor, codes: IndexTensor) {
    let entries = entries(of: .values(images))
    return (pictures(of: entries), quantize.codes(of: entries))
  }

  private func entries(of input: VQGANInput) -> IndexTensor {
    withoutGradients {
      var none: RandomSource?
      let z = latents(of: input, dropout: &none)
      return quantize.nearest(z.vectors()).reshaped([z.shape[0], z.shape[2], z.shape[3]])
    }
  }

  private func pictures(of entries: IndexTensor) -> Tensor {
    withoutGradients {
      var none: RandomSource?
      return decode(quantize.vectors(of: entries), dropout: &none).plain()
    }
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try encoder.visitParameters { try visit("encoder." + $0, &$1) }
    try decoder.visitParameters { try visit("decoder." + $0, &$1) }
    try quantize.visitParameters { try visit("quantize." + $0, &$1) }
    try quantConv.visitParameters { try visit("quant_conv." + $0, &$1) }
    try postQuantConv.visitParameters { try visit("post_quant_conv." + $0, &$1) }
  }
}
