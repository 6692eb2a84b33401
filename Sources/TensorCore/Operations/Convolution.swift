// 2-D convolution in the blocked layout.

/// Stride, dilation, padding and algorithm of a convolution.
package struct ConvolutionOptions: Sendable, Equatable {
  package var stride = 1
  /// Positions of the input between the taps of the kernel.
  package var dilation = 1
  package var padTop = 0
  package var padLeft = 0
  package var padBottom = 0
  package var padRight = 0
  /// Winograd's algorithm may be taken where it is faster.
  package var allowsWinograd = true

  package init(
    stride: Int = 1, dilation: Int = 1, padding: Int = 0, allowsWinograd: Bool = true
  ) {
    self.stride = stride
    self.dilation = dilation
    (padTop, padLeft, padBottom, padRight) = (padding, padding, padding, padding)
    self.allowsWinograd = allowsWinograd
  }

  /// Padding on the right and bottom only, as the encoder's downsampling wants it.
  package static let downsampling: ConvolutionOptions = {
    var options = ConvolutionOptions(stride: 2)
    options.padBottom = 1
    options.padRight = 1
    return options
  }()
}

extension Tensor {
  /// Cross-correlation of `[N, C, H, W]` with weights `[O, C, k, k]`, plus a bias `[O]`.
  ///
  /// - Parameter relu: applies `max(·, 0)` in the same pass.
  /// - Returns: blocked `[N, O, H', W']`,
  ///   `H' = (H + padTop + padBottom - dilation · (k - 1) - 1) / stride + 1`.
  package func convolved(
    with weights: Tensor, bias: Tensor?, _ options: ConvolutionOptions = .init(), relu: Bool = false
  ) -> Tensor {
    precondition(rank == 4 && weights.shape[1] == shape[1], "weights \(weights.shape) for \(shape)")
    let readsPlain = layout == .plain && backend.readsPlainImages(channels: shape[1])
    let x = readsPlain ? self : blocked()
    let weights = weights.in(.blockedWeights)
    let form = ConvolutionShape(shape, weights.shape, options)
    precondition(
      form.outputHeight > 0 && form.outputWidth > 0, "kernel \(weights.shape) does not fit \(shape)"
    )
    let y = Tensor(uninitialized: form.output, layout: .blocked, on: device)
    backend.convolution(x, weights, bias, form, relu: relu, into: y)

    // The input is kept only for the gradients of weights and bias, the output only for the ReLU's.
    let savedInput = weights.isTracked || bias?.isTracked == true ? x.saved() : nil
    let savedOutput = relu && (x.isTracked || savedInput != nil) ? y.saved() : nil
    let (inputShape, inputLayout) = (x.shape, x.layout)
    let frozen = weights.detached()
    let biasShape = bias?.shape
    return record(y, [x, weights] + (bias.map { [$0] } ?? [])) { dy, wanted in
      var dy = dy.blocked()
      if let savedOutput {
        let masked = Tensor(uninitializedLike: dy)
        dy.backend.activateBackward(.relu, savedOutput.restored(), dy, into: masked)
        dy = masked
      }
      var gradients: [Tensor?] = [nil, nil, nil]
      if wanted[0] {
        let dx = Tensor(uninitialized: inputShape, layout: inputLayout, on: dy.device)
        dy.backend.convolutionBackwardData(dy, frozen, form, into: dx)
        gradients[0] = dx
      }
      let wantsBias = biasShape != nil && wanted[2]
      if let savedInput, wanted[1] || wantsBias {
        let dweights = Tensor(uninitializedLike: frozen)
        let dbias = wantsBias ? biasShape.map { Tensor(uninitialized: $0, on: dy.device) } : nil
        dy.backend.convolutionBackwardWeights(
          savedInput.restored(), dy, form, into: dweights, dbias)
        gradients[1] = dweights
        gradients[2] = dbias
      }
      return gradients
    }
  }
}
