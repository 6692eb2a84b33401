// What published families of VQGANs have in other ways than taming-transformers.
import TensorCore

extension VQGANConfig {
  /// The layers of encoder and decoder.
  package enum Architecture: String, Codable, CaseIterable, Sendable {
    /// Those of taming-transformers, which LlamaGen, IBQ and diffusers have too.
    case taming
    /// Those of Open-MAGVIT2: residual blocks without biases, no attention, a middle as long as a
    /// level, a decoder that is normalised by the codes and whose upsampling turns channels into
    /// positions, and no 1×1 convolutions around the quantizer.
    case openMAGVIT2 = "open_magvit2"
  }

  /// What black and white are to the model.
  package enum PixelRange: String, Codable, CaseIterable, Sendable {
    /// -1 and 1.
    case signed
    /// 0 and 1.
    case unit
  }

  /// Whether the convolutions of residual blocks, and the first one, have biases.
  var blocksHaveBiases: Bool { architecture == .taming }

  /// Residual blocks between the levels and the ends.
  var middleBlocks: Int { architecture == .taming ? 2 : numResBlocks }

  /// Of the convolution with stride 2.
  var downsamplingOptions: ConvolutionOptions {
    architecture == .taming ? .downsampling : .init(stride: 2, padding: 1)
  }

  /// Whether 1×1 convolutions stand around the quantizer.
  var hasQuantConv: Bool { architecture == .taming && !encodesTiles }

  /// What is wrong about them, in a sentence.
  var problemOfArchitecture: String? {
    guard architecture == .openMAGVIT2 else { return nil }
    if attendsInMiddle || !attnResolutions.isEmpty {
      return "attn_resolutions is \(attnResolutions); open_magvit2 has no attention"
    }
    if zChannels != embedDim {
      return "z_channels is \(zChannels) and embed_dim \(embedDim); open_magvit2 has nothing "
        + "between encoder and quantizer"
    }
    return input.isLabels ? "open_magvit2 has no bias in conv_in, which label maps need" : nil
  }

  /// What does not go with a codebook of tiles, in a sentence.
  var problemOfTiles: String? {
    guard encodesTiles else { return nil }
    if architecture != .taming { return "tiles do not go with \(architecture.rawValue)" }
    if input != .palette { return "tiles are of palettes; input is \(input.rawValue)" }
    if !quantizer.kind.hasOwnEntries || quantizer.depth > 1 || quantizer.cosine {
      return "tiles need a codebook whose entries are latents: gradient or moving_average, of "
        + "depth 1 and without cosine"
    }
    let colors = 3 * downsampling * downsampling
    return zChannels == colors && embedDim == colors
      ? nil
      : "z_channels is \(zChannels) and embed_dim \(embedDim); tiles of \(downsampling)×"
        + "\(downsampling) pixels have \(colors) channels"
  }
}
