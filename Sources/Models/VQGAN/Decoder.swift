// The decoder G: latent grid to image.
import NN
import TensorCore

/// Latents `[N, z_channels, h, w]` to images `[N, out_ch, h·f, w·f]`, unbounded.
///
/// - Source: Esser et al. 2021, §3.1 and table 7; names and order of the reference code: `up.0` is the full resolution.
package struct Decoder: Layer {
  var convIn: Conv2d
  var mid: Middle
  var up: [Level] = []
  var normOut: GroupNorm
  package var convOut: Conv2d
  /// Whether channels become positions after a level's convolution, instead of positions being
  /// repeated before it.
  private let shufflesChannels: Bool
  private let patch: Int
  /// What the output is added to, of a codebook of tiles.
  private let tiles: Tiles?

  package init(_ config: VQGANConfig, using random: inout RandomSource, on device: Device) {
    patch = config.patch
    tiles = config.encodesTiles ? Tiles(config, on: device) : nil
    let last = config.chMult.count - 1
    var channels = config.ch * config.chMult[last]
    convIn = Conv2d(
      config.zChannels, channels, kernel: 3, .init(padding: 1), using: &random, on: device)
    mid = Middle(channels, config, using: &random, on: device)
    shufflesChannels = config.architecture == .openMAGVIT2
    for level in (0...last).reversed() {
      let outputs = config.ch * config.chMult[level]
      var next = Level(
        channels, outputs, blocks: config.numResBlocks + (shufflesChannels ? 0 : 1),
        attends: config.attnResolutions.contains(config.side(ofLevel: level)), config,
        resampleName: "upsample",
        resample: level == 0 ? nil : (.init(padding: 1), shufflesChannels ? 4 : 1),
        using: &random, on: device)
      if shufflesChannels {
        next.adaptive = AdaptiveGroupNorm(
          channels, by: config.zChannels, using: &random, on: device)
      }
      up.insert(next, at: 0)
      channels = outputs
    }
    normOut = GroupNorm(channels: channels, on: device)
    convOut = Conv2d(
      channels, config.outChannels * patch * patch, kernel: 3, .init(padding: 1), using: &random,
      on: device)
  }

  package func callAsFunction(_ z: Tensor, dropout random: inout RandomSource?) -> Tensor {
    var h = mid(convIn(z), dropout: &random)
    for level in up.reversed() {
      if let norm = level.adaptive { h = norm(h, like: z) }
      h = level(h, dropout: &random)
      if let convolution = level.resample {
        h = shufflesChannels ? convolution(h).channelsToPositions(2) : convolution(h.upsampled())
      }
    }
    let output = convOut(normOut(h, swish: true)).channelsToPositions(patch)
    return tiles.map { output + $0.logits(of: z) } ?? output
  }

  /// Lets the output start at that of the tiles: the last convolution gives 0.
  package mutating func startTiles() {
    convOut.visitParameters { $1.assign(Tensor(zerosLike: $1)) }
  }

  /// Lets the output start at one colour `[out_ch]`: the bias of the last convolution.
  package mutating func startOutput(at color: [Float]) {
    guard var bias = convOut.bias, bias.count == color.count * patch * patch else { return }
    let color = Array(repeatElement(color, count: patch * patch).joined())
    bias.assign(Tensor(color, shape: bias.shape, on: bias.device))
    convOut.bias = bias
  }

  package mutating func visitParameters(_ visitor: (String, inout Tensor) throws -> Void) rethrows {
    try convIn.visitParameters { try visitor("conv_in." + $0, &$1) }
    try mid.visitParameters { try visitor("mid." + $0, &$1) }
    try visit("up", &up, visitor)
    try normOut.visitParameters { try visitor("norm_out." + $0, &$1) }
    try convOut.visitParameters { try visitor("conv_out." + $0, &$1) }
  }
}
