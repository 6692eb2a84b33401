// Operations of networks that are only ever run forward; none of them records a gradient.

/// How windows of an image stand: their size, distance and padding.
package struct WindowShape: Sendable, Equatable {
  package var height: Int
  package var width: Int
  package var stride = 1
  /// Pixels outside at the top and bottom, and at the left and right.
  package var padding = (top: 0, left: 0, bottom: 0, right: 0)

  package init(height: Int, width: Int, stride: Int = 1) {
    self.height = height
    self.width = width
    self.stride = stride
  }

  package init(side: Int, stride: Int = 1, padding: Int = 0) {
    self.init(height: side, width: side, stride: stride)
    self.padding = (padding, padding, padding, padding)
  }

  /// A window of odd sides that keeps the image's size.
  package static func centred(height: Int, width: Int) -> WindowShape {
    var shape = WindowShape(height: height, width: width)
    shape.padding = (height / 2, width / 2, height / 2, width / 2)
    return shape
  }

  package static func == (a: WindowShape, b: WindowShape) -> Bool {
    (a.height, a.width, a.stride) == (b.height, b.width, b.stride) && a.padding == b.padding
  }

  /// Rows and columns of the result.
  func output(of x: Shape) -> (height: Int, width: Int) {
    (
      (x[2] + padding.top + padding.bottom - height) / stride + 1,
      (x[3] + padding.left + padding.right - width) / stride + 1
    )
  }
}

extension Tensor {
  /// Cross-correlation of `[N, C, H, W]` with weights `[O, C, height, width]`, plus a bias `[O]`,
  /// without dilation.
  ///
  /// - Parameter relu: applies `max(·, 0)` in the same pass.
  package func convolved(
    with weights: Tensor, bias: Tensor, windows: WindowShape, relu: Bool
  ) -> Tensor {
    precondition(
      rank == 4 && weights.shape.extents.dropFirst() == [shape[1], windows.height, windows.width],
      "weights \(weights.shape) for \(shape)")
    return inferred(channels: weights.shape[0], windows) {
      backend.oblongConvolution(
        $0, weights.in(.blockedWeights), bias, windows, relu: relu, into: $1)
    }
  }

  /// Every channel with a kernel of its own.
  ///
  /// - Parameters:
  ///   - kernels: `[1, C, k, k]`, blocked as an image of one item.
  ///   - bias: `[1, C, 1, 1]`, blocked too.
  package func convolvedByChannel(
    with kernels: Tensor, bias: Tensor, windows: WindowShape
  ) -> Tensor {
    precondition(
      rank == 4 && kernels.shape == [1, shape[1], windows.height, windows.height]
        && windows.height == windows.width, "kernels \(kernels.shape) for \(shape)")
    return inferred(channels: shape[1], windows) {
      backend.depthwiseConvolution($0, kernels.blocked(), bias.blocked(), windows, into: $1)
    }
  }

  /// The maximum of every window, over the pixels inside the image.
  package func maxPooled(_ windows: WindowShape) -> Tensor {
    inferred(channels: shape[1], windows) {
      backend.pool($0, windows, average: false, into: $1)
    }
  }

  /// The mean of every window, over the pixels inside the image: padding does not count.
  package func averagePooled(_ windows: WindowShape) -> Tensor {
    inferred(channels: shape[1], windows) {
      backend.pool($0, windows, average: true, into: $1)
    }
  }

  /// min(·, 6), in the layout as it is.
  ///
  /// - Parameter belowZero: cuts at 0 too; without, nothing is below it.
  package func cutAtSix(belowZero: Bool = false) -> Tensor {
    let y = Tensor(uninitializedLike: self)
    backend.cut(self, to: belowZero ? 0 : -.infinity, 6, into: y)
    return y
  }

  /// The mean over all positions, `[N, C]`.
  package func meansOverPositions() -> Tensor {
    averagePooled(WindowShape(height: shape[2], width: shape[3]))
      .rows().reshaped([shape[0], shape[1]])
  }

  /// Blocked images of the same size, one behind the other in their channels, which are multiples
  /// of 16.
  package static func joined(_ parts: [Tensor]) -> Tensor {
    let channels = parts.reduce(0) { $0 + $1.shape[1] }
    precondition(parts.allSatisfy { $0.shape[1] % 16 == 0 }, "channels that fill no blocks")
    let first = parts[0]
    let joined = Tensor(
      uninitialized: [first.shape[0], channels, first.shape[2], first.shape[3]], layout: .blocked,
      on: first.device)
    var start = 0
    for part in parts {
      joined.backend.insert(part.blocked(), axis: 1, at: start, into: joined)
      start += part.shape[1]
    }
    return joined
  }

  private func inferred(
    channels: Int, _ windows: WindowShape, _ compute: (_ x: Tensor, _ y: Tensor) -> Void
  ) -> Tensor {
    let (height, width) = windows.output(of: shape)
    precondition(height > 0 && width > 0, "windows \(windows) do not fit \(shape)")
    let y = Tensor(
      uninitialized: [shape[0], channels, height, width], layout: .blocked, on: device)
    withoutGradients { compute(blocked(), y) }
    return y
  }
}
