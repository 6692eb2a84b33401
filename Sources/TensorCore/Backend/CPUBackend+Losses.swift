// Losses on the processor.
import CKernels

extension CPUBackend {
  func softmax(_ x: Input, _ y: Output, _ m: Int, _ c: Int) { ck_softmax_forward(x, y, m, c) }

  func softmaxBackward(_ y: Input, _ dy: Input, _ dx: Output, _ m: Int, _ c: Int) {
    ck_softmax_backward(y, dy, dx, m, c)
  }

  func crossEntropy(
    _ logits: Input, _ targets: UnsafePointer<Int32>, _ losses: Output, _ logSums: Output, _ m: Int,
    _ v: Int
  ) {
    ck_cross_entropy_forward(logits, targets, losses, logSums, m, v)
  }

  func crossEntropyBackward(
    _ logits: Input, _ targets: UnsafePointer<Int32>, _ logSums: Input, _ dlogits: Output,
    _ scale: Float, _ m: Int, _ v: Int
  ) {
    ck_cross_entropy_backward(logits, targets, logSums, dlogits, scale, m, v)
  }

  func uniformDivergence(
    _ logits: Input, _ divergences: Output, _ logSums: Output, _ m: Int, _ k: Int
  ) {
    ck_uniform_divergence_forward(logits, divergences, logSums, m, k)
  }

  func uniformDivergenceBackward(
    _ logits: Input, _ divergences: Input, _ logSums: Input, _ dlogits: Output, _ scale: Float,
    _ m: Int, _ k: Int
  ) {
    ck_uniform_divergence_backward(logits, divergences, logSums, dlogits, scale, m, k)
  }

  func labelEntropy(
    _ logits: Input, _ labels: UnsafePointer<Int32>, _ sums: Output, _ shape: Shape
  ) {
    ck_label_entropy_forward(logits, labels, sums, shape[0], shape[1], shape[2] * shape[3])
  }

  func labelEntropyBackward(
    _ logits: Input, _ labels: UnsafePointer<Int32>, _ dlogits: Output, _ scale: Float,
    _ shape: Shape
  ) {
    ck_label_entropy_backward(
      logits, labels, dlogits, scale, shape[0], shape[1], shape[2] * shape[3])
  }
}
