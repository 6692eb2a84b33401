// Timed losses.
import CKernels

extension ProfilingBackend {
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
}
