// Learned perceptual distance on VGG16 features.
import NN
import TensorCore

/// LPIPS with VGG16: a distance of images that follows human judgement.
///
/// Weights come from a file; they are never trained, and dropout in the heads is off (the reference
/// leaves it on in training by accident).
/// - Source: Zhang et al. 2018, §3; torchvision's VGG16, features up to relu5_3.
package struct LPIPS: Layer {
  private var slices: [[Conv2d]]
  private var heads: [Tensor]  // [1, C, 1, 1]

  /// Convolutions of each slice; max pooling stands between the slices.
  private static let depths = [2, 2, 3, 3, 3]
  /// Channels of VGG16.
  package static let vgg16Channels = [64, 128, 256, 512, 512]

  /// A network with zero weights of the given channels, to be filled from a file.
  package init(channels: [Int] = vgg16Channels, on device: Device = .default) {
    var inputs = 3
    slices = []
    heads = []
    for (depth, outputs) in zip(Self.depths, channels) {
      var slice: [Conv2d] = []
      for _ in 0..<depth {
        slice.append(
          Conv2d(
            weight: Tensor(repeating: 0, shape: [outputs, inputs, 3, 3], on: device),
            bias: Tensor(repeating: 0, shape: [outputs], on: device), .init(padding: 1)))
        inputs = outputs
      }
      slices.append(slice)
      heads.append(Tensor(repeating: 0, shape: [1, outputs, 1, 1], on: device))
    }
  }

  /// Distances `[N]` of constant images `[N, 3, H, W]` to images whose gradient is wanted; both in
  /// [-1, 1], at least 16 pixels per side.
  ///
  /// Of depth, `[N, 1, H, W]`, all three colours are the one channel, as in the reference.
  package func callAsFunction(_ constant: Tensor, _ images: Tensor) -> Tensor {
    let targets = withoutGradients { features(of: constant) }
    let current = features(of: images)
    var total: Tensor?
    for level in heads.indices {
      let distance = targets[level].perceptualDistance(to: current[level], weights: heads[level])
      total = total.map { $0 + distance } ?? distance
    }
    return total ?? Tensor(repeating: 0, shape: [images.shape[0]], on: images.device)
  }

  /// The five feature maps after ReLU.
  private func features(of images: Tensor) -> [Tensor] {
    var h = Self.normalized(images)
    var result: [Tensor] = []
    for (index, slice) in slices.enumerated() {
      if index > 0 { h = h.maxPooled() }
      for convolution in slice { h = convolution(h, relu: true) }
      result.append(h)
    }
    return result
  }

  /// Images in [-1, 1] as the trunks were trained on them.
  static func normalized(_ images: Tensor) -> Tensor {
    // Shift and scale map [-1, 1] to VGG's ImageNet statistics; the third shift is -.188, not
    // -1.88.
    let shift: [Float] = [-0.030, -0.088, -0.188]
    let scale: [Float] = [0.458, 0.448, 0.450]
    let factors = scale.map { 1 / $0 }
    let offsets = Tensor(zip(shift, scale).map { -$0 / $1 }, shape: [3], on: images.device)
    return images.shape[1] == 1
      ? Conv2d(weight: Tensor(factors, shape: [3, 1, 1, 1], on: images.device), bias: offsets)
        .frozen()(images)
      : images.channelsScaled(
        by: Tensor(factors, shape: [3], on: images.device), plus: offsets)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    // torchvision numbers convolutions, ReLUs and poolings in one list: 0, 2 | 5, 7 | 10, 12, 14 |
    // …
    var index = 0
    for slice in slices.indices {
      for layer in slices[slice].indices {
        try slices[slice][layer].visitParameters {
          try visit("net.slice\(slice + 1).\(index).\($0)", &$1)
        }
        index += 2
      }
      index += 1
    }
    for level in heads.indices { try visit("lin\(level).model.1.weight", &heads[level]) }
  }
}
