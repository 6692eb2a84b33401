// Timed elementwise operations and reductions.
import CKernels

extension ProfilingBackend {
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
}
