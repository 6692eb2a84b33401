// The first-stage model: encoder, codebook, decoder.
import NN
import TensorCore

/// A VQGAN: images to grids of codebook indices and back.
///
/// With a codebook of depth d a grid `[N, h, w]` has d codes for each position, one after the
/// other: w is then d times the latents' width.
/// - Source: Esser et al. 2021, §3.1.
package struct VQGAN: Layer {
  package let config: VQGANConfig
  package var encoder: any ImageEncoder
  package var decoder: Decoder
  package var quantizer: any Quantizer
  /// Codes other than the entries; nil where every entry is a code.
  private var remap: CodeRemap?
  /// The 1×1 convolutions around the quantizer, of architectures that have them.
  package var quantConv: Conv2d?
  package var postQuantConv: Conv2d?

  package init(
    _ config: VQGANConfig, using random: inout RandomSource, on device: Device = .default
  ) {
    self.config = config
    encoder =
      config.encodesTiles
      ? TileEncoder(config, on: device)
      : Encoder(config, using: &random, on: device)
    decoder = Decoder(config, using: &random, on: device)
    quantizer = config.quantizer.quantizer.init(config, using: &random, on: device)
    remap = config.quantizer.remap.map { CodeRemap($0, on: device) }
    guard config.hasQuantConv else { return }
    quantConv = Conv2d(config.zChannels, config.embedDim, kernel: 1, using: &random, on: device)
    postQuantConv = Conv2d(config.embedDim, config.zChannels, kernel: 1, using: &random, on: device)
  }

  /// A model to be filled from a file; its first weights, which then are never used, take no
  /// memory.
  package init(_ config: VQGANConfig, on device: Device = .default) {
    var random = RandomSource(seed: 0)
    self.init(config, using: &random, on: device)
  }

  /// Latents before quantization, `[N, D, H/f, W/f]`; f divides H and W.
  package func latents(of input: VQGANInput, dropout random: inout RandomSource?) -> Tensor {
    let (height, width) = input.size
    precondition(
      height % config.downsampling == 0 && width % config.downsampling == 0,
      "\(height)×\(width) is not a multiple of \(config.downsampling) pixels")
    let h = encoder(input.inRange(of: config), dropout: &random)
    return quantConv?(h) ?? h
  }

  /// Entries in place of latents `[N, D, h, w]`.
  ///
  /// - Parameter random: noise for kinds that sample in training; `nil` in evaluation.
  package func quantize(_ z: Tensor, sampling random: inout RandomSource?) -> Quantized {
    quantizer(z, among: remap?.used, sampling: &random)
  }

  /// Images `[N, C, H, W]` of quantized latents `[N, D, h, w]`; unbounded.
  package func decode(_ latents: Tensor, dropout random: inout RandomSource?) -> Tensor {
    let images = decoder(postQuantConv?(latents) ?? latents, dropout: &random)
    return config.pixels == .signed ? images : images.plain().scaled(by: 2, plus: -1)
  }

  // MARK: Evaluation

  /// Latents before quantization, as in evaluation.
  package func latents(of input: VQGANInput) -> Tensor {
    var none: RandomSource?
    return latents(of: input, dropout: &none)
  }

  /// Entries in place of latents, as in evaluation.
  package func quantize(_ z: Tensor) -> Quantized {
    var none: RandomSource?
    return quantize(z, sampling: &none)
  }

  /// Images of quantized latents, as in evaluation.
  package func decode(_ latents: Tensor) -> Tensor {
    var none: RandomSource?
    return decode(latents, dropout: &none)
  }

  // MARK: Without gradients

  /// Codes `[N, h, w]`.
  package func encode(_ input: VQGANInput) -> IndexTensor { codes(of: entries(of: input)) }

  /// Images `[N, C, h·f, w·f]`, plain, of codes `[N, h, w]`; unbounded, clamp to [-1, 1] when
  /// saving.
  package func decode(indices: IndexTensor) -> Tensor {
    images(of: entries(of: indices))
  }

  /// The images after encoding and decoding.
  package func reconstruct(_ images: Tensor) -> Tensor { reconstructWithCodes(images).images }

  /// The images after encoding and decoding, and their codes `[N, h, w]`.
  ///
  /// Entries without a code of their own are decoded as what they are.
  package func reconstructWithCodes(_ images: Tensor) -> (images: Tensor, codes: IndexTensor) {
    reconstructWithCodes(.values(images))
  }

  /// The same of any input; of label maps the logits of every label.
  package func reconstructWithCodes(
    _ input: VQGANInput
  ) -> (images: Tensor, codes: IndexTensor) {
    let entries = entries(of: input)
    return (images(of: entries), codes(of: entries))
  }

  /// The codes of entries, both `[N, h, w]`.
  package func codes(of entries: IndexTensor) -> IndexTensor {
    remap?.codes(of: entries) ?? entries
  }

  /// The entries of codes, both `[N, h, w]`.
  package func entries(of codes: IndexTensor) -> IndexTensor {
    remap?.entries(of: codes) ?? codes
  }

  private func entries(of input: VQGANInput) -> IndexTensor {
    withoutGradients { quantize(latents(of: input)).indices }
  }

  private func images(of entries: IndexTensor) -> Tensor {
    withoutGradients { decode(quantizer.vectors(of: entries)).plain() }
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try encoder.visitParameters { try visit("encoder." + $0, &$1) }
    try decoder.visitParameters { try visit("decoder." + $0, &$1) }
    try quantizer.visitParameters { try visit("quantize." + $0, &$1) }
    try remap?.visitParameters { try visit("quantize." + $0, &$1) }
    try quantConv?.visitParameters { try visit("quant_conv." + $0, &$1) }
    try postQuantConv?.visitParameters { try visit("post_quant_conv." + $0, &$1) }
  }
}
