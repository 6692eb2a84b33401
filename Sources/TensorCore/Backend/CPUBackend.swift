// The processor's backend: the kernels of CKernels.
import CKernels

/// The processor.
final class CPUBackend: Backend {
  let precision: Precision
  /// Whether large activations are kept for the backward pass in bf16, and convolutions without a
  /// transform multiply in it.
  private let keepsBF16: Bool
  let pool: MemoryPool
  let profile: Profile?

  init(
    precision: Precision = .float32, keepsBF16: Bool = false, profile: Profile? = nil,
    pool: MemoryPool = MemoryPool(allocate: { ck_allocate($0) }, free: { ck_deallocate($0) })
  ) {
    self.precision = precision
    self.keepsBF16 = keepsBF16
    self.profile = profile
    self.pool = pool
  }

  var name: String {
    if keepsBF16 { return "cpu, activations kept in bf16" }
    return precision == .float32 ? "cpu" : "cpu \(precision.rawValue)"
  }

  var device: Device { Device(backend: self) }

  func profiled(by profile: Profile) -> any Backend {
    CPUBackend(precision: precision, keepsBF16: keepsBF16, profile: profile, pool: pool)
  }

  /// Runs one operation, timed if there is a profile.
  ///
  /// - Parameters:
  ///   - operations: multiplications and additions counted apart; 0 where they mean little.
  ///   - floats: read and written at least.
  @inline(__always)
  func timed(
    _ name: @autoclosure () -> String, operations: @autoclosure () -> Int = 0,
    floats: @autoclosure () -> Int, _ operation: () -> Void
  ) {
    guard let profile else { return operation() }
    profile.time(name(), operations: operations(), floats: floats(), operation)
  }

  /// Runs `body` with the indices in this device's memory.
  @inline(__always)
  func with(_ indices: IndexTensor, _ body: (UnsafeMutablePointer<Int32>) -> Void) {
    let storage = indices.storage(on: device)
    withExtendedLifetime(storage) { body(storage.integers) }
  }

  // MARK: Activations kept for the backward pass

  /// Values below which a tensor is kept as it is.
  private static let fewValues = 1 << 15

  func keptInBF16(_ x: Tensor) -> Storage? {
    keepsBF16 && x.stored >= Self.fewValues ? bfloat16(of: x) : nil
  }

  func widen(_ rounded: Storage, into x: Tensor) {
    timed("widen bf16", floats: 3 * x.stored / 2) {
      ck_widen_bfloat16(rounded.bf16, x.floats, x.stored)
    }
  }

  // MARK: Convolution

  func convolution(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor?, _ shape: ConvolutionShape, relu: Bool,
    into y: Tensor
  ) {
    timed("convolution \(shape.summary)", operations: shape.operations, floats: shape.floats) {
      var form = shape.form(imagesIn: x.layout, bfloat16: keepsBF16)
      ck_convolution_forward(
        &form, x.floats, weights.floats, bias?.floats, y.floats, relu ? 1 : 0)
    }
  }

  func convolutionBackwardData(
    _ dy: Tensor, _ weights: Tensor, _ shape: ConvolutionShape, into dx: Tensor
  ) {
    timed(
      "convolution, data gradient \(shape.summary)", operations: shape.operations,
      floats: shape.floats
    ) {
      var form = shape.form(imagesIn: dx.layout, bfloat16: keepsBF16)
      ck_convolution_backward_data(&form, dy.floats, weights.floats, dx.floats)
    }
  }

  func convolutionBackwardWeights(
    _ x: Tensor, _ dy: Tensor, _ shape: ConvolutionShape, into dweights: Tensor, _ dbias: Tensor?
  ) {
    timed(
      "convolution, weight gradient \(shape.summary)", operations: shape.operations,
      floats: shape.floats
    ) {
      var form = shape.form(imagesIn: x.layout, bfloat16: keepsBF16)
      ck_convolution_backward_weights(
        &form, x.floats, dy.floats, dweights.floats, dbias?.floats)
    }
  }

  // MARK: Matrix product

  func matrixProduct(_ a: Columns, _ b: [Tensor], _ s: ProductShape, into c: Tensor) {
    guard b.count == 1 || b[0].shape[0] % Int(CK_JOINT) == 0 else {
      return matrixProduct(a, [stacked(b)], s, into: c)
    }
    switch precision {
    case .bfloat16: productOfHalves(a, b, s, into: c)
    // Bytes are for `x · weightᵀ` alone.
    case .int8 where !s.transposesFirst && s.transposesSecond && b[0].rank == 2:
      productOfBytes(a, b, s, into: c)
    case .float32, .int8:
      timed(
        "gemm \(s.m)×\(s.n)×\(s.k)", operations: s.operations,
        floats: s.m * s.k + s.k * s.n + s.m * s.n
      ) { multiply(a, b.map { .init($0.floats) }, s, into: c) }
    }
  }

  private func stacked(_ parts: [Tensor]) -> Tensor {
    let (rows, columns) = (parts[0].shape[0], parts[0].shape[1])
    let whole = Tensor(uninitialized: [parts.count * rows, columns], on: device)
    for (index, part) in parts.enumerated() {
      insert(part, axis: 0, at: index * rows, into: whole)
    }
    return whole
  }

  private func multiply(
    _ a: Columns, _ b: [UnsafePointer<Float>?], _ s: ProductShape, into c: Tensor
  ) {
    ck_joined_gemm(
      s.transposesFirst ? 1 : 0, s.transposesSecond ? 1 : 0, s.m, s.n, s.k, 1, a.floats, a.stride,
      b, b.count, s.transposesSecond ? s.k : s.n, 0, c.floats, s.n)
  }

  private func productOfHalves(_ a: Columns, _ b: [Tensor], _ s: ProductShape, into c: Tensor) {
    let first = bfloat16(of: a.tensor)
    let second = b.map { bfloat16(of: $0) }
    timed(
      "gemm, bfloat16 \(s.m)×\(s.n)×\(s.k)", operations: s.operations,
      floats: (s.m * s.k + s.k * s.n) / 2 + s.m * s.n
    ) {
      ck_gemm_bfloat16(
        s.transposesFirst ? 1 : 0, s.transposesSecond ? 1 : 0, s.m, s.n, s.k, first.bf16 + a.first,
        a.stride, second.map { .init($0.bf16) }, second.count, c.floats)
    }
  }

  /// Rows up to which the product reads the weights faster as bytes than the library does as
  /// floats.
  private static let fewRows = 64

  private func productOfBytes(_ a: Columns, _ b: [Tensor], _ s: ProductShape, into c: Tensor) {
    let rows = b.map { int8(of: $0) }
    timed(
      "gemm, 8-bit weights \(s.m)×\(s.n)×\(s.k)", operations: s.operations,
      floats: s.m * s.k + s.k * s.n / 4 + s.m * s.n
    ) {
      guard s.m > Self.fewRows else {
        ck_skinny_gemm_int8(
          s.m, s.n, s.k, a.floats, rows.map { .init($0.values.signedBytes) },
          rows.map { .init($0.scales.floats) }, rows.count, c.floats)
        return
      }
      let restored = rows.map { part in
        let whole = makeStorage(count: s.n / b.count * s.k)
        ck_restore_rows(
          part.values.signedBytes, part.scales.floats, whole.floats, s.n / b.count, s.k)
        return whole
      }
      withExtendedLifetime(restored) {
        multiply(a, restored.map { .init($0.floats) }, s, into: c)
      }
    }
  }
}

extension ConvolutionShape {
  fileprivate func form(imagesIn layout: Layout, bfloat16: Bool) -> ck_convolution {
    ck_convolution(
      n: images, in_channels: inputs, out_channels: outputs, in_height: inputHeight,
      in_width: inputWidth, out_height: outputHeight, out_width: outputWidth, kernel: kernel,
      stride: options.stride, dilation: options.dilation, pad_top: options.padTop,
      pad_left: options.padLeft,
      plain_input: layout == .plain ? 1 : 0, winograd: options.allowsWinograd ? 1 : 0,
      bfloat16: bfloat16 ? 1 : 0)
  }

  /// `128→256 3×3/2 64×64 ×4`: channels, kernel with its stride, positions of the output, images.
  fileprivate var summary: String {
    "\(inputs)→\(outputs) \(kernel)×\(kernel)\(options.stride > 1 ? "/\(options.stride)" : "") "
      + "\(outputHeight)×\(outputWidth) ×\(images)"
  }

  fileprivate var operations: Int {
    2 * images * outputs * outputHeight * outputWidth * inputs * kernel * kernel
  }

  fileprivate var floats: Int {
    images * (inputs * inputHeight * inputWidth + outputs * outputHeight * outputWidth)
      + inputs * outputs * kernel * kernel
  }
}

extension ProductShape {
  fileprivate var operations: Int { 2 * m * n * k }
}
