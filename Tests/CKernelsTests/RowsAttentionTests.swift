import CKernels
import Foundation
import Testing

@Suite struct RowsAttentionTests {
  struct Shape: CustomTestStringConvertible, Sendable {
    var n, t, heads, d: Int
    var causal = false
    var prefix = 0
    var step = 0
    var context = 0
    /// Fraction of the weights that is dropped.
    var rate: Float = 0

    var channels: Int { heads * d }
    /// q, k and v are thirds of rows [N, T, 3 C].
    var stride: Int { 3 * channels }
    var scale: Float { 1 / Float(d).squareRoot() }
    var testDescription: String {
      "N \(n) T \(t) heads \(heads) D \(d) causal \(causal) prefix \(prefix) "
        + "band \(context)·\(step) dropping \(rate)"
    }

    func sees(_ i: Int, _ j: Int) -> Bool {
      if context > 0, j / step <= i / step - context { return false }
      if step > 0, context == 0 { return j / step <= i / step }
      return !causal || j <= i || (i < prefix && j < prefix)
    }

    /// Which weights are kept, [N, heads, T, T]: a byte for each.
    var kept: [UInt8] {
      (0..<n * heads * t * t).map { $0 * 2_654_435_761 >> 7 % 100 < Int(100 * rate) ? 0 : 1 }
    }

    /// What weight (i, j) of a head counts.
    func factor(_ head: Int, _ i: Int, _ j: Int, _ kept: [UInt8]) -> Double {
      rate == 0 ? 1 : kept[(head * t + i) * t + j] == 0 ? 0 : 1 / (1 - Double(rate))
    }
  }

  /// One and several blocks of queries, few and many heads, prefixes at and beside the borders.
  static let shapes = [
    Shape(n: 1, t: 1, heads: 1, d: 1), Shape(n: 2, t: 5, heads: 3, d: 4, causal: true),
    Shape(n: 1, t: 150, heads: 1, d: 7, causal: true),
    Shape(n: 1, t: 300, heads: 2, d: 5, causal: true, prefix: 150),
    Shape(n: 3, t: 140, heads: 3, d: 3, causal: true, prefix: 130),
    Shape(n: 2, t: 129, heads: 4, d: 5, causal: true, prefix: 128),
    Shape(n: 1, t: 130, heads: 2, d: 8), Shape(n: 3, t: 33, heads: 3, d: 16),
    Shape(n: 2, t: 40, heads: 5, d: 8, causal: true, prefix: 100),
    // Heads of whole lanes: products of our own; 96 channels and more by the library.
    Shape(n: 2, t: 81, heads: 4, d: 32, causal: true, prefix: 37),
    Shape(n: 1, t: 64, heads: 9, d: 48, causal: true), Shape(n: 1, t: 47, heads: 2, d: 64),
    Shape(n: 1, t: 35, heads: 1, d: 96, causal: true),
    // Bands: within, at and beyond blocks and lanes, few and many heads, the last step cut.
    Shape(n: 1, t: 1, heads: 1, d: 4, causal: true, step: 3, context: 1),
    Shape(n: 1, t: 100, heads: 2, d: 16, causal: true, step: 5, context: 2),
    Shape(n: 2, t: 131, heads: 4, d: 12, causal: true, step: 17, context: 3),
    Shape(n: 1, t: 96, heads: 1, d: 32, causal: true, step: 32, context: 1),
    Shape(n: 3, t: 70, heads: 3, d: 48, causal: true, step: 10, context: 9),
    // Whole steps, few and many heads, the last step cut.
    Shape(n: 1, t: 100, heads: 2, d: 16, causal: true, step: 17),
    Shape(n: 2, t: 131, heads: 4, d: 12, causal: true, step: 40),
    Shape(n: 1, t: 70, heads: 1, d: 8, causal: true, step: 100),
    // Dropped weights, few and many heads, blocks that are cut.
    Shape(n: 1, t: 40, heads: 2, d: 8, rate: 0.25),
    Shape(n: 1, t: 70, heads: 3, d: 32, causal: true, rate: 0.5),
    Shape(n: 3, t: 35, heads: 3, d: 6, causal: true, step: 5, context: 2, rate: 0.25),
    Shape(n: 2, t: 37, heads: 4, d: 16, causal: true, step: 9, rate: 0.25),
  ]

  /// Attention of packed rows [N, T, 3 C] in double precision, rows [N, T, C].
  static func reference(_ x: [Double], _ shape: Shape) -> [Double] {
    let (c, stride, d) = (shape.channels, shape.stride, shape.d)
    let kept = shape.rate > 0 ? shape.kept : []
    var out = [Double](repeating: 0, count: shape.n * shape.t * c)
    for item in 0..<shape.n {
      for column in Swift.stride(from: 0, to: c, by: d) {
        for i in 0..<shape.t {
          let query = (item * shape.t + i) * stride + column
          let seen = (0..<shape.t).filter { shape.sees(i, $0) }
          let rows = seen.map { (item * shape.t + $0) * stride + column }
          let scores = rows.map { row in
            (0..<d).reduce(0) { $0 + x[query + $1] * x[row + c + $1] } * Double(shape.scale)
          }
          let maximum = scores.max() ?? 0
          let weights = scores.map { exp($0 - maximum) }
          let sum = weights.reduce(0, +)
          let head = item * shape.heads + column / d
          for (index, (weight, row)) in zip(weights, rows).enumerated() {
            let fraction = weight / sum * shape.factor(head, i, seen[index], kept)
            for e in 0..<d {
              out[(item * shape.t + i) * c + column + e] += fraction * x[row + 2 * c + e]
            }
          }
        }
      }
    }
    return out
  }

  struct Forward {
    var out, logSums: [Float]
  }

  static func forward(_ x: [Float], _ s: Shape) -> Forward {
    var out = [Float](repeating: .nan, count: s.n * s.t * s.channels)
    var logSums = [Float](repeating: .nan, count: s.n * s.heads * s.t)
    x.withUnsafeBufferPointer { x in
      guard let q = x.baseAddress else { return }
      ck_attention_forward(
        q, q + s.channels, q + 2 * s.channels, &out, &logSums, s.n, s.t, s.heads, s.d, s.stride,
        s.channels, s.scale, s.causal ? 1 : 0, s.prefix, s.step, s.context,
        s.rate > 0 ? s.kept : nil, s.rate)
    }
    return Forward(out: out, logSums: logSums)
  }

  static func backward(
    _ x: [Float], _ forward: Forward, _ dout: [Float], _ s: Shape
  ) -> [Float] {
    var dx = [Float](repeating: .nan, count: x.count)
    x.withUnsafeBufferPointer { x in
      dx.withUnsafeMutableBufferPointer { dx in
        guard let q = x.baseAddress, let dq = dx.baseAddress else { return }
        ck_attention_backward(
          q, q + s.channels, q + 2 * s.channels, forward.out, dout, forward.logSums, dq,
          dq + s.channels, dq + 2 * s.channels, s.n, s.t, s.heads, s.d, s.stride, s.channels,
          s.scale, s.causal ? 1 : 0, s.prefix, s.step, s.context, s.rate > 0 ? s.kept : nil, s.rate)
      }
    }
    return dx
  }

  @Test(arguments: shapes)
  func equalsPlainLoopAndFiniteDifferences(shape: Shape) {
    let x = Rows.values(shape.n * shape.t * shape.stride, seed: 1).map { 2 * $0 }
    let dout = Rows.values(shape.n * shape.t * shape.channels, seed: 2)
    let expected = Self.reference(x.map(Double.init), shape)
    let forward = Self.forward(x, shape)
    Rows.expectClose(forward.out, expected, tolerance: 5e-6, "out")
    let dx = Self.backward(x, forward, dout, shape)
    Rows.expectGradient(dx, at: x, "dx") { Rows.dot(Self.reference($0, shape), dout) }
  }

  /// Also where a few heads are cut into blocks of queries and of keys.
  @Test(arguments: [
    Shape(n: 1, t: 300, heads: 1, d: 24), Shape(n: 2, t: 200, heads: 4, d: 8, causal: true),
    Shape(n: 1, t: 300, heads: 1, d: 24, causal: true, step: 65, context: 2),
    Shape(n: 1, t: 300, heads: 1, d: 24, causal: true, step: 65),
    Shape(n: 2, t: 100, heads: 4, d: 8, causal: true, rate: 0.25),
  ])
  func bitsDoNotDependOnThreads(shape: Shape) {
    let x = Rows.values(shape.n * shape.t * shape.stride, seed: 3)
    let dout = Rows.values(shape.n * shape.t * shape.channels, seed: 4)
    Rows.sameOnAnyThreads("\(shape.testDescription)") {
      let forward = Self.forward(x, shape)
      return forward.out + forward.logSums + Self.backward(x, forward, dout, shape)
    }
  }

  /// New positions behind kept ones give what the whole sequence gives for its last positions.
  @Test(
    arguments: [
      Shape(n: 1, t: 1, heads: 1, d: 3, causal: true),
      Shape(n: 2, t: 37, heads: 3, d: 16, causal: true),
      Shape(n: 3, t: 20, heads: 2, d: 5, causal: true),
      Shape(n: 1, t: 33, heads: 2, d: 116, causal: true),
    ], [1, 3])
  func stepsEqualTheLastPositions(shape: Shape, new: Int) {
    let (n, t, c) = (shape.n, shape.t, shape.channels)
    let new = min(new, t)
    let capacity = t + 4
    // Values that bfloat16 holds, so that nothing is lost where the cache has them so.
    let x = Rows.values(n * t * shape.stride, seed: 5).map {
      Float(bitPattern: $0.bitPattern & 0xffff_0000)
    }
    let expected = Self.reference(x.map(Double.init), shape)
    let last = (0..<n).flatMap { item -> ArraySlice<Double> in
      let end = (item + 1) * t * c
      return expected[end - new * c..<end]
    }
    /// Thirds of the rows: queries, keys, values `[N, range, C]`.
    func part(_ third: Int, _ range: Range<Int>) -> [Float] {
      var rows: [Float] = []
      for item in 0..<n {
        for i in range {
          let row = (item * t + i) * shape.stride + third * c
          rows += x[row..<row + c]
        }
      }
      return rows
    }
    for bf16: Int32 in [0, 1] {
      // never read past what was kept
      var keys = [Float](repeating: .nan, count: n * capacity * c)
      var values = keys
      for range in [0..<t - new, t - new..<t] where !range.isEmpty {
        let (count, start) = (range.count, range.lowerBound)
        ck_attention_append(
          part(1, range), c, &keys, bf16, n, count, start, capacity, shape.heads, shape.d)
        ck_attention_append(
          part(2, range), c, &values, bf16, n, count, start, capacity, shape.heads, shape.d)
      }
      let q = part(0, t - new..<t)
      let out = Rows.sameOnAnyThreads("step") {
        var out = [Float](repeating: .nan, count: n * new * c)
        ck_attention_decode(
          q, c, keys, values, bf16, &out, n, new, t - new, capacity, shape.heads, shape.d,
          shape.scale)
        return out
      }
      Rows.expectClose(out, last, tolerance: 2e-6, "step, bf16 \(bf16)")
    }
  }
}
