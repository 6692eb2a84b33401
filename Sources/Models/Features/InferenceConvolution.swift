// A convolution with the batch normalisation behind it, for networks that are only run forward.
import NN
import Synchronization
import TensorCore

/// Convolution without a bias, batch normalisation by running statistics, ReLU; after `fold` one
/// convolution.
package struct InferenceConvolution: Layer {
  /// What the two parts are called in a file.
  struct Names: Sendable {
    let convolution: String
    let normalization: String

    static let torchvision = Names(convolution: "conv", normalization: "bn")
  }

  private var weight: Tensor  // [O, C, kh, kw]
  private var gamma, beta, mean, variance: Tensor  // [O]; after folding, beta is the bias
  private let windows: WindowShape
  private let eps: Float
  private let names: Names
  var probe: OverflowProbe?

  /// With zero weights, to be filled from a file.
  init(
    _ inputs: Int, _ outputs: Int, _ windows: WindowShape, eps: Float,
    names: Names = .torchvision, on device: Device
  ) {
    weight = Tensor(
      repeating: 0, shape: [outputs, inputs, windows.height, windows.width], on: device)
    gamma = Tensor(repeating: 1, shape: [outputs], on: device)
    beta = Tensor(repeating: 0, shape: [outputs], on: device)
    mean = Tensor(repeating: 0, shape: [outputs], on: device)
    variance = Tensor(repeating: 1, shape: [outputs], on: device)
    self.windows = windows
    self.eps = eps
    self.names = names
  }

  /// Joins the normalisation with the weights; once, when they are there.
  mutating func fold() {
    let scale = gamma * variance.inverseDeviation(eps: eps)
    let shape = weight.shape
    let rows = weight.reshaped([1, shape[0], weight.count / shape[0], 1])
    weight = rows.channelsScaled(by: scale, plus: Tensor(zerosLike: scale)).plain()
      .reshaped(shape).in(.blockedWeights)
    beta = beta - mean * scale
  }

  func callAsFunction(_ x: Tensor, relu: Bool = true) -> Tensor {
    probe?.look(at: convolved(x, relu: false))
    return convolved(x, relu: relu)
  }

  private func convolved(_ x: Tensor, relu: Bool) -> Tensor {
    guard windows.height == windows.width else {
      return x.convolved(with: weight, bias: beta, windows: windows, relu: relu)
    }
    var options = ConvolutionOptions(stride: windows.stride)
    options.padTop = windows.padding.top
    options.padLeft = windows.padding.left
    options.padBottom = windows.padding.bottom
    options.padRight = windows.padding.right
    return x.convolved(with: weight, bias: beta, options, relu: relu)
  }

  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try visit(names.convolution + ".weight", &weight)
    try visit(names.normalization + ".weight", &gamma)
    try visit(names.normalization + ".bias", &beta)
    try visit(names.normalization + ".running_mean", &mean)
    try visit(names.normalization + ".running_var", &variance)
  }
}

/// A part of a network that has convolutions to fold.
package protocol FoldingLayer: Layer {
  /// Its convolutions with their names, in the order of the published code.
  mutating func forEachConvolution(
    _ body: (String, inout InferenceConvolution) throws -> Void
  ) rethrows
}

extension FoldingLayer {
  package mutating func visitParameters(_ visit: (String, inout Tensor) throws -> Void) rethrows {
    try forEachConvolution { name, convolution in
      try convolution.visitParameters { try visit("\(name).\($0)", &$1) }
    }
  }

  package mutating func fold() {
    forEachConvolution { $1.fold() }
  }
}

/// Sees sums of a convolution that are not finite, which ReLU would turn into numbers.
package struct OverflowProbe: Sendable {
  let convolution: String
  let found: Found

  /// The first convolution with such sums.
  package final class Found: Sendable {
    let convolution = Mutex<String?>(nil)
  }

  func look(at sums: Tensor) {
    guard !sums.plain().isFinite else { return }
    found.convolution.withLock { $0 = $0 ?? convolution }
  }
}

/// A network of features that can be searched for weights that are too large.
package protocol ProbedLayer: Layer {
  func callAsFunction(_ images: Tensor) -> Tensor
  /// Gives every convolution a probe.
  mutating func attachProbes(_ found: OverflowProbe.Found)
}

extension ProbedLayer {
  /// The first convolution whose sums are not finite on these images.
  package func firstOverflow(on images: Tensor) -> String? {
    var network = self
    let found = OverflowProbe.Found()
    network.attachProbes(found)
    _ = withoutGradients { network(images) }
    return found.convolution.withLock(\.self)
  }
}
