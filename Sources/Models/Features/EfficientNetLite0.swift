// A small network of features for processors.
import NN
import TensorCore

/// EfficientNet-lite0 up to its last mean, with the names of efficientnet-lite-pytorch.
///
/// - Source: Tan & Le 2019; the lite form has neither squeeze-and-excitation nor swish.
package struct EfficientNetLite0: ProbedLayer {
  private var stem: InferenceConvolution
  private var blocks: [Block]
  private var head: InferenceConvolution
  private var classWeight, classBias: Tensor

  package static let width = 1280
  package static let side = 224

  /// Repeats, kernel, stride, expansion, outputs.
  private static let stages = [
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192), (1, 3, 1, 6, 320),
  ]

  /// With zero weights, to be filled from a file; then `fold` makes it ready.
  package init(on device: Device = .default) {
    func pair(_ number: String) -> InferenceConvolution.Names {
      .init(convolution: "_conv_\(number)", normalization: number == "stem" ? "_bn0" : "_bn1")
    }
    stem = InferenceConvolution(
      3, 32, .same(3, stride: 2), eps: 1e-3, names: pair("stem"), on: device)
    blocks = []
    var inputs = 32
    for (repeats, kernel, stride, expansion, outputs) in Self.stages {
      for index in 0..<repeats {
        blocks.append(
          Block(
            inputs, outputs, kernel: kernel, stride: index == 0 ? stride : 1, expansion, on: device)
        )
        inputs = outputs
      }
    }
    head = InferenceConvolution(
      inputs, Self.width, WindowShape(side: 1), eps: 1e-3, names: pair("head"), on: device)
    classWeight = Tensor(repeating: 0, shape: [1000, Self.width], on: device)
    classBias = Tensor(repeating: 0, shape: [1000], on: device)
  }

  package mutating func fold() {
    stem.fold()
    for index in blocks.indices { blocks[index].fold() }
    head.fold()
  }

  /// Features `[N, 1280]` of images `[N, 3, 224, 224]`, (level - 127) / 128.
  package func callAsFunction(_ images: Tensor) -> Tensor {
    let h = blocks.reduce(stem(images).cutAtSix()) { $1($0) }
    return head(h).cutAtSix().meansOverPositions()
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try stem.visitParameters(visit)
    try NN.visit("_blocks", &blocks, visit)
    try head.visitParameters(visit)
    try visit("_fc.weight", &classWeight)
    try visit("_fc.bias", &classBias)
  }

  package mutating func attachProbes(_ found: OverflowProbe.Found) {
    func probe(_ name: String) -> OverflowProbe { OverflowProbe(convolution: name, found: found) }
    stem.probe = probe("_conv_stem")
    for index in blocks.indices {
      blocks[index].attachProbes { probe("_blocks.\(index).\($0)") }
    }
    head.probe = probe("_conv_head")
  }

  /// 1×1 to more channels, one kernel a channel, 1×1 back; the input is added where it fits.
  private struct Block: Layer {
    private var expand: InferenceConvolution?
    private var depthwise: DepthwiseConvolution
    private var project: InferenceConvolution
    private let isResidual: Bool

    init(
      _ inputs: Int, _ outputs: Int, kernel: Int, stride: Int, _ expansion: Int, on device: Device
    ) {
      let inner = inputs * expansion
      let single = WindowShape(side: 1)
      expand =
        expansion == 1
        ? nil
        : InferenceConvolution(
          inputs, inner, single, eps: 1e-3,
          names: .init(convolution: "_expand_conv", normalization: "_bn0"), on: device)
      depthwise = DepthwiseConvolution(inner, .same(kernel, stride: stride), on: device)
      project = InferenceConvolution(
        inner, outputs, single, eps: 1e-3,
        names: .init(convolution: "_project_conv", normalization: "_bn2"), on: device)
      isResidual = stride == 1 && inputs == outputs
    }

    mutating func fold() {
      expand?.fold()
      depthwise.fold()
      project.fold()
    }

    func callAsFunction(_ x: Tensor) -> Tensor {
      let h = depthwise(expand.map { $0(x).cutAtSix() } ?? x).cutAtSix(belowZero: true)
      let y = project(h, relu: false)
      return isResidual ? x + y : y
    }

    mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
      try expand?.visitParameters(visit)
      try depthwise.visitParameters(visit)
      try project.visitParameters(visit)
    }

    mutating func attachProbes(_ probe: (String) -> OverflowProbe) {
      expand?.probe = probe("_expand_conv")
      depthwise.probe = probe("_depthwise_conv")
      project.probe = probe("_project_conv")
    }
  }
}

/// A kernel for each channel, batch normalisation behind it.
private struct DepthwiseConvolution: Layer {
  private var weight: Tensor  // [C, 1, k, k]; after folding [1, C, k, k]
  private var gamma, beta, mean, variance: Tensor
  private let windows: WindowShape
  var probe: OverflowProbe?

  init(_ channels: Int, _ windows: WindowShape, on device: Device) {
    weight = Tensor(
      repeating: 0, shape: [channels, 1, windows.height, windows.width], on: device)
    gamma = Tensor(repeating: 1, shape: [channels], on: device)
    beta = Tensor(repeating: 0, shape: [channels], on: device)
    mean = Tensor(repeating: 0, shape: [channels], on: device)
    variance = Tensor(repeating: 1, shape: [channels], on: device)
    self.windows = windows
  }

  mutating func fold() {
    let scale = gamma * variance.inverseDeviation(eps: 1e-3)
    let channels = weight.shape[0]
    weight = weight.reshaped([1, channels, windows.height, windows.width])
      .channelsScaled(by: scale, plus: Tensor(zerosLike: scale)).blocked()
    beta = (beta - mean * scale).reshaped([1, channels, 1, 1]).blocked()
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    let y = x.convolvedByChannel(with: weight, bias: beta, windows: windows)
    probe?.look(at: y)
    return y
  }

  mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit("_depthwise_conv.weight", &weight)
    try visit("_bn1.weight", &gamma)
    try visit("_bn1.bias", &beta)
    try visit("_bn1.running_mean", &mean)
    try visit("_bn1.running_var", &variance)
  }
}

extension WindowShape {
  /// TensorFlow's padding of an image whose sides the stride divides.
  fileprivate static func same(_ kernel: Int, stride: Int) -> WindowShape {
    var shape = WindowShape(side: kernel, stride: stride)
    let total = max(kernel - stride, 0)
    shape.padding = (total / 2, total / 2, total - total / 2, total - total / 2)
    return shape
  }
}
