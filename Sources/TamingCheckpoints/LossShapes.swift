// The tensors of the two networks that judge a VQGAN's pictures.

import Models

extension TensorShapes {
  package static func discriminator(
    _ config: DiscriminatorConfig, channels: Int = 3
  ) -> TensorShapes {
    var shapes = TensorShapes()
    var inputs = channels
    var index = 0  // of the nn.Sequential, which counts activations too
    for layer in 0...config.nLayers + 1 {
      let isEnd = layer == 0 || layer == config.nLayers + 1
      let outputs = layer == config.nLayers + 1 ? 1 : config.ndf * min(1 << layer, 8)
      shapes.addConvolution(
        "main.\(index)", inputs, outputs, kernel: 4,
        bias: isEnd || config.normalization == .activation)
      index += isEnd ? 2 : 3
      inputs = outputs
      if isEnd { continue }
      let norm = "main.\(index - 2)"
      switch config.normalization {
      case .batch:
        shapes.addNorm(norm, outputs)
        shapes.add("\(norm).running_mean", [outputs])
        shapes.add("\(norm).running_var", [outputs])
      case .activation:
        shapes.add("\(norm).loc", [1, outputs, 1, 1])
        shapes.add("\(norm).scale", [1, outputs, 1, 1])
        shapes.add("\(norm).initialized", [])
      }
    }
    return shapes
  }

  /// LPIPS on VGG16 with the channels of its five slices.
  package static func lpips(channels: [Int] = LPIPS.vgg16Channels) -> TensorShapes {
    var shapes = TensorShapes()
    var inputs = 3
    for (convolution, slice) in VGG16.convolutions {
      shapes.addConvolution(
        "net.slice\(slice).\(convolution)", inputs, channels[slice - 1], kernel: 3)
      inputs = channels[slice - 1]
    }
    for (level, count) in channels.enumerated() {
      shapes.add("lin\(level).model.1.weight", [1, count, 1, 1])
    }
    return shapes
  }
}

/// The numbers of VGG16's convolutions in torchvision's list of layers, with LPIPS' slices of it.
enum VGG16 {
  static let convolutions: [(index: Int, slice: Int)] = [
    (0, 1), (2, 1), (5, 2), (7, 2), (10, 3), (12, 3), (14, 3), (17, 4), (19, 4), (21, 4), (24, 5),
    (26, 5), (28, 5),
  ]
}
