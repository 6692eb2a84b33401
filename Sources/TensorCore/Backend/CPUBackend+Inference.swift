// Operations of networks that are only run forward, on the processor.
import CKernels

extension CPUBackend {
  func oblongConvolution(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor, _ shape: WindowShape, relu: Bool,
    into y: Tensor
  ) {
    timed(
      "convolution \(shape.summary)",
      operations: 2 * y.count * x.shape[1] * shape.height * shape.width, floats: x.count + y.count
    ) {
      var form = shape.form(x, y)
      ck_oblong_convolution(
        &form, shape.height, shape.width, x.floats, weights.floats, bias.floats, y.floats,
        relu ? 1 : 0)
    }
  }

  func depthwiseConvolution(
    _ x: Tensor, _ weights: Tensor, _ bias: Tensor, _ shape: WindowShape, into y: Tensor
  ) {
    timed(
      "depthwise convolution \(shape.summary)",
      operations: 2 * y.count * shape.height * shape.width, floats: x.count + y.count
    ) {
      var form = shape.form(x, y)
      ck_depthwise_convolution(&form, x.floats, weights.floats, bias.floats, y.floats)
    }
  }

  func pool(_ x: Tensor, _ shape: WindowShape, average: Bool, into y: Tensor) {
    timed("pool \(shape.summary)", floats: x.count + y.count) {
      var form = ck_windows(
        planes: x.shape[0] * ((x.shape[1] + 15) / 16), in_height: x.shape[2],
        in_width: x.shape[3], out_height: y.shape[2], out_width: y.shape[3],
        height: shape.height, width: shape.width, stride: shape.stride,
        padding: shape.padding.top, average: average ? 1 : 0)
      ck_pool(&form, x.floats, y.floats)
    }
  }

  func cut(_ x: Tensor, to low: Float, _ high: Float, into y: Tensor) {
    timed("cut", floats: 2 * y.stored) { ck_limit(x.floats, y.floats, low, high, y.stored) }
  }
}

extension WindowShape {
  fileprivate func form(_ x: Tensor, _ y: Tensor) -> ck_convolution {
    ck_convolution(
      n: x.shape[0], in_channels: x.shape[1], out_channels: y.shape[1], in_height: x.shape[2],
      in_width: x.shape[3], out_height: y.shape[2], out_width: y.shape[3], kernel: height,
      stride: stride, dilation: 1, pad_top: padding.top, pad_left: padding.left, plain_input: 0,
      winograd: 0, bfloat16: 0)
  }

  fileprivate var summary: String { "\(height)×\(width)\(stride > 1 ? "/\(stride)" : "")" }
}
