// LPIPS on the smaller trunks, run forward only.
import NN
import TensorCore

/// LPIPS with AlexNet or SqueezeNet 1.1: the distances that papers report, where training has
/// VGG16.
///
/// - Source: Zhang et al. 2018, §3; torchvision's `alexnet` and `squeezenet1_1`, features alone.
package struct PerceptualTrunk: Layer {
  package enum Kind: String, Sendable {
    case alex, squeeze

    /// Pixels of a side, with which every pooling still has a whole window.
    package var smallestSide: Int { self == .alex ? 31 : 25 }
  }

  private enum Step { case convolution(Int), fire(Int), pool, tap }

  private var convolutions: [Convolution] = []
  private var fires: [Fire] = []
  private var heads: [Tensor]  // [1, C, 1, 1]
  private let steps: [Step]

  package static func channels(of kind: Kind) -> [Int] {
    kind == .alex ? [64, 192, 384, 256, 256] : [64, 128, 256, 384, 384, 512, 512]
  }

  /// With zero weights, to be filled from a file.
  package init(_ kind: Kind, on device: Device = .default) {
    heads = Self.channels(of: kind).map { Tensor(repeating: 0, shape: [1, $0, 1, 1], on: device) }
    switch kind {
    case .alex:
      for (index, inputs, outputs, side, stride) in [
        (0, 3, 64, 11, 4), (3, 64, 192, 5, 1), (6, 192, 384, 3, 1), (8, 384, 256, 3, 1),
        (10, 256, 256, 3, 1),
      ] {
        let windows = WindowShape(side: side, stride: stride, padding: min(side / 2, 2))
        convolutions.append(Convolution("\(index)", inputs, outputs, windows, on: device))
      }
      steps = [
        .convolution(0), .tap, .pool, .convolution(1), .tap, .pool, .convolution(2), .tap,
        .convolution(3), .tap, .convolution(4), .tap,
      ]
    case .squeeze:
      convolutions = [Convolution("0", 3, 64, WindowShape(side: 3, stride: 2), on: device)]
      for (index, inputs, inner, outputs) in [
        (3, 64, 16, 64), (4, 128, 16, 64), (6, 128, 32, 128), (7, 256, 32, 128),
        (9, 256, 48, 192), (10, 384, 48, 192), (11, 384, 64, 256), (12, 512, 64, 256),
      ] {
        fires.append(Fire(index, inputs, inner, outputs, on: device))
      }
      steps = [
        .convolution(0), .tap, .pool, .fire(0), .fire(1), .tap, .pool, .fire(2), .fire(3), .tap,
        .pool, .fire(4), .tap, .fire(5), .tap, .fire(6), .tap, .fire(7), .tap,
      ]
    }
  }

  /// Distances `[N]` of images `[N, 3, H, W]` in [-1, 1].
  package func callAsFunction(_ a: Tensor, _ b: Tensor) -> Tensor {
    withoutGradients {
      let (first, second) = (features(of: a), features(of: b))
      var total = Tensor(repeating: 0, shape: [a.shape[0]], on: a.device)
      for level in heads.indices {
        total = total + first[level].perceptualDistance(to: second[level], weights: heads[level])
      }
      return total
    }
  }

  private func features(of images: Tensor) -> [Tensor] {
    var h = LPIPS.normalized(images)
    var taps: [Tensor] = []
    for step in steps {
      switch step {
      case .convolution(let index): h = convolutions[index](h)
      case .fire(let index): h = fires[index](h)
      case .pool:
        // SqueezeNet's poolings take a last window that is partly outside.
        var windows = WindowShape(side: 3, stride: 2)
        if !fires.isEmpty {
          windows.padding.bottom = (h.shape[2] - 3) % 2
          windows.padding.right = (h.shape[3] - 3) % 2
        }
        h = h.maxPooled(windows)
      case .tap: taps.append(h)
      }
    }
    return taps
  }

  /// torchvision's names behind `features.`, then the heads.
  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    for index in convolutions.indices { try convolutions[index].visitParameters(visit) }
    for index in fires.indices { try fires[index].visitParameters(visit) }
    for level in heads.indices { try visit("lin\(level).model.1.weight", &heads[level]) }
  }

  /// A convolution with its bias, ReLU behind it.
  private struct Convolution: Layer {
    private var weight, bias: Tensor
    private let name: String
    private let windows: WindowShape

    init(
      _ name: String, _ inputs: Int, _ outputs: Int, _ windows: WindowShape, on device: Device
    ) {
      self.name = name
      self.windows = windows
      weight = Tensor(
        repeating: 0, shape: [outputs, inputs, windows.height, windows.width], on: device)
      bias = Tensor(repeating: 0, shape: [outputs], on: device)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      x.convolved(
        with: weight, bias: bias,
        ConvolutionOptions(stride: windows.stride, padding: windows.padding.top), relu: true)
    }

    mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
      try visit("features.\(name).weight", &weight)
      try visit("features.\(name).bias", &bias)
    }
  }

  /// 1×1 to few channels, then 1×1 and 3×3 beside each other.
  private struct Fire: Layer {
    private var squeeze, single, three: Convolution

    init(_ index: Int, _ inputs: Int, _ inner: Int, _ outputs: Int, on device: Device) {
      let one = WindowShape(side: 1)
      squeeze = Convolution("\(index).squeeze", inputs, inner, one, on: device)
      single = Convolution("\(index).expand1x1", inner, outputs, one, on: device)
      three = Convolution(
        "\(index).expand3x3", inner, outputs, WindowShape(side: 3, padding: 1), on: device)
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let h = squeeze(x)
      return .joined([single(h), three(h)])
    }

    mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
      try squeeze.visitParameters(visit)
      try single.visitParameters(visit)
      try three.visitParameters(visit)
    }
  }
}
