// Probability, labels and perceptual distance on the processor.
import CKernels

extension CPUBackend {
  /// Rows and columns of a tensor whose last axis is the columns.
  private func extents(_ x: Tensor) -> (m: Int, c: Int) {
    (x.count / max(x.shape[-1], 1), x.shape[-1])
  }

  func softmax(_ x: Tensor, into y: Tensor) {
    let (m, c) = extents(x)
    timed("softmax", floats: 2 * x.count) { ck_softmax_forward(x.floats, y.floats, m, c) }
  }

  func softmaxBackward(_ y: Tensor, _ dy: Tensor, into dx: Tensor) {
    let (m, c) = extents(y)
    timed("softmax backward", floats: 3 * y.count) {
      ck_softmax_backward(y.floats, dy.floats, dx.floats, m, c)
    }
  }

  func crossEntropy(
    _ logits: Tensor, _ targets: IndexTensor, weights: Tensor?, into losses: Tensor,
    logSums: Tensor
  ) {
    let (m, v) = extents(logits)
    timed("cross entropy", floats: logits.count) {
      with(targets) {
        ck_cross_entropy_forward(
          logits.floats, $0, weights?.floats, losses.floats, logSums.floats, m, v)
      }
    }
  }

  func crossEntropyBackward(
    _ logits: Tensor, _ targets: IndexTensor, weights: Tensor?, logSums: Tensor,
    times scalar: Tensor, over divisor: Float, into dlogits: Tensor
  ) {
    let (m, v) = extents(logits)
    timed("cross entropy backward", floats: 2 * logits.count) {
      with(targets) {
        ck_cross_entropy_backward(
          logits.floats, $0, weights?.floats, logSums.floats, dlogits.floats,
          scalar.floats[0] / divisor, m, v)
      }
    }
  }

  func uniformDivergence(_ logits: Tensor, into divergences: Tensor, logSums: Tensor) {
    let (m, k) = extents(logits)
    timed("uniform divergence", floats: logits.count) {
      ck_uniform_divergence_forward(logits.floats, divergences.floats, logSums.floats, m, k)
    }
  }

  func uniformDivergenceBackward(
    _ logits: Tensor, divergences: Tensor, logSums: Tensor, times scalar: Tensor,
    over divisor: Float, into dlogits: Tensor
  ) {
    let (m, k) = extents(logits)
    timed("uniform divergence backward", floats: 2 * logits.count) {
      ck_uniform_divergence_backward(
        logits.floats, divergences.floats, logSums.floats, dlogits.floats,
        scalar.floats[0] / divisor, m, k)
    }
  }

  func largestColumns(_ x: Tensor, into indices: IndexTensor) {
    let (m, k) = (x.shape[0], x.shape[1])
    timed("largest columns", floats: x.count) {
      with(indices) { columns in
        let values = x.floats
        for row in 0..<m {
          var best = 0
          for column in 1..<max(k, 1) where values[row * k + column] > values[row * k + best] {
            best = column
          }
          columns[row] = Int32(best)
        }
      }
    }
  }

  // MARK: Labels

  func labelConvolution(
    _ labels: IndexTensor, _ weights: Tensor, _ bias: Tensor, kernel: Int, into y: Tensor
  ) {
    let (shape, outputs) = (labels.shape, y.shape[2])
    timed("label convolution", floats: shape.count * outputs * (kernel * kernel + 1)) {
      with(labels) {
        ck_label_convolution(
          $0, weights.floats, bias.floats, y.floats, shape[0], shape[1], shape[2], shape[3],
          kernel, weights.shape[1], outputs)
      }
    }
  }

  func labelConvolutionBackward(
    _ labels: IndexTensor, _ dy: Tensor, kernel: Int, into dweights: Tensor
  ) {
    let (shape, outputs) = (labels.shape, dy.shape[2])
    timed("label convolution backward", floats: shape.count * outputs * kernel * kernel) {
      with(labels) {
        ck_label_convolution_backward(
          $0, dy.floats, dweights.floats, shape[0], shape[1], shape[2], shape[3], kernel,
          dweights.shape[1], outputs)
      }
    }
  }

  func labelEntropy(_ logits: Tensor, _ labels: IndexTensor, into scalar: Tensor) {
    let shape = logits.shape
    let sums = Tensor(uninitialized: [shape[0] * ((shape[1] + 15) / 16)], on: device)
    timed("label entropy", floats: logits.count) {
      with(labels) {
        ck_label_entropy_forward(
          logits.floats, $0, sums.floats, shape[0], shape[1], shape[2] * shape[3])
      }
    }
    reduce(sums, .sum, over: logits.count, into: scalar)
  }

  func labelEntropyBackward(
    _ logits: Tensor, _ labels: IndexTensor, times scalar: Tensor, over divisor: Float,
    into dlogits: Tensor
  ) {
    let shape = logits.shape
    timed("label entropy backward", floats: 2 * logits.count) {
      with(labels) {
        ck_label_entropy_backward(
          logits.floats, $0, dlogits.floats, scalar.floats[0] / divisor, shape[0], shape[1],
          shape[2] * shape[3])
      }
    }
  }

  // MARK: Perceptual distance

  func perceptualDistance(_ a: Tensor, _ b: Tensor, weights: Tensor, into distance: Tensor) {
    let shape = a.shape
    timed("perceptual distance", floats: 2 * a.count) {
      ck_lpips_forward(
        a.floats, b.floats, weights.floats, distance.floats, shape[0], shape[1],
        shape[2] * shape[3])
    }
  }

  func perceptualDistanceBackward(
    _ a: Tensor, _ b: Tensor, weights: Tensor, _ ddistance: Tensor, into db: Tensor
  ) {
    let shape = b.shape
    timed("perceptual distance backward", floats: 3 * b.count) {
      ck_lpips_backward(
        a.floats, b.floats, weights.floats, ddistance.floats, db.floats, shape[0], shape[1],
        shape[2] * shape[3])
    }
  }
}
