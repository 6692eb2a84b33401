// The patch discriminator.
import NN
import TensorCore

/// The shape of the discriminator.
package struct DiscriminatorConfig: Codable, Equatable, Sendable {
  /// The normalisation between its convolutions.
  package enum Normalization: String, Codable, CaseIterable, Sendable {
    case batch
    case activation
    /// Of each image alone, so that small batches do no harm, in 32 groups or fewer (Wu & He 2018;
    /// MaskBit's discriminator, Weber et al. 2024).
    case group
  }

  package var ndf: Int  // channels of the first convolution
  package var nLayers: Int  // convolutions of stride 2
  package var normalization: Normalization

  package init(ndf: Int = 64, nLayers: Int = 3, normalization: Normalization = .batch) {
    self.ndf = ndf
    self.nLayers = nLayers
    self.normalization = normalization
  }

  enum CodingKeys: String, CodingKey {
    case ndf, normalization
    case nLayers = "n_layers"
  }
}

/// Either normalisation of the discriminator, with the activation that follows it.
private protocol DiscriminatorNorm: Layer {
  mutating func callAsFunction(_ x: Tensor, slope: Float, training: Bool) -> Tensor
}

extension BatchNorm2d: DiscriminatorNorm {}
extension ActNorm: DiscriminatorNorm {}

extension GroupNorm: DiscriminatorNorm {
  package mutating func callAsFunction(_ x: Tensor, slope: Float, training: Bool) -> Tensor {
    self(x, swish: false).activated(.leakyReLU(slope: slope))
  }
}

/// PatchGAN: images `[N, C, H, W]` to logits `[N, 1, h, w]`, one for each overlapping patch (30×30
/// for 256×256).
///
/// 4×4 convolutions of padding 1; leaky ReLU 0.2; the first and last have no normalisation.
/// - Source: Isola et al. 2017, appendix 6.1.2.
package struct Discriminator: Layer {
  private struct Stage: Sendable {
    var convolution: Conv2d
    var norm: (any DiscriminatorNorm)?
  }

  private var stages: [Stage] = []
  private let slope: Float = 0.2

  package init(
    _ config: DiscriminatorConfig, channels: Int = 3, using random: inout RandomSource,
    on device: Device
  ) {
    var inputs = channels
    for layer in 0...config.nLayers + 1 {
      let isFirst = layer == 0
      let isLast = layer == config.nLayers + 1
      let outputs = isLast ? 1 : config.ndf << min(layer, 3)
      let options = ConvolutionOptions(stride: layer < config.nLayers ? 2 : 1, padding: 1)
      let hasBias = isFirst || isLast || config.normalization != .batch
      var convolution = Conv2d(
        inputs, outputs, kernel: 4, options, bias: hasBias, using: &random, on: device)
      convolution.weight.assign(
        random.normal([outputs, inputs, 4, 4], deviation: 0.02, on: device))
      var norm: (any DiscriminatorNorm)?
      if !isFirst && !isLast {
        switch config.normalization {
        case .batch: norm = BatchNorm2d(channels: outputs, using: &random, on: device)
        case .activation: norm = ActNorm(channels: outputs, on: device)
        case .group:
          let groups = (1...32).last { outputs % $0 == 0 } ?? 1
          norm = GroupNorm(groups: groups, channels: outputs, eps: 1e-5, on: device)
        }
      }
      stages.append(Stage(convolution: convolution, norm: norm))
      inputs = outputs
    }
  }

  /// A network to be filled from a file; its first weights, which then are never used, take no
  /// memory.
  package init(_ config: DiscriminatorConfig, channels: Int, on device: Device = .default) {
    var random = RandomSource(seed: 0)
    self.init(config, channels: channels, using: &random, on: device)
  }

  /// Logits, plain `[N, 1, h, w]`.
  ///
  /// In training the normalisation uses, and moves, the batch's statistics.
  package mutating func callAsFunction(_ x: Tensor, training: Bool) -> Tensor {
    var h = x
    for index in stages.indices {
      h = stages[index].convolution(h)
      if stages[index].norm != nil {
        h = stages[index].norm?(h, slope: slope, training: training) ?? h
      } else if index < stages.count - 1 {
        h = h.activated(.leakyReLU(slope: slope))
      }
    }
    return h.plain()
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    // The reference's nn.Sequential counts convolutions, norms and activations alike.
    var index = 0
    for stage in stages.indices {
      try stages[stage].convolution.visitParameters { try visit("main.\(index).\($0)", &$1) }
      index += 1
      if stages[stage].norm != nil {
        try stages[stage].norm?.visitParameters { try visit("main.\(index).\($0)", &$1) }
        index += 1
      }
      index += 1
    }
  }
}
