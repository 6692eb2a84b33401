// The processor's backend: the kernels of CKernels, with convolutions and matrix products by the chosen engine.
import CKernels

/// The processor, computing with one of the two engines.
struct CPUBackend: Backend {
  let engine: Engine
  var precision = Precision.float32
  let pool = MemoryPool()

  var name: String {
    precision == .float32 ? engine.rawValue : "\(engine.rawValue) \(precision.rawValue)"
  }

  private var product: ck_gemm {
    #if HAS_ONEDNN
      if engine == .onednn { return ck_gemm_onednn }
    #endif
    return ck_gemm_openblas
  }

  // MARK: Convolution and matrix product

  func convolution(
    _ shape: ck_convolution, _ x: Input, _ weights: Input, _ bias: Input?, _ y: Output, relu: Bool
  ) {
    var shape = shape
    #if HAS_ONEDNN
      if engine == .onednn,
        ck_convolution_forward_onednn(&shape, x, weights, bias, y, relu ? 1 : 0) == 0
      {
        return
      }
    #endif
    // Also for the few shapes that oneDNN has no fast kernel for.
    check(ck_convolution_forward_openblas(&shape, x, weights, bias, y, relu ? 1 : 0))
  }

  func convolutionBackwardData(_ shape: ck_convolution, _ dy: Input, _ weights: Input, _ dx: Output)
  {
    var shape = shape
    #if HAS_ONEDNN
      if engine == .onednn, ck_convolution_backward_data_onednn(&shape, dy, weights, dx) == 0 {
        return
      }
    #endif
    check(ck_convolution_backward_data_openblas(&shape, dy, weights, dx))
  }

  func convolutionBackwardWeights(
    _ shape: ck_convolution, _ x: Input, _ dy: Input, _ dweights: Output, _ dbias: Output?
  ) {
    var shape = shape
    #if HAS_ONEDNN
      if engine == .onednn,
        ck_convolution_backward_weights_onednn(&shape, x, dy, dweights, dbias) == 0
      {
        return
      }
    #endif
    check(ck_convolution_backward_weights_openblas(&shape, x, dy, dweights, dbias))
  }

  private func check(_ status: Int32) {
    precondition(status == 0, "the convolution kernel failed with status \(status)")
  }

  func gemm(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ alpha: Float,
    _ a: Input,
    _ b: Input, _ beta: Float, _ c: Output
  ) {
    product(
      transposeA ? 1 : 0, transposeB ? 1 : 0, m, n, k, alpha, a, transposeA ? m : k, b,
      transposeB ? k : n, beta, c, n)
  }

  func roundToBfloat16(_ x: Input, _ y: Output, _ count: Int) {
    #if HAS_ONEDNN
      ck_round_to_bfloat16(x, halves(y), count)
    #endif
  }

  func gemmBfloat16(
    _ transposeA: Bool, _ transposeB: Bool, _ m: Int, _ n: Int, _ k: Int, _ a: Input, _ b: Input,
    _ beta: Float, _ c: Output
  ) {
    #if HAS_ONEDNN
      ck_gemm_bfloat16(
        transposeA ? 1 : 0, transposeB ? 1 : 0, m, n, k, halves(.init(mutating: a)),
        halves(.init(mutating: b)), beta, c)
    #endif
  }

  func quantizeRows(_ x: Input, _ bytes: Output, _ scales: Output, _ rows: Int, _ columns: Int) {
    ck_quantize_rows(x, self.bytes(bytes), scales, rows, columns)
  }

  func gemmInt8(
    _ m: Int, _ n: Int, _ k: Int, _ a: Input, _ bytes: Input, _ scales: Input, _ c: Output
  ) {
    let bytes = self.bytes(.init(mutating: bytes))
    guard m > Self.fewRows else {
      ck_few_rows_int8(m, n, k, a, bytes, scales, c)
      return
    }
    let restored = Storage(count: n * k, on: Device(backend: self))
    ck_restore_rows(bytes, scales, restored.pointer, n, k)
    gemm(false, true, m, n, k, 1, a, restored.pointer, 0, c)
  }

  /// Rows up to which the product reads the weights faster as bytes than the library does as floats.
  private static let fewRows = 64

  private func halves(_ memory: Output) -> UnsafeMutablePointer<UInt16> {
    UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt16.self)
  }

  private func bytes(_ memory: Output) -> UnsafeMutablePointer<Int8> {
    UnsafeMutableRawPointer(memory).assumingMemoryBound(to: Int8.self)
  }

  // MARK: Sequences and codes

  func attention(
    _ q: Input, _ k: Input, _ v: Input, _ out: Output, _ logSums: Output, _ s: AttentionShape
  ) {
    ck_attention_forward(
      q, k, v, out, logSums, s.n, s.length, s.heads, s.width, s.inputStride, s.heads * s.width,
      s.scale,
      s.isCausal ? 1 : 0, s.prefix, product)
  }

  func attentionBackward(
    _ q: Input, _ k: Input, _ v: Input, _ out: Input, _ dout: Input, _ logSums: Input, _ dq: Output,
    _ dk: Output, _ dv: Output, _ s: AttentionShape
  ) {
    ck_attention_backward(
      q, k, v, out, dout, logSums, dq, dk, dv, s.n, s.length, s.heads, s.width, s.inputStride,
      s.heads * s.width, s.scale, s.isCausal ? 1 : 0, s.prefix, product)
  }

  func attentionKeep(
    _ rows: Input, _ cache: Output, halves: Bool, _ n: Int, count: Int, start: Int, capacity: Int,
    heads: Int, width: Int
  ) {
    ck_attention_keep(rows, cache, halves ? 1 : 0, n, count, start, capacity, heads, width)
  }

  func attentionStep(
    _ q: Input, _ keys: Input, _ values: Input, halves: Bool, _ out: Output, _ n: Int, count: Int,
    before: Int, capacity: Int, heads: Int, width: Int, scale: Float
  ) {
    ck_attention_step(
      q, keys, values, halves ? 1 : 0, out, n, count, before, capacity, heads, width, scale)
  }

  func nearestCodes(
    _ z: Input, _ codebook: Input, _ norms: Input, _ indices: UnsafeMutablePointer<Int32>,
    _ distances: Output?, _ m: Int, _ k: Int, _ d: Int
  ) {
    ck_nearest_codes(z, codebook, norms, indices, distances, m, k, d, product)
  }

  func rotate(
    _ x: Input, _ cosines: Input, _ sines: Input, _ y: Output, _ m: Int, length: Int, heads: Int,
    width: Int, sign: Float
  ) {
    ck_rotate(x, cosines, sines, y, m, length, heads, width, sign)
  }

  func rowNorms(_ x: Input, _ norms: Output, _ m: Int, _ d: Int) { ck_row_norms(x, norms, m, d) }

  func labelConvolution(
    _ labels: UnsafePointer<Int32>, _ weights: Input, _ bias: Input, _ y: Output, _ shape: Shape,
    kernel: Int, labels count: Int, outputs: Int
  ) {
    ck_label_convolution(
      labels, weights, bias, y, shape[0], shape[1], shape[2], kernel, count, outputs)
  }

  func labelConvolutionBackward(
    _ labels: UnsafePointer<Int32>, _ dy: Input, _ dweights: Output, _ shape: Shape, kernel: Int,
    labels count: Int, outputs: Int
  ) {
    ck_label_convolution_backward(
      labels, dy, dweights, shape[0], shape[1], shape[2], kernel, count, outputs)
  }

  func gatherRows(_ table: Input, _ indices: UnsafePointer<Int32>, _ y: Output, _ m: Int, _ d: Int)
  {
    ck_gather_rows(table, indices, y, m, d)
  }

  func scatterAddRows(
    _ dy: Input, _ indices: UnsafePointer<Int32>, _ dtable: Output, _ m: Int, _ d: Int, _ rows: Int
  ) {
    ck_scatter_add_rows(dy, indices, dtable, m, d, rows)
  }

  // MARK: Optimizers and random numbers

  func adam(
    _ parameter: Output, _ m: Output, _ v: Output, _ gradient: Input, _ count: Int, _ rule: AdamRule
  ) {
    ck_adam(
      parameter, m, v, gradient, count, rule.learningRate, rule.beta1, rule.beta2, rule.eps,
      rule.weightDecay, rule.step)
  }

  func movingAverage(_ average: Output, _ x: Input, _ decay: Float, _ count: Int) {
    ck_moving_average(average, x, decay, count)
  }

  func randomUniform(_ y: Output, _ count: Int, _ source: RandomSource) {
    ck_random_uniform(y, count, source.seed, source.stream, source.position)
  }

  func randomGumbel(_ y: Output, _ count: Int, _ source: RandomSource) {
    ck_random_gumbel(y, count, source.seed, source.stream, source.position)
  }

  func randomNormal(_ y: Output, _ count: Int, _ source: RandomSource) {
    ck_random_normal(y, count, source.seed, source.stream, source.position)
  }
}
