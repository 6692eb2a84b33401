// What a VQGAN reads: images, or maps of labels.
import TensorCore

/// What the channels of a VQGAN mean.
package enum VQGANInputKind: String, Codable, CaseIterable, Sendable {
  /// Red, green and blue.
  case images
  /// One channel for each label, of which one is 1.
  case segmentation
  /// One channel, from the least depth of a picture to the greatest.
  case depth

  /// By the number of channels.
  package init(_ config: VQGANConfig) {
    switch config.inChannels {
    case 3: self = .images
    case 1: self = .depth
    default: self = .segmentation
    }
  }

  /// Channels of the published models: 182 labels of COCO-Stuff and 0 for none.
  package var channels: Int {
    switch self {
    case .images: 3
    case .segmentation: 183
    case .depth: 1
    }
  }
}

/// A batch for a VQGAN.
package enum VQGANInput: Sendable {
  /// `[N, C, H, W]` in [-1, 1]: images or depth.
  case values(Tensor)
  /// `[N, H, W]` in `0..<in_channels`.
  case labels(IndexTensor)
}

extension VQGAN {
  /// Latents before quantization, `[N, D, H/f, W/f]`.
  package func latents(of input: VQGANInput, dropout random: inout RandomSource?) -> Tensor {
    switch input {
    case .values(let images): latents(of: images, dropout: &random)
    case .labels(let labels): quantConv(encoder(labels, dropout: &random))
    }
  }

  /// Codes `[N, h, w]`.
  package func encode(_ input: VQGANInput) -> IndexTensor {
    withoutGradients {
      var none: RandomSource?
      return codes(of: quantize(latents(of: input, dropout: &none)).indices)
    }
  }
}
