// A backend that times what another one computes.
import CKernels

/// Passes everything on and notes how long it took, how many operations it was and how many floats it had to move at least.
struct ProfilingBackend: Backend {
  let base: any Backend
  let profile: Profile

  var name: String { base.name }
  var pool: MemoryPool { base.pool }
  var precision: Precision { base.precision }

  func copy(_ from: Input, _ to: Output, _ count: Int) {
    profile.time("copy", floats: 2 * count) { base.copy(from, to, count) }
  }

  func fill(_ to: Output, _ value: Float, _ count: Int) {
    profile.time("fill", floats: count) { base.fill(to, value, count) }
  }

  func plainToBlocked(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    profile.time("plain to blocked", floats: 2 * n * c * hw) { base.plainToBlocked(x, y, n, c, hw) }
  }

  func blockedToPlain(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    profile.time("blocked to plain", floats: 2 * n * c * hw) { base.blockedToPlain(x, y, n, c, hw) }
  }

  func blockedToRows(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    profile.time("blocked to rows", floats: 2 * n * c * hw) { base.blockedToRows(x, y, n, c, hw) }
  }

  func rowsToBlocked(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    profile.time("rows to blocked", floats: 2 * n * c * hw) { base.rowsToBlocked(x, y, n, c, hw) }
  }

  func weightsToBlocked(_ x: Input, _ y: Output, _ o: Int, _ i: Int, _ taps: Int) {
    profile.time("weights to blocked", floats: 2 * o * i * taps) {
      base.weightsToBlocked(x, y, o, i, taps)
    }
  }

  func weightsToPlain(_ x: Input, _ y: Output, _ o: Int, _ i: Int, _ taps: Int) {
    profile.time("weights to plain", floats: 2 * o * i * taps) {
      base.weightsToPlain(x, y, o, i, taps)
    }
  }

  func transpose(_ x: Input, _ y: Output, _ batch: Int, _ a: Int, _ b: Int) {
    profile.time("transpose", floats: 2 * batch * a * b) { base.transpose(x, y, batch, a, b) }
  }

  func pixelsToPlain(_ pixels: UnsafePointer<UInt8>, _ y: Output, _ n: Int, _ hw: Int) {
    profile.time("pixels to plain", floats: 15 * n * hw / 4) {
      base.pixelsToPlain(pixels, y, n, hw)
    }
  }

  func plainToPixels(_ x: Input, _ pixels: UnsafeMutablePointer<UInt8>, _ n: Int, _ hw: Int) {
    profile.time("plain to pixels", floats: 15 * n * hw / 4) {
      base.plainToPixels(x, pixels, n, hw)
    }
  }

  func convolution(
    _ shape: ck_convolution, _ x: Input, _ weights: Input, _ bias: Input?, _ y: Output, relu: Bool
  ) {
    profile.time("convolution \(shape.summary)", operations: shape.operations, floats: shape.floats)
    { base.convolution(shape, x, weights, bias, y, relu: relu) }
  }

  func convolutionBackwardData(_ shape: ck_convolution, _ dy: Input, _ weights: Input, _ dx: Output)
  {
    profile.time(
      "convolution, data gradient \(shape.summary)", operations: shape.operations,
      floats: shape.floats
    ) { base.convolutionBackwardData(shape, dy, weights, dx) }
  }

  func convolutionBackwardWeights(
    _ shape: ck_convolution, _ x: Input, _ dy: Input, _ dweights: Output, _ dbias: Output?
  ) {
    profile.time(
      "convolution, weight gradient \(shape.summary)", operations: shape.operations,
      floats: shape.floats
    ) { base.convolutionBackwardWeights(shape, x, dy, dweights, dbias) }
  }

  func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Float,
    _ a: Input, _ b: Input, _ beta: Float, _ c: Output
  ) {
    profile.time("gemm \(m)×\(n)×\(k)", operations: 2 * m * n * k, floats: m * k + k * n + m * n) {
      base.gemm(transposeA, transposeB, m, n, k, alpha, a, b, beta, c)
    }
  }

  func roundToBfloat16(_ x: Input, _ y: Output, _ count: Int) {
    profile.time("round to bfloat16", floats: 3 * count / 2) { base.roundToBfloat16(x, y, count) }
  }

  func gemmBfloat16(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: Input, _ b: Input,
    _ beta: Float, _ c: Output
  ) {
    profile.time(
      "gemm, bfloat16 \(m)×\(n)×\(k)", operations: 2 * m * n * k,
      floats: (m * k + k * n) / 2 + m * n
    ) { base.gemmBfloat16(transposeA, transposeB, m, n, k, a, b, beta, c) }
  }

  func quantizeRows(_ x: Input, _ bytes: Output, _ scales: Output, _ rows: Int, _ columns: Int) {
    profile.time("quantize rows", floats: 5 * rows * columns / 4) {
      base.quantizeRows(x, bytes, scales, rows, columns)
    }
  }

  func gemmInt8(
    _ m: Int, _ n: Int, _ k: Int, _ a: Input, _ bytes: Input, _ scales: Input, _ c: Output
  ) {
    profile.time(
      "gemm, 8-bit weights \(m)×\(n)×\(k)", operations: 2 * m * n * k,
      floats: m * k + k * n / 4 + m * n
    ) { base.gemmInt8(m, n, k, a, bytes, scales, c) }
  }

  func groupNorm(
    _ x: Input, _ gamma: Input, _ beta: Input, _ y: Output, _ mean: Output, _ rstd: Output,
    _ shape: Shape, groups: Int, eps: Float, silu: Bool
  ) {
    profile.time("group norm", floats: 3 * shape.count) {
      base.groupNorm(x, gamma, beta, y, mean, rstd, shape, groups: groups, eps: eps, silu: silu)
    }
  }

  func groupNormBackward(
    _ x: Input, _ dy: Input, _ gamma: Input, _ beta: Input, _ mean: Input, _ rstd: Input,
    _ dx: Output, _ dgamma: Output?, _ dbeta: Output?, _ shape: Shape, groups: Int, silu: Bool
  ) {
    profile.time("group norm backward", floats: 5 * shape.count) {
      base.groupNormBackward(
        x, dy, gamma, beta, mean, rstd, dx, dgamma, dbeta, shape, groups: groups, silu: silu)
    }
  }

  func channelMoments(_ x: Input, _ mean: Output, _ variance: Output, _ shape: Shape) {
    profile.time("channel moments", floats: shape.count) {
      base.channelMoments(x, mean, variance, shape)
    }
  }

  func batchNorm(
    _ x: Input, _ mean: Input, _ rstd: Input, _ gamma: Input, _ beta: Input, _ y: Output,
    _ shape: Shape, slope: Float
  ) {
    profile.time("batch norm", floats: 2 * shape.count) {
      base.batchNorm(x, mean, rstd, gamma, beta, y, shape, slope: slope)
    }
  }

  func batchNormBackward(
    _ x: Input, _ dy: Input, _ mean: Input, _ rstd: Input, _ gamma: Input, _ beta: Input,
    _ dx: Output, _ dgamma: Output?, _ dbeta: Output?, _ shape: Shape, slope: Float
  ) {
    profile.time("batch norm backward", floats: 5 * shape.count) {
      base.batchNormBackward(x, dy, mean, rstd, gamma, beta, dx, dgamma, dbeta, shape, slope: slope)
    }
  }

  func channelAffine(
    _ x: Input, _ loc: Input, _ scale: Input, _ y: Output, _ shape: Shape, slope: Float
  ) {
    profile.time("channel affine", floats: 2 * shape.count) {
      base.channelAffine(x, loc, scale, y, shape, slope: slope)
    }
  }

  func channelAffineBackward(
    _ x: Input, _ dy: Input, _ loc: Input, _ scale: Input, _ dx: Output, _ dloc: Output?,
    _ dscale: Output?, _ shape: Shape, slope: Float
  ) {
    profile.time("channel affine backward", floats: 3 * shape.count) {
      base.channelAffineBackward(x, dy, loc, scale, dx, dloc, dscale, shape, slope: slope)
    }
  }

  func layerNorm(
    _ x: Input, _ gamma: Input, _ beta: Input, _ y: Output, _ mean: Output, _ rstd: Output,
    _ m: Int, _ c: Int, eps: Float
  ) {
    profile.time("layer norm", floats: 2 * m * c) {
      base.layerNorm(x, gamma, beta, y, mean, rstd, m, c, eps: eps)
    }
  }

  func layerNormBackward(
    _ x: Input, _ dy: Input, _ gamma: Input, _ mean: Input, _ rstd: Input, _ dx: Output,
    _ dgamma: Output, _ dbeta: Output, _ m: Int, _ c: Int
  ) {
    profile.time("layer norm backward", floats: 3 * m * c) {
      base.layerNormBackward(x, dy, gamma, mean, rstd, dx, dgamma, dbeta, m, c)
    }
  }

  func maxPool(_ x: Input, _ y: Output, _ shape: Shape) {
    profile.time("max pool", floats: 5 * shape.count / 4) { base.maxPool(x, y, shape) }
  }

  func maxPoolBackward(_ x: Input, _ dy: Input, _ dx: Output, _ shape: Shape) {
    profile.time("max pool backward", floats: 9 * shape.count / 4) {
      base.maxPoolBackward(x, dy, dx, shape)
    }
  }

  func upsample(_ x: Input, _ y: Output, _ shape: Shape) {
    profile.time("upsample", floats: 5 * shape.count) { base.upsample(x, y, shape) }
  }

  func upsampleBackward(_ dy: Input, _ dx: Output, _ shape: Shape) {
    profile.time("upsample backward", floats: 5 * shape.count) {
      base.upsampleBackward(dy, dx, shape)
    }
  }

  func activate(_ function: Activation, _ x: Input, _ y: Output, _ count: Int) {
    profile.time("activate", floats: 2 * count) { base.activate(function, x, y, count) }
  }

  func activateBackward(
    _ function: Activation, _ saved: Input, _ dy: Input, _ dx: Output, _ count: Int
  ) {
    profile.time("activate backward", floats: 3 * count) {
      base.activateBackward(function, saved, dy, dx, count)
    }
  }

  func biasGELU(_ x: Input, _ bias: Input, _ y: Output, _ m: Int, _ c: Int) {
    profile.time("bias and GELU", floats: 2 * m * c) { base.biasGELU(x, bias, y, m, c) }
  }

  func biasGELUBackward(
    _ x: Input, _ bias: Input, _ dy: Input, _ dx: Output, _ m: Int, _ c: Int
  ) {
    profile.time("bias and GELU backward", floats: 3 * m * c) {
      base.biasGELUBackward(x, bias, dy, dx, m, c)
    }
  }

  func add(_ a: Input, _ b: Input, _ y: Output, _ count: Int) {
    profile.time("add", floats: 3 * count) { base.add(a, b, y, count) }
  }

  func subtract(_ a: Input, _ b: Input, _ y: Output, _ count: Int) {
    profile.time("subtract", floats: 3 * count) { base.subtract(a, b, y, count) }
  }

  func multiply(_ a: Input, _ b: Input, _ y: Output, _ count: Int) {
    profile.time("multiply", floats: 3 * count) { base.multiply(a, b, y, count) }
  }

  func scale(_ x: Input, _ y: Output, _ alpha: Float, _ beta: Float, _ count: Int) {
    profile.time("scale", floats: 2 * count) { base.scale(x, y, alpha, beta, count) }
  }

  func accumulate(_ x: Input, _ y: Output, _ alpha: Float, _ count: Int) {
    profile.time("accumulate", floats: 3 * count) { base.accumulate(x, y, alpha, count) }
  }

  func signOfDifference(_ a: Input, _ b: Input, _ y: Output, _ scale: Float, _ count: Int) {
    profile.time("sign of difference", floats: 3 * count) {
      base.signOfDifference(a, b, y, scale, count)
    }
  }

  func scaleChannels(
    _ x: Input, _ scale: Input, _ shift: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int
  ) {
    profile.time("scale channels", floats: 2 * n * c * hw) {
      base.scaleChannels(x, scale, shift, y, n, c, hw)
    }
  }

  func addBias(_ x: Input, _ bias: Input, _ y: Output, _ m: Int, _ c: Int) {
    profile.time("add bias", floats: 2 * m * c) { base.addBias(x, bias, y, m, c) }
  }

  func dropout(_ x: Input, _ mask: UnsafePointer<UInt8>, _ y: Output, _ rate: Float, _ count: Int) {
    profile.time("dropout", floats: 9 * count / 4) { base.dropout(x, mask, y, rate, count) }
  }

  func allFinite(_ x: Input, _ count: Int) -> Bool {
    profile.time("all finite", floats: count) { base.allFinite(x, count) }
  }

  func sum(_ x: Input, _ count: Int) -> Double {
    profile.time("sum", floats: count) { base.sum(x, count) }
  }

  func sumOfAbsoluteDifferences(_ a: Input, _ b: Input, _ count: Int) -> Double {
    profile.time("sum of absolute differences", floats: 2 * count) {
      base.sumOfAbsoluteDifferences(a, b, count)
    }
  }

  func sumOfSquares(_ x: Input, _ count: Int) -> Double {
    profile.time("sum of squares", floats: count) { base.sumOfSquares(x, count) }
  }

  func sumOfSquaredDifferences(_ a: Input, _ b: Input, _ count: Int) -> Double {
    profile.time("sum of squared differences", floats: 2 * count) {
      base.sumOfSquaredDifferences(a, b, count)
    }
  }

  func rowSums(_ dy: Input, _ db: Output, _ m: Int, _ c: Int) {
    profile.time("row sums", floats: m * c) { base.rowSums(dy, db, m, c) }
  }

  func softmax(_ x: Input, _ y: Output, _ m: Int, _ c: Int) {
    profile.time("softmax", floats: 2 * m * c) { base.softmax(x, y, m, c) }
  }

  func softmaxBackward(_ y: Input, _ dy: Input, _ dx: Output, _ m: Int, _ c: Int) {
    profile.time("softmax backward", floats: 3 * m * c) { base.softmaxBackward(y, dy, dx, m, c) }
  }

  func crossEntropy(
    _ logits: Input, _ targets: UnsafePointer<Int32>, _ losses: Output, _ logSums: Output, _ m: Int,
    _ v: Int
  ) {
    profile.time("cross entropy", floats: m * v) {
      base.crossEntropy(logits, targets, losses, logSums, m, v)
    }
  }

  func crossEntropyBackward(
    _ logits: Input, _ targets: UnsafePointer<Int32>, _ logSums: Input, _ dlogits: Output,
    _ scale: Float, _ m: Int, _ v: Int
  ) {
    profile.time("cross entropy backward", floats: 2 * m * v) {
      base.crossEntropyBackward(logits, targets, logSums, dlogits, scale, m, v)
    }
  }

  func uniformDivergence(
    _ logits: Input, _ divergences: Output, _ logSums: Output, _ m: Int, _ k: Int
  ) {
    profile.time("uniform divergence", floats: m * k) {
      base.uniformDivergence(logits, divergences, logSums, m, k)
    }
  }

  func uniformDivergenceBackward(
    _ logits: Input, _ divergences: Input, _ logSums: Input, _ dlogits: Output, _ scale: Float,
    _ m: Int, _ k: Int
  ) {
    profile.time("uniform divergence backward", floats: 2 * m * k) {
      base.uniformDivergenceBackward(logits, divergences, logSums, dlogits, scale, m, k)
    }
  }

  func labelConvolution(
    _ labels: UnsafePointer<Int32>, _ weights: Input, _ bias: Input, _ y: Output, _ shape: Shape,
    kernel: Int, labels count: Int, outputs: Int
  ) {
    profile.time("label convolution", floats: shape.count * outputs * (kernel * kernel + 1)) {
      base.labelConvolution(
        labels, weights, bias, y, shape, kernel: kernel, labels: count, outputs: outputs)
    }
  }

  func labelConvolutionBackward(
    _ labels: UnsafePointer<Int32>, _ dy: Input, _ dweights: Output, _ shape: Shape, kernel: Int,
    labels count: Int, outputs: Int
  ) {
    profile.time("label convolution backward", floats: shape.count * outputs * kernel * kernel) {
      base.labelConvolutionBackward(
        labels, dy, dweights, shape, kernel: kernel, labels: count, outputs: outputs)
    }
  }

  func labelEntropy(
    _ logits: Input, _ labels: UnsafePointer<Int32>, _ sums: Output, _ shape: Shape
  ) {
    profile.time("label entropy", floats: shape.count) {
      base.labelEntropy(logits, labels, sums, shape)
    }
  }

  func labelEntropyBackward(
    _ logits: Input, _ labels: UnsafePointer<Int32>, _ dlogits: Output, _ scale: Float,
    _ shape: Shape
  ) {
    profile.time("label entropy backward", floats: 2 * shape.count) {
      base.labelEntropyBackward(logits, labels, dlogits, scale, shape)
    }
  }

  func gatherRows(_ table: Input, _ indices: UnsafePointer<Int32>, _ y: Output, _ m: Int, _ d: Int)
  {
    profile.time("gather rows", floats: 2 * m * d) { base.gatherRows(table, indices, y, m, d) }
  }

  func scatterAddRows(
    _ dy: Input, _ indices: UnsafePointer<Int32>, _ dtable: Output, _ m: Int, _ d: Int, _ rows: Int
  ) {
    profile.time("scatter add rows", floats: 2 * m * d) {
      base.scatterAddRows(dy, indices, dtable, m, d, rows)
    }
  }

  func attention(
    _ q: Input, _ k: Input, _ v: Input, _ out: Output, _ logSums: Output, _ s: AttentionShape
  ) {
    profile.time("attention", operations: s.operations, floats: 4 * s.floats) {
      base.attention(q, k, v, out, logSums, s)
    }
  }

  func attentionBackward(
    _ q: Input, _ k: Input, _ v: Input, _ out: Input, _ dout: Input, _ logSums: Input, _ dq: Output,
    _ dk: Output, _ dv: Output, _ s: AttentionShape
  ) {
    profile.time("attention backward", operations: 5 * s.operations / 2, floats: 8 * s.floats) {
      base.attentionBackward(q, k, v, out, dout, logSums, dq, dk, dv, s)
    }
  }

  func attentionStep(
    _ q: Input, _ keys: Input, _ values: Input, _ out: Output, _ n: Int, length: Int, capacity: Int,
    heads: Int, width: Int, scale: Float
  ) {
    profile.time(
      "attention step", operations: 4 * n * length * heads * width,
      floats: 2 * n * length * heads * width
    ) {
      base.attentionStep(
        q, keys, values, out, n, length: length, capacity: capacity, heads: heads, width: width,
        scale: scale)
    }
  }

  func rotate(
    _ x: Input, _ cosines: Input, _ sines: Input, _ y: Output, _ m: Int, length: Int, heads: Int,
    width: Int, sign: Float
  ) {
    profile.time("rotary positions", floats: 2 * m * heads * width) {
      base.rotate(
        x, cosines, sines, y, m, length: length, heads: heads, width: width, sign: sign)
    }
  }

  func rowNorms(_ x: Input, _ norms: Output, _ m: Int, _ d: Int) {
    profile.time("row norms", floats: m * d) { base.rowNorms(x, norms, m, d) }
  }

  func nearestCodes(
    _ z: Input, _ codebook: Input, _ norms: Input, _ indices: UnsafeMutablePointer<Int32>,
    _ distances: Output?, _ m: Int, _ k: Int, _ d: Int
  ) {
    profile.time("nearest codes", operations: 2 * m * k * d, floats: m * d + k * d) {
      base.nearestCodes(z, codebook, norms, indices, distances, m, k, d)
    }
  }

  func perceptualDistance(
    _ a: Input, _ b: Input, _ weights: Input, _ distance: Output, _ shape: Shape
  ) {
    profile.time("perceptual distance", floats: 2 * shape.count) {
      base.perceptualDistance(a, b, weights, distance, shape)
    }
  }

  func perceptualDistanceBackward(
    _ a: Input, _ b: Input, _ weights: Input, _ ddistance: Input, _ db: Output, _ shape: Shape
  ) {
    profile.time("perceptual distance backward", floats: 3 * shape.count) {
      base.perceptualDistanceBackward(a, b, weights, ddistance, db, shape)
    }
  }

  func adam(
    _ parameter: Output, _ m: Output, _ v: Output, _ gradient: Input, _ count: Int, _ rule: AdamRule
  ) {
    profile.time("adam", floats: 7 * count) { base.adam(parameter, m, v, gradient, count, rule) }
  }

  func movingAverage(_ average: Output, _ x: Input, _ decay: Float, _ count: Int) {
    profile.time("moving average", floats: 3 * count) {
      base.movingAverage(average, x, decay, count)
    }
  }

  func randomUniform(_ y: Output, _ count: Int, _ source: RandomSource) {
    profile.time("random uniform", floats: count) { base.randomUniform(y, count, source) }
  }

  func randomGumbel(_ y: Output, _ count: Int, _ source: RandomSource) {
    profile.time("random gumbel", floats: count) { base.randomGumbel(y, count, source) }
  }

  func randomNormal(_ y: Output, _ count: Int, _ source: RandomSource) {
    profile.time("random normal", floats: count) { base.randomNormal(y, count, source) }
  }
}

extension ck_convolution {
  /// `128→256 3×3/2 64×64 ×4`: channels, kernel with its stride, places of the output, images.
  fileprivate var summary: String {
    "\(in_channels)→\(out_channels) \(kernel)×\(kernel)\(stride > 1 ? "/\(stride)" : "") "
      + "\(out_height)×\(out_width) ×\(n)"
  }

  fileprivate var operations: Int {
    2 * n * out_channels * out_height * out_width * in_channels * kernel * kernel
  }

  fileprivate var floats: Int {
    n * (in_channels * in_height * in_width + out_channels * out_height * out_width)
      + in_channels * out_channels * kernel * kernel
  }
}

extension AttentionShape {
  fileprivate var operations: Int {
    4 * n * heads * width * length * length / (isCausal ? 2 : 1)
  }

  fileprivate var floats: Int { n * length * heads * width }
}
