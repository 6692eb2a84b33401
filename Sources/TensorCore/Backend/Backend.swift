// The seam between tensors and the hardware: everything that a device must be able to do.

/// What a device does.
///
/// Operands are tensors, with shape, layout and a storage of the device; a result is written `into`
/// a tensor whose shape says its extents. Meanings are those of `kernels.h`. Results may lie in an
/// operand's storage where an operation is elementwise. Nothing is read back but by
/// `withHostBytes`.
protocol Backend: AnyObject, Sendable {
  var name: String { get }
  var pool: MemoryPool { get }
  /// How the matrix products of linear maps read their factors.
  var precision: Precision { get }
  /// The values rounded to bf16, two to a word, where this device keeps activations so and `x` is
  /// large enough to gain by it; `nil` else.
  func keptInBF16(_ x: Tensor) -> Storage?
  /// Values in bf16, two to a word, as floats.
  func widen(_ rounded: Storage, into x: Tensor)
  /// The same device, which tells `profile` what its operations take.
  func profiled(by profile: Profile) -> any Backend

  // Memory
  /// A storage without contents.
  func makeStorage(count: Int) -> Storage
  func upload(_ bytes: UnsafeRawBufferPointer, into storage: Storage)
  /// Waits for the contents and lends them to the host.
  func withHostBytes<Result>(
    of storage: Storage, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result
  /// Waits until everything that was asked for is done.
  func synchronize()

  // Layout
  /// Words that a tensor takes, padding included.
  func storedCount(_ shape: Shape, in layout: Layout) -> Int
  /// Whether convolutions read images of few channels in the plain layout.
  func readsPlainImages(channels: Int) -> Bool
  func copy(_ x: Storage, into y: Storage)
  /// A value everywhere, in the padding too.
  func fill(_ y: Tensor, with value: Float)
  func fill(_ y: Tensor, with scalar: Tensor)
  /// Between plain and one of the other layouts, as the operands say.
  func changeLayout(_ x: Tensor, into y: Tensor)
  /// Blocked `[N, C, H, W]` to rows `[N, H·W, C]`, and back.
  func rows(of x: Tensor, into y: Tensor)
  func image(of rows: Tensor, into y: Tensor)
  /// `y` is what `x` holds from `start` on along an axis, 0 in any layout, 1 in the plain one; and
  /// the reverse.
  func slice(_ x: Tensor, axis: Int, from start: Int, into y: Tensor)
  func insert(_ x: Tensor, axis: Int, at start: Int, into y: Tensor)
  /// `[A, B, C]` to `[B, A, C]`.
  func swapAxes(_ x: Tensor, into y: Tensor)
  /// `[…, A, B]` to `[…, B, A]`.
  func transpose(_ x: Tensor, into y: Tensor)
  /// Bytes `[N, H, W, 3]` to plain `[N, 3, H, W]`, and back.
  func images(of pixels: Storage, into y: Tensor)
  func pixels(of x: Tensor, into pixels: Storage)

  // Convolution and matrix product
  func convolution(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor?, _ shape: ConvolutionShape, relu: Bool,
    into y: Tensor)
  func convolutionBackwardData(
    _ dy: Tensor, _ weights: Tensor, _ shape: ConvolutionShape, into dx: Tensor)
  func convolutionBackwardWeights(
    _ x: Tensor, _ dy: Tensor, _ shape: ConvolutionShape, into dweights: Tensor, _ dbias: Tensor?)
  /// Forward alone; see Inference.swift.
  func oblongConvolution(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor, _ shape: WindowShape, relu: Bool,
    into y: Tensor)
  func depthwiseConvolution(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor, _ shape: WindowShape, into y: Tensor)
  func pool(_ x: Tensor, _ shape: WindowShape, average: Bool, into y: Tensor)
  func cut(_ x: Tensor, to low: Float, _ high: Float, into y: Tensor)
  /// `c = op(a) · op(b)` in the device's precision; `op(b)` is made of equal parts, beside each other if the shape
  /// transposes it, else below each other.
  func matrixProduct(_ a: Columns, _ b: [Tensor], _ shape: ProductShape, into c: Tensor)

  // Normalisation
  func groupNorm(
    _ x: Tensor, gamma: Tensor, beta: Tensor, groups: Int, eps: Float, silu: Bool, into y: Tensor,
    mean: Tensor, rstd: Tensor)
  func groupNormBackward(
    _ x: Tensor, _ dy: Tensor, gamma: Tensor, beta: Tensor, mean: Tensor, rstd: Tensor, groups: Int,
    silu: Bool, into dx: Tensor, _ dgamma: Tensor?, _ dbeta: Tensor?)
  func channelMoments(_ x: Tensor, intoMean mean: Tensor, variance: Tensor)
  func batchNorm(
    _ x: Tensor, mean: Tensor, rstd: Tensor, gamma: Tensor, beta: Tensor, slope: Float,
    into y: Tensor)
  func batchNormBackward(
    _ x: Tensor, _ dy: Tensor, mean: Tensor, rstd: Tensor, gamma: Tensor, beta: Tensor,
    slope: Float, into dx: Tensor, _ dgamma: Tensor?, _ dbeta: Tensor?)
  func channelAffine(_ x: Tensor, loc: Tensor, scale: Tensor, slope: Float, into y: Tensor)
  func channelAffineBackward(
    _ x: Tensor, _ dy: Tensor, loc: Tensor, scale: Tensor, slope: Float, into dx: Tensor,
    _ dloc: Tensor?, _ dscale: Tensor?)
  func layerNorm(
    _ x: Tensor, gamma: Tensor, beta: Tensor, eps: Float, into y: Tensor, mean: Tensor, rstd: Tensor
  )
  func layerNormBackward(
    _ x: Tensor, _ dy: Tensor, gamma: Tensor, mean: Tensor, rstd: Tensor, into dx: Tensor,
    _ dgamma: Tensor, _ dbeta: Tensor)

  // Resampling (blocked)
  func maxPool(_ x: Tensor, into y: Tensor)
  func maxPoolBackward(_ x: Tensor, _ dy: Tensor, into dx: Tensor)
  func upsample(_ x: Tensor, into y: Tensor)
  func upsampleBackward(_ dy: Tensor, into dx: Tensor)

  // Elementwise
  func apply(_ operation: UnaryOperation, _ x: Tensor, into y: Tensor)
  func apply(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, into y: Tensor)
  /// `saved` is the output for ReLU and leaky ReLU, the input for the others.
  func activateBackward(_ function: Activation, _ saved: Tensor, _ dy: Tensor, into dx: Tensor)
  /// `y = scalar / divisor · x`.
  func scale(_ x: Tensor, by scalar: Tensor, over divisor: Float, into y: Tensor)
  /// `y += x`.
  func accumulate(_ x: Tensor, into y: Tensor)
  /// `y = scalar / divisor · sign(a - b)`.
  func signOfDifference(
    _ a: Tensor, _ b: Tensor, times scalar: Tensor, over divisor: Float, into y: Tensor)
  /// `y = scale[c] · x + shift[c]` of plain `[N, C, H, W]`.
  func scaleChannels(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor)
  func addBias(_ x: Tensor, _ bias: Tensor, into y: Tensor)
  /// GELU of rows plus bias.
  func biasGELU(_ x: Tensor, _ bias: Tensor, into y: Tensor)
  func biasGELUBackward(_ x: Tensor, _ bias: Tensor, _ dy: Tensor, into dx: Tensor)
  /// By a mask of bytes, 0 or 1, from `randomMask`.
  func dropout(_ x: Tensor, mask: Storage, rate: Float, into y: Tensor)

  // Reductions; sums are kept in double precision and rounded once
  func reduce(_ x: Tensor, _ reduction: Reduction, over divisor: Int, into scalar: Tensor)
  /// The root of the sum of the squared norms.
  func norm(of tensors: [Tensor], into scalar: Tensor)
  /// 1 if every element is a finite number, else 0.
  func allFinite(_ x: Tensor, into scalar: Tensor)
  /// Sums over all axes but the last.
  func rowSums(_ x: Tensor, into y: Tensor)

  // Probability, over the last axis
  func softmax(_ x: Tensor, into y: Tensor)
  func softmaxBackward(_ y: Tensor, _ dy: Tensor, into dx: Tensor)
  /// Each loss times the weight of its target, if there are weights.
  func crossEntropy(
    _ logits: Tensor, _ targets: IndexTensor, weights: Tensor?, into losses: Tensor,
    logSums: Tensor)
  func crossEntropyBackward(
    _ logits: Tensor, _ targets: IndexTensor, weights: Tensor?, logSums: Tensor,
    times scalar: Tensor, over divisor: Float, into dlogits: Tensor)
  func uniformDivergence(_ logits: Tensor, into divergences: Tensor, logSums: Tensor)
  func uniformDivergenceBackward(
    _ logits: Tensor, divergences: Tensor, logSums: Tensor, times scalar: Tensor,
    over divisor: Float, into dlogits: Tensor)
  /// The lowest column of the largest value of each row `[M, K]`.
  func largestColumns(_ x: Tensor, into indices: IndexTensor)

  // Labels `[N, H, W]`
  /// Rows `[N, H·W, O]` of labels `[N, P, H, W]` with weights `[k², labels, O]`.
  func labelConvolution(
    _ labels: IndexTensor, _ weights: Tensor, _ bias: Tensor, kernel: Int, into y: Tensor)
  func labelConvolutionBackward(
    _ labels: IndexTensor, _ dy: Tensor, kernel: Int, into dweights: Tensor)
  /// The mean over all logits, a scalar.
  func labelEntropy(_ logits: Tensor, _ labels: IndexTensor, into scalar: Tensor)
  func labelEntropyBackward(
    _ logits: Tensor, _ labels: IndexTensor, times scalar: Tensor, over divisor: Float,
    into dlogits: Tensor)

  // Sequences and codes
  func gatherRows(_ table: Tensor, _ indices: IndexTensor, into y: Tensor)
  /// Adds the rows of `x` to those of `table` that their indices name.
  func scatterAddRows(_ x: Tensor, _ indices: IndexTensor, into table: Tensor)
  func attention(
    _ q: Columns, _ k: Columns, _ v: Columns, _ shape: AttentionShape, into out: Tensor,
    logSums: Tensor)
  func attentionBackward(
    _ q: Columns, _ k: Columns, _ v: Columns, out: Tensor, dout: Tensor, logSums: Tensor,
    _ shape: AttentionShape, into dq: Columns, _ dk: Columns, _ dv: Columns)
  /// Rows `[N, T, C]` as positions `start…` of a cache.
  func attentionAppend(_ rows: Columns, _ shape: CacheShape, at start: Int, into cache: Tensor)
  func attentionDecode(
    _ q: Columns, keys: Tensor, values: Tensor, _ shape: CacheShape, before: Int, scale: Float,
    into out: Tensor)
  /// The first `heads` heads of every position turned, the rest copied.
  func rotate(_ x: Tensor, heads: Int, _ rotation: Rotation, sign: Float, into y: Tensor)
  func nearestCodes(
    _ rows: Tensor, _ codebook: Tensor, into indices: IndexTensor, distances: Tensor)
  /// Rows of `sums` by their `counts` with Laplace smoothing.
  func smoothedMeans(_ sums: Tensor, counts: Tensor, eps: Float, into means: Tensor)
  func perceptualDistance(_ a: Tensor, _ b: Tensor, weights: Tensor, into distance: Tensor)
  func perceptualDistanceBackward(
    _ a: Tensor, _ b: Tensor, weights: Tensor, _ ddistance: Tensor, into db: Tensor)

  // Optimizers and random numbers
  func adam(
    _ parameter: Tensor, mean: Tensor, square: Tensor, gradient: Tensor, _ rule: AdamRule)
  /// `average = decay · average + (1 - decay) · x`.
  func moveAverage(_ average: Tensor, towards x: Tensor, decay: Float)
  func random(_ distribution: Distribution, from source: RandomSource, into y: Tensor)
  /// `count` bytes, one with probability `keep`, else zero.
  func randomMask(_ count: Int, keep: Float, from source: RandomSource, into mask: Storage)
}
