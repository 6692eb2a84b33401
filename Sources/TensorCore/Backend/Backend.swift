// The seam between tensors and the hardware: everything that a device must be able to compute.
import CKernels

typealias Input = UnsafePointer<Float>
typealias Output = UnsafeMutablePointer<Float>

/// What a device computes.
///
/// A second kind of device implements this protocol and nothing else; shapes, layouts and
/// meanings are those of `kernels.h`. Pointers are the device's own; only backends look behind them.
protocol Backend: Sendable {
  var name: String { get }
  var pool: MemoryPool { get }
  /// How the matrix products of linear maps read their factors.
  var precision: Precision { get }

  // Memory and layout
  func copy(_ from: Input, _ to: Output, _ count: Int)
  func fill(_ to: Output, _ value: Float, _ count: Int)
  func plainToBlocked(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int)
  func blockedToPlain(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int)
  func blockedToRows(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int)
  func rowsToBlocked(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int)
  func weightsToBlocked(_ x: Input, _ y: Output, _ o: Int, _ i: Int, _ taps: Int)
  func weightsToPlain(_ x: Input, _ y: Output, _ o: Int, _ i: Int, _ taps: Int)
  func transpose(_ x: Input, _ y: Output, _ batch: Int, _ a: Int, _ b: Int)
  func pixelsToPlain(_ pixels: UnsafePointer<UInt8>, _ y: Output, _ n: Int, _ hw: Int)
  func plainToPixels(_ x: Input, _ pixels: UnsafeMutablePointer<UInt8>, _ n: Int, _ hw: Int)

  // Convolution and matrix product
  func convolution(
    _ shape: ck_convolution, _ x: Input, _ weights: Input, _ bias: Input?, _ y: Output, relu: Bool)
  func convolutionBackwardData(_ shape: ck_convolution, _ dy: Input, _ weights: Input, _ dx: Output)
  func convolutionBackwardWeights(
    _ shape: ck_convolution, _ x: Input, _ dy: Input, _ dweights: Output, _ dbias: Output?)
  /// `c = alpha · op(a) · op(b) + beta · c`, row-major, `c` `[m, n]`.
  func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Float,
    _ a: Input,
    _ b: Input, _ beta: Float, _ c: Output)

  /// Values in half a float's place each.
  func roundToBfloat16(_ x: Input, _ y: Output, _ count: Int)
  /// `c = op(a) · op(b) + beta · c` of factors from `roundToBfloat16`; `beta` is 0 or 1.
  func gemmBfloat16(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: Input, _ b: Input,
    _ beta: Float, _ c: Output)
  /// Rows as 8-bit integers, a quarter of a float's place each, with a scale to a row.
  func quantizeRows(_ x: Input, _ bytes: Output, _ scales: Output, _ rows: Int, _ columns: Int)
  /// `c = a · bᵀ` for a matrix `b` `[n, k]` from `quantizeRows`.
  func gemmInt8(
    _ m: Int, _ n: Int, _ k: Int, _ a: Input, _ bytes: Input, _ scales: Input, _ c: Output)

  // Normalisation
  func groupNorm(
    _ x: Input, _ gamma: Input, _ beta: Input, _ y: Output, _ mean: Output, _ rstd: Output,
    _ shape: Shape, groups: Int, eps: Float, silu: Bool)
  func groupNormBackward(
    _ x: Input, _ dy: Input, _ gamma: Input, _ beta: Input, _ mean: Input, _ rstd: Input,
    _ dx: Output,
    _ dgamma: Output?, _ dbeta: Output?, _ shape: Shape, groups: Int, silu: Bool)
  func channelMoments(_ x: Input, _ mean: Output, _ variance: Output, _ shape: Shape)
  func batchNorm(
    _ x: Input, _ mean: Input, _ rstd: Input, _ gamma: Input, _ beta: Input, _ y: Output,
    _ shape: Shape, slope: Float)
  func batchNormBackward(
    _ x: Input, _ dy: Input, _ mean: Input, _ rstd: Input, _ gamma: Input, _ beta: Input,
    _ dx: Output,
    _ dgamma: Output?, _ dbeta: Output?, _ shape: Shape, slope: Float)
  func channelAffine(
    _ x: Input, _ loc: Input, _ scale: Input, _ y: Output, _ shape: Shape, slope: Float)
  func channelAffineBackward(
    _ x: Input, _ dy: Input, _ loc: Input, _ scale: Input, _ dx: Output, _ dloc: Output?,
    _ dscale: Output?, _ shape: Shape, slope: Float)
  func layerNorm(
    _ x: Input, _ gamma: Input, _ beta: Input, _ y: Output, _ mean: Output, _ rstd: Output,
    _ m: Int,
    _ c: Int, eps: Float)
  func layerNormBackward(
    _ x: Input, _ dy: Input, _ gamma: Input, _ mean: Input, _ rstd: Input, _ dx: Output,
    _ dgamma: Output, _ dbeta: Output, _ m: Int, _ c: Int)

  // Resampling (blocked)
  func maxPool(_ x: Input, _ y: Output, _ shape: Shape)
  func maxPoolBackward(_ x: Input, _ dy: Input, _ dx: Output, _ shape: Shape)
  func upsample(_ x: Input, _ y: Output, _ shape: Shape)
  func upsampleBackward(_ dy: Input, _ dx: Output, _ shape: Shape)

  // Elementwise
  func activate(_ function: Activation, _ x: Input, _ y: Output, _ count: Int)
  /// `saved` is the output for ReLU and leaky ReLU, the input for the others.
  func activateBackward(
    _ function: Activation, _ saved: Input, _ dy: Input, _ dx: Output, _ count: Int)
  /// GELU of rows `[m, c]` plus bias `[c]`.
  func biasGELU(_ x: Input, _ bias: Input, _ y: Output, _ m: Int, _ c: Int)
  func biasGELUBackward(
    _ x: Input, _ bias: Input, _ dy: Input, _ dx: Output, _ m: Int, _ c: Int)
  func add(_ a: Input, _ b: Input, _ y: Output, _ count: Int)
  func subtract(_ a: Input, _ b: Input, _ y: Output, _ count: Int)
  func multiply(_ a: Input, _ b: Input, _ y: Output, _ count: Int)
  func scale(_ x: Input, _ y: Output, _ alpha: Float, _ beta: Float, _ count: Int)
  func accumulate(_ x: Input, _ y: Output, _ alpha: Float, _ count: Int)
  func signOfDifference(_ a: Input, _ b: Input, _ y: Output, _ scale: Float, _ count: Int)
  func scaleChannels(
    _ x: Input, _ scale: Input, _ shift: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int)
  func addBias(_ x: Input, _ bias: Input, _ y: Output, _ m: Int, _ c: Int)
  func dropout(_ x: Input, _ mask: UnsafePointer<UInt8>, _ y: Output, _ rate: Float, _ count: Int)
  func allFinite(_ x: Input, _ count: Int) -> Bool

  // Reductions
  func sum(_ x: Input, _ count: Int) -> Double
  func sumOfAbsoluteDifferences(_ a: Input, _ b: Input, _ count: Int) -> Double
  func sumOfSquares(_ x: Input, _ count: Int) -> Double
  func sumOfSquaredDifferences(_ a: Input, _ b: Input, _ count: Int) -> Double
  func rowSums(_ dy: Input, _ db: Output, _ m: Int, _ c: Int)

  // Sequences and codes
  func softmax(_ x: Input, _ y: Output, _ m: Int, _ c: Int)
  func softmaxBackward(_ y: Input, _ dy: Input, _ dx: Output, _ m: Int, _ c: Int)
  func crossEntropy(
    _ logits: Input, _ targets: UnsafePointer<Int32>, _ losses: Output, _ logSums: Output, _ m: Int,
    _ v: Int)
  func crossEntropyBackward(
    _ logits: Input, _ targets: UnsafePointer<Int32>, _ logSums: Input, _ dlogits: Output,
    _ scale: Float, _ m: Int, _ v: Int)
  func uniformDivergence(
    _ logits: Input, _ divergences: Output, _ logSums: Output, _ m: Int, _ k: Int)
  func uniformDivergenceBackward(
    _ logits: Input, _ divergences: Input, _ logSums: Input, _ dlogits: Output, _ scale: Float,
    _ m: Int, _ k: Int)
  func labelConvolution(
    _ labels: UnsafePointer<Int32>, _ weights: Input, _ bias: Input, _ y: Output, _ shape: Shape,
    kernel: Int, labels count: Int, outputs: Int)
  func labelConvolutionBackward(
    _ labels: UnsafePointer<Int32>, _ dy: Input, _ dweights: Output, _ shape: Shape, kernel: Int,
    labels count: Int, outputs: Int)
  func labelEntropy(
    _ logits: Input, _ labels: UnsafePointer<Int32>, _ sums: Output, _ shape: Shape)
  func labelEntropyBackward(
    _ logits: Input, _ labels: UnsafePointer<Int32>, _ dlogits: Output, _ scale: Float,
    _ shape: Shape)
  func gatherRows(_ table: Input, _ indices: UnsafePointer<Int32>, _ y: Output, _ m: Int, _ d: Int)
  func scatterAddRows(
    _ dy: Input, _ indices: UnsafePointer<Int32>, _ dtable: Output, _ m: Int, _ d: Int, _ rows: Int)
  func attention(
    _ q: Input, _ k: Input, _ v: Input, _ out: Output, _ logSums: Output, _ shape: AttentionShape)
  func attentionBackward(
    _ q: Input, _ k: Input, _ v: Input, _ out: Input, _ dout: Input, _ logSums: Input, _ dq: Output,
    _ dk: Output, _ dv: Output, _ shape: AttentionShape)
  func attentionKeep(
    _ rows: Input, _ cache: Output, halves: Bool, _ n: Int, count: Int, start: Int, capacity: Int,
    heads: Int, width: Int)
  func attentionStep(
    _ q: Input, _ keys: Input, _ values: Input, halves: Bool, _ out: Output, _ n: Int, count: Int,
    before: Int, capacity: Int, heads: Int, width: Int, scale: Float)
  func rotate(
    _ x: Input, _ cosines: Input, _ sines: Input, _ y: Output, _ m: Int, length: Int, heads: Int,
    width: Int, sign: Float)
  func rowNorms(_ x: Input, _ norms: Output, _ m: Int, _ d: Int)
  func nearestCodes(
    _ z: Input, _ codebook: Input, _ norms: Input, _ indices: UnsafeMutablePointer<Int32>,
    _ distances: Output?, _ m: Int, _ k: Int, _ d: Int)

  // Perceptual distance
  func perceptualDistance(
    _ a: Input, _ b: Input, _ weights: Input, _ distance: Output, _ shape: Shape)
  func perceptualDistanceBackward(
    _ a: Input, _ b: Input, _ weights: Input, _ ddistance: Input, _ db: Output, _ shape: Shape)

  // Optimizers and random numbers
  func adam(
    _ parameter: Output, _ m: Output, _ v: Output, _ gradient: Input, _ count: Int, _ rule: AdamRule
  )
  func movingAverage(_ average: Output, _ x: Input, _ decay: Float, _ count: Int)
  func randomUniform(_ y: Output, _ count: Int, _ source: RandomSource)
  func randomNormal(_ y: Output, _ count: Int, _ source: RandomSource)
  func randomGumbel(_ y: Output, _ count: Int, _ source: RandomSource)
}

/// The extents of an attention operation: rows `[N, T, heads · width]`.
struct AttentionShape {
  var n: Int
  var length: Int
  var heads: Int
  /// Channels of one head, D.
  var width: Int
  /// Floats from one position of q, k and v to the next.
  var inputStride: Int
  var scale: Float
  var isCausal: Bool
  /// Positions at the start that see each other.
  var prefix: Int
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
