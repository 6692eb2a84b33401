// Elementwise operations, reductions, updates and random numbers on the processor.
import CKernels

extension CPUBackend {
  func apply(_ operation: UnaryOperation, _ x: Tensor, into y: Tensor) {
    let count = y.stored
    switch operation {
    case .activation(let function):
      timed("activate", floats: 2 * count) {
        switch function {
        case .relu: ck_relu_forward(x.floats, y.floats, count)
        case .leakyReLU(let slope): ck_leaky_relu_forward(x.floats, y.floats, slope, count)
        case .silu: ck_silu_forward(x.floats, y.floats, count)
        case .gelu: ck_gelu_forward(x.floats, y.floats, count)
        case .softplus: ck_softplus_forward(x.floats, y.floats, count)
        }
      }
    case .affine(let scale, let offset):
      timed("scale", floats: 2 * count) { ck_scale(x.floats, y.floats, scale, offset, count) }
    case .squareRoot: map("square root", x, into: y) { $0.squareRoot() }
    case .reciprocal: map("reciprocal", x, into: y) { 1 / $0 }
    case .clamp(let low, let high): map("clamp", x, into: y) { min(max($0, low), high) }
    }
  }

  /// For scalars and one value to a channel, which need no kernel.
  private func map(_ name: String, _ x: Tensor, into y: Tensor, _ function: (Float) -> Float) {
    timed(name, floats: 2 * y.stored) {
      let (from, to) = (x.floats, y.floats)
      for i in 0..<y.stored { to[i] = function(from[i]) }
    }
  }

  func apply(_ operation: BinaryOperation, _ a: Tensor, _ b: Tensor, into y: Tensor) {
    let count = y.stored
    switch operation {
    case .add: timed("add", floats: 3 * count) { ck_add(a.floats, b.floats, y.floats, count) }
    case .subtract:
      timed("subtract", floats: 3 * count) { ck_subtract(a.floats, b.floats, y.floats, count) }
    case .multiply:
      timed("multiply", floats: 3 * count) { ck_multiply(a.floats, b.floats, y.floats, count) }
    case .divide:
      timed("divide", floats: 3 * count) {
        let (first, second, to) = (a.floats, b.floats, y.floats)
        for i in 0..<count { to[i] = first[i] / second[i] }
      }
    }
  }

  func activateBackward(_ function: Activation, _ saved: Tensor, _ dy: Tensor, into dx: Tensor) {
    let count = dx.stored
    timed("activate backward", floats: 3 * count) {
      switch function {
      case .relu: ck_relu_backward(saved.floats, dy.floats, dx.floats, count)
      case .leakyReLU(let slope):
        ck_leaky_relu_backward(saved.floats, dy.floats, dx.floats, slope, count)
      case .silu: ck_silu_backward(saved.floats, dy.floats, dx.floats, count)
      case .gelu: ck_gelu_backward(saved.floats, dy.floats, dx.floats, count)
      case .softplus: ck_softplus_backward(saved.floats, dy.floats, dx.floats, count)
      }
    }
  }

  func scale(_ x: Tensor, by scalar: Tensor, over divisor: Float, into y: Tensor) {
    let factor = scalar.floats[0] / divisor
    if factor == 1 && x.storage === y.storage { return }
    apply(.affine(scale: factor, offset: 0), x, into: y)
  }

  func accumulate(_ x: Tensor, into y: Tensor) {
    timed("accumulate", floats: 3 * y.stored) { ck_accumulate(x.floats, y.floats, 1, y.stored) }
  }

  func signOfDifference(
    _ a: Tensor, _ b: Tensor, times scalar: Tensor, over divisor: Float, into y: Tensor
  ) {
    timed("sign of difference", floats: 3 * y.stored) {
      ck_sign_difference(a.floats, b.floats, y.floats, scalar.floats[0] / divisor, y.stored)
    }
  }

  func scaleChannels(_ x: Tensor, scale: Tensor, shift: Tensor, into y: Tensor) {
    let shape = x.shape
    timed("scale channels", floats: 2 * x.count) {
      ck_plain_channel_scale(
        x.floats, scale.floats, shift.floats, y.floats, shape[0], shape[1], shape[2] * shape[3])
    }
  }

  func addBias(_ x: Tensor, _ bias: Tensor, into y: Tensor) {
    timed("add bias", floats: 2 * x.count) {
      ck_add_bias(x.floats, bias.floats, y.floats, x.count / max(bias.count, 1), bias.count)
    }
  }

  func biasGELU(_ x: Tensor, _ bias: Tensor, into y: Tensor) {
    timed("bias and GELU", floats: 2 * x.count) {
      ck_bias_gelu_forward(
        x.floats, bias.floats, y.floats, x.count / max(bias.count, 1), bias.count)
    }
  }

  func biasGELUBackward(_ x: Tensor, _ bias: Tensor, _ dy: Tensor, into dx: Tensor) {
    timed("bias and GELU backward", floats: 3 * x.count) {
      ck_bias_gelu_backward(
        x.floats, bias.floats, dy.floats, dx.floats, x.count / max(bias.count, 1), bias.count)
    }
  }

  func dropout(_ x: Tensor, mask: Storage, rate: Float, into y: Tensor) {
    timed("dropout", floats: 9 * y.stored / 4) {
      ck_dropout(x.floats, mask.bytes, y.floats, rate, y.stored)
    }
  }

  // MARK: Reductions

  func reduce(_ x: Tensor, _ reduction: Reduction, over divisor: Int, into scalar: Tensor) {
    func store(_ sum: Double) { scalar.floats[0] = Float(sum / Double(divisor)) }
    let count = x.stored
    switch reduction {
    case .sum: timed("sum", floats: count) { store(ck_sum(x.floats, count)) }
    case .absoluteDifference(let other):
      timed("sum of absolute differences", floats: 2 * count) {
        store(ck_sum_of_absolute_differences(x.floats, other.floats, count))
      }
    case .squaredDifference(let other):
      timed("sum of squared differences", floats: 2 * count) {
        store(ck_sum_of_squared_differences(x.floats, other.floats, count))
      }
    }
  }

  func norm(of tensors: [Tensor], into scalar: Tensor) {
    var squares = 0.0
    for tensor in tensors {
      timed("sum of squares", floats: tensor.stored) {
        let length = Float(ck_sum_of_squares(tensor.floats, tensor.stored).squareRoot())
        squares += Double(length) * Double(length)
      }
    }
    scalar.floats[0] = Float(squares.squareRoot())
  }

  func allFinite(_ x: Tensor, into scalar: Tensor) {
    timed("all finite", floats: x.stored) {
      scalar.floats[0] = Float(ck_all_finite(x.floats, x.stored))
    }
  }

  func rowSums(_ x: Tensor, into y: Tensor) {
    timed("row sums", floats: x.count) {
      ck_row_sums(x.floats, y.floats, x.count / max(y.count, 1), y.count)
    }
  }

  // MARK: Optimizers and random numbers

  func adam(
    _ parameter: Tensor, mean: Tensor, square: Tensor, gradient: Tensor, _ rule: AdamRule
  ) {
    let count = parameter.stored
    timed("adam", floats: 7 * count) {
      ck_adam(
        parameter.floats, mean.floats, square.floats, gradient.floats, count, rule.learningRate,
        rule.beta1, rule.beta2, rule.eps, rule.weightDecay, rule.step)
    }
  }

  func moveAverage(_ average: Tensor, towards x: Tensor, decay: Float) {
    timed("moving average", floats: 3 * average.stored) {
      ck_moving_average(average.floats, x.floats, decay, average.stored)
    }
  }

  func random(_ distribution: Distribution, from source: RandomSource, into y: Tensor) {
    let (count, seed, stream, position) = (y.count, source.seed, source.stream, source.position)
    timed("random \(distribution)", floats: count) {
      switch distribution {
      case .uniform: ck_random_uniform(y.floats, count, seed, stream, position)
      case .normal: ck_random_normal(y.floats, count, seed, stream, position)
      case .gumbel: ck_random_gumbel(y.floats, count, seed, stream, position)
      }
    }
  }

  func randomMask(_ count: Int, keep: Float, from source: RandomSource, into mask: Storage) {
    timed("random mask", floats: count / 4) {
      ck_random_mask(mask.bytes, count, keep, source.seed, source.stream, source.position)
    }
  }
}
