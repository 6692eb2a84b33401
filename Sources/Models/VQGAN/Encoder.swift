// The encoder E: image to latent grid.
import NN
import TensorCore

/// Images `[N, in_channels, H, W]` to latents `[N, z_channels, H/f, W/f]`.
///
/// - Source: Esser et al. 2021, §3.1 and table 7; names and order of the reference code.
package struct Encoder: ImageEncoder {
  var convIn: Conv2d
  var down: [Level] = []
  var mid: Middle
  var normOut: GroupNorm
  var convOut: Conv2d
  private let patch: Int

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    patch = config.patch
    convIn = Conv2d(
      config.inChannels * patch * patch, config.ch, kernel: 3, .init(padding: 1),
      bias: config.blocksHaveBiases,
      using: &random, on: device)
    var channels = config.ch
    for (level, factor) in config.chMult.enumerated() {
      let isLast = level == config.chMult.count - 1
      down.append(
        Level(
          channels, config.ch * factor, blocks: config.numResBlocks,
          attends: config.attnResolutions.contains(config.side(ofLevel: level)), config,
          resampleName: "downsample", resample: isLast ? nil : (config.downsamplingOptions, 1),
          using: &random, on: device))
      channels = config.ch * factor
    }
    mid = Middle(channels, config, using: &random, on: device)
    normOut = GroupNorm(channels: channels, on: device)
    let kernel = config.architecture == .openMAGVIT2 ? 1 : 3
    convOut = Conv2d(
      channels, config.zChannels, kernel: kernel, .init(padding: kernel / 2), using: &random,
      on: device)
  }

  package func callAsFunction(_ input: VQGANInput, dropout random: inout RandomSource?) -> Tensor {
    var h: Tensor
    switch input {
    case .values(let x): h = convIn(x.positionsToChannels(patch))
    case .labels(let labels):  // as if they were one-hot channels
      guard let bias = convIn.bias else { preconditionFailure("conv_in has a bias") }
      let parts = labels.patches(patch, of: convIn.weight.shape[1] / (patch * patch))
      h = parts.convolved(with: convIn.weight, bias: bias)
    }
    for level in down {
      h = level(h, dropout: &random)
      if let downsample = level.resample { h = downsample(h) }
    }
    return convOut(normOut(mid(h, dropout: &random), swish: true))
  }

  /// Scales the first weights of a model of labels from those for `in_channels` busy channels, of
  /// which one is ever 1, to those for one: otherwise what a label says is so faint beside what the
  /// blocks add that they pass over it.
  package mutating func startLabels() {
    let channels = convIn.weight.shape[1] / (patch * patch)
    convIn.weight.assign(Float(channels).squareRoot() * convIn.weight)
  }

  package mutating func visitParameters(_ visitor: (String, inout Tensor) throws -> Void) rethrows {
    try convIn.visitParameters { try visitor("conv_in." + $0, &$1) }
    try visit("down", &down, visitor)
    try mid.visitParameters { try visitor("mid." + $0, &$1) }
    try normOut.visitParameters { try visitor("norm_out." + $0, &$1) }
    try convOut.visitParameters { try visitor("conv_out." + $0, &$1) }
  }
}
