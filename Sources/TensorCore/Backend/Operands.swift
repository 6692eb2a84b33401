// What the operations of a backend are told beside their operands.

/// A function of one element.
enum UnaryOperation: Sendable {
  case activation(Activation)
  case affine(scale: Float, offset: Float)
  case squareRoot
  case reciprocal
  case clamp(Float, Float)
}

/// A function of two elements.
enum BinaryOperation: Sendable { case add, subtract, multiply, divide }

/// What is summed over all elements.
enum Reduction {
  case sum
  case absoluteDifference(from: Tensor)
  case squaredDifference(from: Tensor)
}

/// What random numbers follow; normal ones with deviation 1.
enum Distribution: Sendable { case uniform, normal, gumbel }

/// The extents of a convolution.
struct ConvolutionShape: Sendable {
  let images, inputs, outputs, kernel: Int
  let inputHeight, inputWidth, outputHeight, outputWidth: Int
  let options: ConvolutionOptions

  /// Of images `[N, C, H, W]` with weights `[O, C, k, k]`.
  init(_ x: Shape, _ weights: Shape, _ options: ConvolutionOptions) {
    (images, inputs, inputHeight, inputWidth) = (x[0], x[1], x[2], x[3])
    (outputs, kernel) = (weights[0], weights[2])
    let extent = options.dilation * (kernel - 1) + 1
    outputHeight = (x[2] + options.padTop + options.padBottom - extent) / options.stride + 1
    outputWidth = (x[3] + options.padLeft + options.padRight - extent) / options.stride + 1
    self.options = options
  }

  var output: Shape { [images, outputs, outputHeight, outputWidth] }
}

/// Some columns of a tensor's rows, from `first` on; an operation's extents say how many.
struct Columns {
  let tensor: Tensor
  var first = 0

  /// Elements between rows.
  var stride: Int { tensor.shape[-1] }

  init(_ tensor: Tensor, from first: Int = 0) {
    self.tensor = tensor
    self.first = first
  }
}

/// The extents of a matrix product `[m, k] · [k, n]`, and which factors are read transposed.
struct ProductShape: Sendable {
  let m, n, k: Int
  var transposesFirst = false
  var transposesSecond = false
}

/// The extents of an attention operation: rows `[N, T, heads · width]`.
struct AttentionShape: Sendable {
  let n, length, heads: Int
  /// Channels of one head, D.
  let width: Int
  let scale: Float
  let isCausal: Bool
  /// Positions at the start that see each other.
  let prefix: Int
  /// Positions of a step, of which `context` are seen: 0 and 0 for no steps, a context of 0 for all
  /// steps before a position and the whole of its own.
  let step, context: Int
  var dropped: DroppedWeights?
}

/// Which weights of an attention are dropped.
struct DroppedWeights: Sendable {
  let kept: Storage  // bytes of 0 and 1, [N, heads, T, T]
  let rate: Float
}

/// The extents of a cache of keys or values, `[N, heads, capacity, width]`.
struct CacheShape: Sendable {
  let capacity, heads: Int
  /// Channels of one head, D.
  let width: Int
  /// Two bfloat16 values to a word.
  let bf16: Bool
}

/// One Adam step's numbers.
package struct AdamRule: Sendable {
  package var learningRate: Float
  package var beta1: Float
  package var beta2: Float
  package var eps: Float
  /// Decoupled (AdamW).
  package var weightDecay: Float
  /// Counts from 1.
  package var step: Int

  package init(
    learningRate: Float, beta1: Float, beta2: Float, eps: Float = 1e-8, weightDecay: Float = 0,
    step: Int
  ) {
    self.learningRate = learningRate
    self.beta1 = beta1
    self.beta2 = beta2
    self.eps = eps
    self.weightDecay = weightDecay
    self.step = step
  }
}
