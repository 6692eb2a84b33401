import TensorCore
import Testing

/// A convolution and its gradients by plain loops in double precision, to which the kernels
/// are held.
private struct PlainConvolution {
  let x, weights, bias, dy: [Float]
  let input: (n: Int, c: Int, h: Int, w: Int)
  let output: (c: Int, h: Int, w: Int)
  let kernel: Int
  let options: ConvolutionOptions
  private(set) var y: [Double]
  private(set) var dx: [Double]
  private(set) var dweights: [Double]
  private(set) var dbias: [Double]

  /// - Parameters: x `[N, C, H, W]`, weights `[O, C, k, k]`, bias `[O]`, dy `[N, O, H', W']`.
  init(_ x: Tensor, _ weights: Tensor, _ bias: Tensor, dy: Tensor, _ options: ConvolutionOptions) {
    (self.x, self.weights, self.bias, self.dy) = (
      x.elements(), weights.elements(), bias.elements(), dy.elements()
    )
    input = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    output = (dy.shape[1], dy.shape[2], dy.shape[3])
    kernel = weights.shape[2]
    self.options = options
    y = Array(repeating: 0, count: dy.count)
    dx = Array(repeating: 0, count: x.count)
    dweights = Array(repeating: 0, count: weights.count)
    dbias = Array(repeating: 0, count: bias.count)
    for n in 0..<input.n {
      for o in 0..<output.c {
        for row in 0..<output.h {
          for column in 0..<output.w { add(n, o, row, column) }
        }
      }
    }
  }

  /// One position of the output and what it hands back.
  private mutating func add(_ n: Int, _ o: Int, _ row: Int, _ column: Int) {
    let position = ((n * output.c + o) * output.h + row) * output.w + column
    let gradient = Double(dy[position])
    var sum = Double(bias[o])
    for c in 0..<input.c {
      for ky in 0..<kernel {
        let iy = row * options.stride + ky * options.dilation - options.padTop
        guard iy >= 0, iy < input.h else { continue }
        for kx in 0..<kernel {
          let ix = column * options.stride + kx * options.dilation - options.padLeft
          guard ix >= 0, ix < input.w else { continue }
          let from = ((n * input.c + c) * input.h + iy) * input.w + ix
          let weight = ((o * input.c + c) * kernel + ky) * kernel + kx
          sum += Double(x[from]) * Double(weights[weight])
          dx[from] += gradient * Double(weights[weight])
          dweights[weight] += gradient * Double(x[from])
        }
      }
    }
    y[position] = sum
    dbias[o] += gradient
  }
}

@Suite struct ConvolutionTests {
  /// Shapes with channels that fill no block, several tiles of positions, several blocks, and every
  /// kind of kernel in use.
  static let shapes: [(shape: Shape, outputs: Int, kernel: Int, options: ConvolutionOptions)] = [
    ([2, 3, 6, 5], 8, 3, .init(padding: 1)), ([1, 20, 9, 7], 33, 1, .init()),
    ([2, 70, 17, 19], 40, 1, .init()), ([1, 160, 20, 20], 150, 1, .init()),
    ([2, 33, 18, 17], 50, 3, .init(padding: 1)), ([1, 100, 20, 20], 70, 3, .init(padding: 1)),
    ([1, 17, 9, 10], 20, 3, .downsampling), ([2, 20, 12, 14], 17, 4, .init(stride: 2, padding: 1)),
    ([1, 20, 9, 8], 5, 4, .init(padding: 1)), ([1, 8, 9, 9], 24, 1, .init(stride: 2)),
    ([1, 5, 7, 7], 3, 3, .init()), ([1, 20, 15, 13], 9, 3, .init(dilation: 4, padding: 4)),
    ([1, 20, 15, 14], 9, 3, .init(stride: 2, dilation: 2, padding: 2)),
    ([2, 9, 14, 15], 33, 4, .init(stride: 3, dilation: 2, padding: 3)),
  ]

  /// The factors on a device of bf16 are numbers that bf16 holds, so that rounding changes nothing.
  @Test(arguments: shapes, Device.all + [.bf16Activations])
  func resultsAndGradientsEqualPlainLoops(
    form: (shape: Shape, outputs: Int, kernel: Int, options: ConvolutionOptions), device: Device
  ) {
    var random = RandomSource(seed: 6)
    func normal(_ shape: Shape) -> Tensor {
      let values = random.normal(shape, on: device)
      guard device == .bf16Activations else { return values }
      return Tensor(values.elements().map(nearestBFloat16), shape: shape, on: device)
    }
    let x = normal(form.shape)
    let weights = normal([form.outputs, form.shape[1], form.kernel, form.kernel])
    let bias = random.normal([form.outputs], on: device)
    let leaves = [x, weights, bias].map { $0.trainable() }
    let y = leaves[0].convolved(with: leaves[1], bias: leaves[2], form.options)
    let dy = normal(y.shape)
    let gradients = backward([(y, dy)])
    let expected = PlainConvolution(x, weights, bias, dy: dy, form.options)
    let pairs = [
      ("y", y.elements(), expected.y), ("dx", gradients[leaves[0]]?.elements() ?? [], expected.dx),
      ("dweights", gradients[leaves[1]]?.elements() ?? [], expected.dweights),
      ("dbias", gradients[leaves[2]]?.elements() ?? [], expected.dbias),
    ]
    for (name, found, plain) in pairs {
      let difference = relativeDifference(found, plain.map { Float($0) })
      #expect(difference < 5e-5, "\(name): \(difference)")
    }
  }
}
