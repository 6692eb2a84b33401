// The units of the encoder and the decoder.
import NN
import TensorCore

/// `x + conv2(dropout(swish(norm2(conv1(swish(norm1(x)))))))`; a 1×1 convolution on the shortcut
/// where channels change.
///
/// All convolutions have biases, or none has.
package struct ResidualBlock: Layer {
  var norm1, norm2: GroupNorm
  var conv1, conv2: Conv2d
  var ninShortcut: Conv2d?
  let dropout: Float

  package init(
    _ inputs: Int, _ outputs: Int, dropout: Float, biases: Bool = true,
    using random: inout RandomSource, on device: Device
  ) {
    norm1 = GroupNorm(channels: inputs, on: device)
    conv1 = Conv2d(
      inputs, outputs, kernel: 3, .init(padding: 1), bias: biases, using: &random, on: device)
    norm2 = GroupNorm(channels: outputs, on: device)
    conv2 = Conv2d(
      outputs, outputs, kernel: 3, .init(padding: 1), bias: biases, using: &random, on: device)
    ninShortcut =
      inputs == outputs
      ? nil : Conv2d(inputs, outputs, kernel: 1, bias: biases, using: &random, on: device)
    self.dropout = dropout
  }

  /// - Parameters: x: `[N, I, H, W]`; random: of the dropout in training, `nil` in evaluation.
  /// - Returns: `[N, O, H, W]`.
  package func callAsFunction(_ x: Tensor, dropout random: inout RandomSource?) -> Tensor {
    let h = norm2(conv1(norm1(x, swish: true)), swish: true)
      .droppedOut(rate: dropout, using: &random)
    let shortcut = ninShortcut.map { $0(x) } ?? x
    return shortcut + conv2(h)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try norm1.visitParameters { try visit("norm1." + $0, &$1) }
    try conv1.visitParameters { try visit("conv1." + $0, &$1) }
    try norm2.visitParameters { try visit("norm2." + $0, &$1) }
    try conv2.visitParameters { try visit("conv2." + $0, &$1) }
    try ninShortcut?.visitParameters { try visit("nin_shortcut." + $0, &$1) }
  }
}

/// Single-head self-attention over the positions of an image, with a residual connection.
package struct AttentionBlock: Layer {
  var norm: GroupNorm
  var q, k, v, projOut: Conv2d

  package init(_ channels: Int, using random: inout RandomSource, on device: Device) {
    norm = GroupNorm(channels: channels, on: device)
    q = Conv2d(channels, channels, kernel: 1, using: &random, on: device)
    k = Conv2d(channels, channels, kernel: 1, using: &random, on: device)
    v = Conv2d(channels, channels, kernel: 1, using: &random, on: device)
    projOut = Conv2d(channels, channels, kernel: 1, using: &random, on: device)
  }

  /// `[N, C, H, W]` to the same; scores are scaled by C^-½.
  package func callAsFunction(_ x: Tensor) -> Tensor {
    let h = norm(x, swish: false)
    let attended = attention(
      q(h).rows(), k(h).rows(), v(h).rows(), heads: 1, scale: 1 / Float(x.shape[1]).squareRoot(),
      mask: .none)
    return x + projOut(attended.image(height: x.shape[2], width: x.shape[3]))
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try norm.visitParameters { try visit("norm." + $0, &$1) }
    try q.visitParameters { try visit("q." + $0, &$1) }
    try k.visitParameters { try visit("k." + $0, &$1) }
    try v.visitParameters { try visit("v." + $0, &$1) }
    try projOut.visitParameters { try visit("proj_out." + $0, &$1) }
  }
}

/// The middle of the encoder and of the decoder: residual blocks, two in the reference, with
/// attention after the first one unless the configuration leaves it out.
struct Middle: Layer {
  var blocks: [ResidualBlock] = []
  var attn1: AttentionBlock?

  init(
    _ channels: Int, _ config: VQGANConfig, using random: inout RandomSource, on device: Device
  ) {
    for index in 0..<config.middleBlocks {
      blocks.append(
        ResidualBlock(
          channels, channels, dropout: config.dropout, biases: config.blocksHaveBiases,
          using: &random, on: device))
      if index == 0, config.attendsInMiddle {
        attn1 = AttentionBlock(channels, using: &random, on: device)
      }
    }
  }

  func callAsFunction(_ x: Tensor, dropout random: inout RandomSource?) -> Tensor {
    var h = x
    for (index, block) in blocks.enumerated() {
      h = block(h, dropout: &random)
      if index == 0, let attn1 { h = attn1(h) }
    }
    return h
  }

  mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    for index in blocks.indices {
      try blocks[index].visitParameters { try visit("block_\(index + 1)." + $0, &$1) }
      if index == 0 { try attn1?.visitParameters { try visit("attn_1." + $0, &$1) } }
    }
  }
}

/// One resolution: residual blocks, each followed by attention where the configuration asks for it.
struct Level: Layer {
  var block: [ResidualBlock] = []
  var attn: [AttentionBlock] = []
  /// What comes before the blocks, in decoders that look at the codes again.
  var adaptive: AdaptiveGroupNorm?
  /// The convolution that follows: stride 2 in the encoder, around upsampling in the decoder.
  var resample: Conv2d?
  let resampleName: String

  /// - Parameter resample: options of that convolution, and the number of its channels for each of
  ///   the level's; nil for the level without one.
  init(
    _ inputs: Int, _ outputs: Int, blocks: Int, attends: Bool, _ config: VQGANConfig,
    resampleName: String, resample: (options: ConvolutionOptions, factor: Int)?,
    using random: inout RandomSource, on device: Device
  ) {
    self.resampleName = resampleName
    for index in 0..<blocks {
      block.append(
        ResidualBlock(
          index == 0 ? inputs : outputs, outputs, dropout: config.dropout,
          biases: config.blocksHaveBiases, using: &random, on: device))
      if attends { attn.append(AttentionBlock(outputs, using: &random, on: device)) }
    }
    self.resample = resample.map {
      Conv2d(outputs, $0.factor * outputs, kernel: 3, $0.options, using: &random, on: device)
    }
  }

  /// The blocks alone.
  func callAsFunction(_ x: Tensor, dropout random: inout RandomSource?) -> Tensor {
    var h = x
    for index in block.indices {
      h = block[index](h, dropout: &random)
      if !attn.isEmpty { h = attn[index](h) }
    }
    return h
  }

  mutating func visitParameters(_ visitor: (String, inout Tensor) throws -> Void) rethrows {
    try visit("block", &block, visitor)
    try visit("attn", &attn, visitor)
    try adaptive?.visitParameters { try visitor("adaptive.\($0)", &$1) }
    try resample?.visitParameters { try visitor("\(resampleName).conv.\($0)", &$1) }
  }
}
