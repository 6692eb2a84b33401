// A backend that times what another one computes.
import CKernels

/// Passes everything on and notes how long it took, how many operations it was and how many floats it had to move at least.
struct ProfilingBackend: Backend {
  let base: any Backend
  let profile: Profile

  var name: String { base.name }
  var pool: MemoryPool { base.pool }
  var precision: Precision { base.precision }

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

  func attentionKeep(
    _ rows: Input, _ cache: Output, halves: Bool, _ n: Int, count: Int, start: Int, capacity: Int,
    heads: Int, width: Int
  ) {
    profile.time("attention keep", floats: 2 * n * count * heads * width) {
      base.attentionKeep(
        rows, cache, halves: halves, n, count: count, start: start, capacity: capacity,
        heads: heads, width: width)
    }
  }

  func attentionStep(
    _ q: Input, _ keys: Input, _ values: Input, halves: Bool, _ out: Output, _ n: Int, count: Int,
    before: Int, capacity: Int, heads: Int, width: Int, scale: Float
  ) {
    let pairs = n * heads * count * (2 * before + count + 1) / 2
    profile.time(
      "attention step", operations: 4 * pairs * width,
      floats: (halves ? 1 : 2) * n * heads * (before + count) * width
    ) {
      base.attentionStep(
        q, keys, values, halves: halves, out, n, count: count, before: before, capacity: capacity,
        heads: heads, width: width, scale: scale)
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
