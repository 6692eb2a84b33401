// Convolutions: small ones for difference quotients, large ones on which the engines are held
// together.
import TensorCore

extension OperationCase {
  /// A convolution of `shape` with `outputs` kernels.
  static func convolution(
    _ shape: Shape, outputs: Int, kernel: Int, _ options: ConvolutionOptions, bias: Bool = true,
    relu: Bool = false, step: Float = 1e-2
  ) -> OperationCase {
    var name = "convolution to \(outputs), stride \(options.stride), padding \(options.padTop)"
    if options == .downsampling { name += " (downsampling)" }
    if !options.allowsWinograd { name += ", direct" }
    if relu { name += ", relu" }
    return OperationCase(
      name, [shape, [outputs, shape[1], kernel, kernel]] + (bias ? [[outputs]] : []), step: step
    ) { $0[0].convolved(with: $0[1], bias: bias ? $0[2] : nil, options, relu: relu) }
  }

  static let smallConvolutions: [OperationCase] = {
    var cases: [OperationCase] = []
    let shapes: [(Shape, outputs: Int)] = [
      ([1, 1, 4, 4], 1), ([2, 3, 6, 5], 8), ([1, 3, 8, 8], 32), ([2, 16, 5, 7], 16),
      ([1, 20, 6, 6], 9), ([3, 33, 4, 5], 3), ([1, 32, 9, 4], 48),
    ]
    for (shape, outputs) in shapes {
      cases += [
        convolution(shape, outputs: outputs, kernel: 1, .init()),
        convolution(shape, outputs: outputs, kernel: 3, .init(padding: 1)),
        convolution(shape, outputs: outputs, kernel: 3, .init(padding: 1), bias: false),
        convolution(shape, outputs: outputs, kernel: 3, .init(padding: 1), relu: true, step: 1e-3),
        convolution(shape, outputs: outputs, kernel: 3, .init(stride: 2, padding: 1)),
        convolution(shape, outputs: outputs, kernel: 3, .downsampling),
        convolution(shape, outputs: outputs, kernel: 4, .init(stride: 2, padding: 1)),
        convolution(shape, outputs: outputs, kernel: 4, .init(padding: 1), bias: false),
      ]
    }
    // Enough channels and 4×4 tiles for Winograd's algorithm.
    for shape: Shape in [[1, 64, 28, 28], [3, 64, 13, 17]] {
      for winograd in [true, false] {
        cases.append(
          convolution(
            shape, outputs: 64, kernel: 3, .init(padding: 1, allowsWinograd: winograd), step: 0.1))
      }
    }
    return cases
  }()

  /// Pairs of one convolution with Winograd's algorithm allowed and refused; the larger ones are
  /// computed in slices.
  static let largeConvolutions: [(shape: Shape, outputs: Int, relu: Bool)] = [
    ([1, 64, 28, 28], 64, true), ([3, 96, 17, 31], 80, false), ([2, 64, 96, 96], 64, true),
    ([5, 64, 64, 64], 64, false), ([1, 64, 160, 132], 64, true),
  ]
}
