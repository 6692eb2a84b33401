// Changes of layout and shape; each is an operation with a derivative.

extension Tensor {
  /// The same tensor in the given layout; itself if it already is.
  package func `in`(_ layout: Layout) -> Tensor {
    if layout == self.layout { return self }
    precondition(rank == 4, "\(layout) needs [N, C, H, W], got \(shape)")
    let result: Tensor
    if storage.isUnused {
      // Weights to be filled from a file, perhaps: not used for this either.
      let source = detached()
      result = Tensor(shape, layout: layout, on: device) {
        source.backend.changeLayout(source, into: $0)
      }
    } else {
      result = Tensor(uninitialized: shape, layout: layout, on: device)
      backend.changeLayout(self, into: result)
    }
    let origin = self.layout
    return record(result, [self]) { gradient, _ in [gradient.in(origin)] }
  }

  package var rank: Int { shape.rank }

  /// Row-major.
  package func plain() -> Tensor { self.in(.plain) }

  /// As convolutions read it, for `[N, C, H, W]`.
  package func blocked() -> Tensor { self.in(.blocked) }

  /// Activations `[N, C, H, W]` as rows `[N, H·W, C]`, one vector per position.
  package func rows() -> Tensor {
    let x = blocked()
    let (n, c, h, w) = (shape[0], shape[1], shape[2], shape[3])
    let result = Tensor(uninitialized: [n, h * w, c], on: device)
    backend.rows(of: x, into: result)
    return record(result, [x]) { gradient, _ in [gradient.image(height: h, width: w)] }
  }

  /// The vector of every position of an image `[N, C, H, W]`, `[N·H·W, C]`.
  package func vectors() -> Tensor {
    rows().reshaped([shape[0] * shape[2] * shape[3], shape[1]])
  }

  /// Rows `[N, H·W, C]` as blocked activations `[N, C, H, W]`.
  package func image(height: Int, width: Int) -> Tensor {
    precondition(
      layout == .plain && rank == 3 && shape[1] == height * width,
      "rows of shape \(shape) do not fill \(height)×\(width) positions")
    let (n, c) = (shape[0], shape[2])
    let result = Tensor(uninitialized: [n, c, height, width], layout: .blocked, on: device)
    backend.image(of: self, into: result)
    return record(result, [self]) { gradient, _ in [gradient.rows()] }
  }

  /// The same elements under another shape of equal count; no copy for a plain tensor.
  package func reshaped(_ shape: Shape) -> Tensor {
    precondition(shape.count == count, "\(self.shape) has not the elements of \(shape)")
    let x = plain()
    let result = Tensor(shape: shape, layout: .plain, storage: x.storage)
    let origin = x.shape
    return record(result, [x]) { gradient, _ in [gradient.reshaped(origin)] }
  }

  /// Positions `range` of the second axis of `[N, T, …]`.
  package func positions(_ range: Range<Int>) -> Tensor {
    let x = plain()
    precondition(range.lowerBound >= 0 && range.upperBound <= shape[1], "\(range) of \(shape)")
    return x.sliced(range, axis: 1)
  }

  /// Items `range` of the first axis.
  package func items(_ range: Range<Int>) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= shape[0], "items \(range) of \(shape)")
    return sliced(range, axis: 0)
  }

  private func sliced(_ range: Range<Int>, axis: Int) -> Tensor {
    var extents = shape.extents
    extents[axis] = range.count
    let result = Tensor(uninitialized: Shape(extents), layout: layout, on: device)
    backend.slice(self, axis: axis, from: range.lowerBound, into: result)
    let (origin, layout) = (shape, layout)
    return record(result, [self]) { gradient, _ in
      let dx = Tensor(uninitialized: origin, layout: layout, on: gradient.device)
      gradient.backend.fill(dx, with: 0)
      gradient.backend.insert(gradient, axis: axis, at: range.lowerBound, into: dx)
      return [dx]
    }
  }

  /// The items of `self` followed by those of `other` (first axis).
  package func followed(by other: Tensor) -> Tensor {
    let other = other.in(layout)
    precondition(
      shape.extents.dropFirst() == other.shape.extents.dropFirst(), "\(shape) and \(other.shape)")
    let count = shape[0]
    let result = Tensor(
      uninitialized: Shape([count + other.shape[0]] + shape.extents.dropFirst()), layout: layout,
      on: device)
    backend.insert(self, axis: 0, at: 0, into: result)
    backend.insert(other, axis: 0, at: count, into: result)
    return record(result, [self, other]) { gradient, wanted in
      [
        wanted[0] ? gradient.items(0..<count) : nil,
        wanted[1] ? gradient.items(count..<gradient.shape[0]) : nil,
      ]
    }
  }

  /// Matrices `[…, A, B]` transposed to `[…, B, A]`.
  package func transposed() -> Tensor {
    let x = plain()
    let (a, b) = (shape[-2], shape[-1])
    let result = Tensor(uninitialized: Shape(shape.extents.dropLast(2) + [b, a]), on: device)
    backend.transpose(x, into: result)
    return record(result, [x]) { gradient, _ in [gradient.transposed()] }
  }
}

extension Tensor {
  /// Images `[N, 3, H, W]` in [-1, 1] from 8-bit pixels `[N, H, W, 3]`: `p / 127.5 - 1`.
  package init(pixels: [UInt8], count: Int, height: Int, width: Int, on device: Device = .default) {
    precondition(
      pixels.count == count * height * width * 3, "\(pixels.count) bytes for \(count) images")
    self.init(uninitialized: [count, 3, height, width], on: device)
    let bytes = backend.makeStorage(count: (pixels.count + 3) / 4)
    pixels.withUnsafeBytes { backend.upload($0, into: bytes) }
    backend.images(of: bytes, into: self)
  }

  /// 8-bit pixels `[N, H, W, 3]` of images `[N, 3, H, W]`, clamped to [-1, 1].
  package func pixels() -> [UInt8] {
    precondition(rank == 4 && shape[1] == 3, "pixels of \(shape)")
    let x = withoutGradients { self.plain() }
    let bytes = backend.makeStorage(count: (count + 3) / 4)
    backend.pixels(of: x, into: bytes)
    return backend.withHostBytes(of: bytes) { Array($0[..<count]) }
  }
}
