// The shape of the first-stage model.
import Foundation
import RowMaps

/// The shape of the first-stage model; file keys are those of the published configurations.
package struct VQGANConfig: Codable, Equatable, Sendable {
  package var resolution: Int  // side of the square training image, pixels; positions the attention
  package var inChannels: Int  // channels of the input
  package var outChannels: Int  // channels of the reconstruction
  package var ch: Int  // channels of the first convolution
  package var chMult: [Int]  // channels of level i are ch · chMult[i]
  package var numResBlocks: Int  // residual blocks of a level (the decoder has one more)
  package var attnResolutions: [Int]  // nominal sides at which attention follows each block
  package var zChannels: Int  // channels of the encoder's output
  package var dropout: Float  // inside the residual blocks
  package var embedDim: Int  // length of a codebook entry, D
  package var nEmbed: Int  // codebook entries, K
  package var quantizer: QuantizerConfig
  /// The colours that its labels stand for, of palette maps; nil, and not in the file, of others.
  ///
  /// A model with a palette reads images of these colours and makes such images.
  package private(set) var palette: Palette?
  /// What it reads, where the number of channels does not say it; nil, and not in the file, where
  /// it does.
  private var declaredInput: RowMap?
  // What published families have in other ways than taming-transformers; nil, and not in the file,
  // where it is as there.
  private var declaredArchitecture: Architecture?
  private var declaredMidAttention: Bool?
  private var declaredPixels: PixelRange?
  private var declaredPatch: Int?
  private var declaredTiles: Bool?

  /// What the channels mean: by default three are images, one is depth, others are labels.
  package var input: RowMap {
    get { declaredInput ?? .guessed(channels: inChannels) }
    set {
      declaredInput = newValue == .guessed(channels: inChannels) ? nil : newValue
      if newValue != .palette { palette = nil }
    }
  }

  /// The layers of encoder and decoder.
  package var architecture: Architecture {
    get { declaredArchitecture ?? .taming }
    set { declaredArchitecture = newValue == .taming ? nil : newValue }
  }

  /// Whether there is attention between the first two blocks in the middle.
  package var attendsInMiddle: Bool {
    get { declaredMidAttention ?? (architecture == .taming) }
    set { declaredMidAttention = newValue == (architecture == .taming) ? nil : newValue }
  }

  /// Side of the squares of pixels that the first level of the encoder takes as one position, and
  /// the last one of the decoder gives: 1, 2, 4 or 8.
  ///
  /// The levels of full size cost most of the time of a step and know least of an image.
  /// - Source: the decoder's side as Shi et al. 2016, *Real-time single image and video
  ///   super-resolution using an efficient sub-pixel convolutional neural network*; the encoder's
  ///   is its inverse.
  package var patch: Int {
    get { declaredPatch ?? 1 }
    set { declaredPatch = newValue == 1 ? nil : newValue }
  }

  /// Whether codes are tiles, see `TileEncoder`.
  package var encodesTiles: Bool {
    get { declaredTiles ?? false }
    set { declaredTiles = newValue ? true : nil }
  }

  /// What black and white are to the model.
  package var pixels: PixelRange {
    get { declaredPixels ?? .signed }
    set { declaredPixels = newValue == .signed ? nil : newValue }
  }

  package init(
    resolution: Int, inChannels: Int = 3, outChannels: Int = 3, ch: Int, chMult: [Int],
    numResBlocks: Int, attnResolutions: [Int], zChannels: Int, dropout: Float = 0, embedDim: Int,
    nEmbed: Int, quantizer: QuantizerConfig = .init()
  ) {
    self.resolution = resolution
    self.inChannels = inChannels
    self.outChannels = outChannels
    self.ch = ch
    self.chMult = chMult
    self.numResBlocks = numResBlocks
    self.attnResolutions = attnResolutions
    self.zChannels = zChannels
    self.dropout = dropout
    self.embedDim = embedDim
    self.nEmbed = nEmbed
    self.quantizer = quantizer
  }

  /// Makes it a model of palette maps, with a channel for each colour.
  package mutating func read(_ palette: Palette) {
    self.palette = palette
    (inChannels, outChannels) = (palette.count, palette.count)
    input = .palette
  }

  /// Pixels per code along one side, f = patch · 2^m.
  package var downsampling: Int { patch << (chMult.count - 1) }

  /// The nominal side of a level, which attn_resolutions name.
  func side(ofLevel level: Int) -> Int { (resolution / patch) >> level }

  /// Codes of one position.
  package var depth: Int { quantizer.depth }

  /// The number of codes that share their coarse part, where codes are made of parts and many: of
  /// fsq those of the first channels, of lfq of the last ones, about half of the bits of a code.
  package var subVocabulary: Int? {
    guard nEmbed > 16_384, quantizer.remap == nil else { return nil }
    switch quantizer.kind {
    case .lfq: return 1 << (embedDim / 2)
    case .fsq:
      let root = Double(nEmbed).squareRoot()
      let products = quantizer.levels.indices.map { quantizer.levels[0...$0].reduce(1, *) }
      return products.min { abs(log2(Double($0) / root)) < abs(log2(Double($1) / root)) }
    default: return nil
    }
  }

  /// Number of different codes: the entries, or those that `remap` numbers.
  package var codes: Int { quantizer.remap?.codes ?? nEmbed }

  /// The published f = 16 model with 1024 codes (COCO: 8192); 13×13 codes for 208×208 frames.
  package static let f16 = VQGANConfig(
    resolution: 256, ch: 128, chMult: [1, 1, 2, 2, 4], numResBlocks: 2, attnResolutions: [16],
    zChannels: 256, embedDim: 256, nEmbed: 1024)

  /// A model of f = 8 that two cores train in minutes.
  package static let small = VQGANConfig(
    resolution: 128, ch: 32, chMult: [1, 1, 2, 4], numResBlocks: 1, attnResolutions: [16],
    zChannels: 128, embedDim: 64, nEmbed: 1024,
    quantizer: QuantizerConfig(kind: .movingAverage, restartAfter: 50, initialization: .kMeans))

  /// A model of f = 8 of palette maps: squares of 8×8 pixels are the positions of its only level.
  ///
  /// What is repeated in the image, such as bricks, comes out of one vector with all its pixels;
  /// where positions are repeated on the way up they are alike, and only their borders tell them
  /// apart.
  package static let flatColors = {
    var config = VQGANConfig(
      resolution: 128, ch: 32, chMult: [4], numResBlocks: 1, attnResolutions: [], zChannels: 128,
      embedDim: 64, nEmbed: 2048, quantizer: small.quantizer)
    config.patch = 8
    config.attendsInMiddle = false
    config.input = .palette
    return config
  }()

  /// The same with a codebook of tiles: only the decoder is trained.
  package static let tiles = {
    var config = flatColors
    config.encodesTiles = true
    (config.chMult, config.zChannels, config.embedDim) = ([2], 192, 192)
    config.nEmbed = 4096
    config.quantizer = QuantizerConfig()
    return config
  }()

  /// The smallest complete model, for tests and first tries: f = 4.
  package static let tiny = VQGANConfig(
    resolution: 32, ch: 32, chMult: [1, 1, 2], numResBlocks: 1, attnResolutions: [8],
    zChannels: 32, embedDim: 16, nEmbed: 64)

  enum CodingKeys: String, CodingKey {
    case resolution, ch, dropout, palette, quantizer
    case inChannels = "in_channels"
    case outChannels = "out_ch"
    case chMult = "ch_mult"
    case numResBlocks = "num_res_blocks"
    case attnResolutions = "attn_resolutions"
    case zChannels = "z_channels"
    case embedDim = "embed_dim"
    case nEmbed = "n_embed"
    case declaredInput = "input"
    case declaredArchitecture = "architecture"
    case declaredMidAttention = "mid_attention"
    case declaredPixels = "pixels"
    case declaredPatch = "patch"
    case declaredTiles = "tiles"
  }
}

extension VQGANConfig {
  /// What makes this configuration impossible, in a sentence; `nil` if it can be built.
  package var problem: String? {
    if !(32...4096).contains(ch) || ch % 32 != 0 {
      return "ch is \(ch); group normalisation needs a multiple of 32, 4096 at most"
    }
    if !(1...10).contains(chMult.count) || chMult.contains(where: { !(1...64).contains($0) }) {
      return "ch_mult is \(chMult); it needs one to ten factors of 1...64"
    }
    let ranges = [
      ("in_channels", inChannels, 1...4096), ("out_ch", outChannels, 1...4096),
      ("num_res_blocks", numResBlocks, 1...64), ("n_embed", nEmbed, 2...1 << 20),
      ("embed_dim", embedDim, 1...65_536), ("z_channels", zChannels, 1...65_536),
      ("resolution", resolution, 1...1 << 20),
    ]
    for (key, value, range) in ranges where !range.contains(value) {
      return "\(key) is \(value), expected \(range)"
    }
    if !input.modelChannels.contains(inChannels), let declaredInput {
      return "input is \(declaredInput.rawValue); in_channels is \(inChannels)"
    }
    if (input == .palette) != (palette != nil) {
      return palette == nil
        ? "input is palette; it needs the colours, under the key palette"
        : "palette holds colours; input is \(input.rawValue)"
    }
    if let palette, palette.count != inChannels || palette.count != outChannels {
      return "palette holds \(palette.count) colours; in_channels is \(inChannels) and out_ch "
        + "\(outChannels)"
    }
    if ![1, 2, 4, 8].contains(patch) || (patch > 1 && architecture != .taming) {
      return "patch is \(patch); it is 1, 2, 4 or 8, and 1 in \(Architecture.openMAGVIT2.rawValue)"
    }
    if let problem = problemOfTiles { return problem }
    if resolution < downsampling || resolution % downsampling != 0 {
      return "resolution is \(resolution); it needs a multiple of \(downsampling)"
    }
    if let problem = problemOfArchitecture { return problem }
    if !(0..<1).contains(dropout) { return "dropout is \(dropout); it needs 0 up to 1" }
    if let problem = quantizer.quantizer.problem(self) { return problem }
    if let remap = quantizer.remap, remap.used > nEmbed {
      return "remap.used is \(remap.used); there are \(nEmbed) entries"
    }
    return quantizer.problem
  }
}
