// Changes of layout and shape; each is an operation with a derivative.

extension Tensor {
  /// The same tensor in the given layout; itself if it already is.
  package func `in`(_ layout: Layout) -> Tensor {
    if layout == self.layout { return self }
    switch (self.layout, layout) {
    case (.plain, .blocked), (.blocked, .plain), (.plain, .blockedWeights),
      (.blockedWeights, .plain):
      break
    default: preconditionFailure("no way from \(self.layout) to \(layout)")
    }
    precondition(rank == 4, "\(layout) needs [N, C, H, W], got \(shape)")
    let result = Tensor(uninitialized: shape, layout: layout, on: device)
    let (n, c, hw) = (shape[0], shape[1], shape[2] * shape[3])
    switch (self.layout, layout) {
    case _ where !storage.hasMemory: break  // a shape alone stays one
    case (.plain, .blocked): backend.plainToBlocked(pointer, result.pointer, n, c, hw)
    case (.blocked, .plain): backend.blockedToPlain(pointer, result.pointer, n, c, hw)
    case (.plain, _): backend.weightsToBlocked(pointer, result.pointer, n, c, hw)
    default: backend.weightsToPlain(pointer, result.pointer, n, c, hw)
    }
    let origin = self.layout
    return record(result, [self]) { gradient, _ in [gradient.in(origin)] }
  }

  package var rank: Int { shape.rank }

  /// Row-major.
  package func plain() -> Tensor { self.in(.plain) }

  /// Blocks of 16 channels, for `[N, C, H, W]`.
  package func blocked() -> Tensor { self.in(.blocked) }

  /// Activations `[N, C, H, W]` as rows `[N, H·W, C]`, one vector per place.
  package func rows() -> Tensor {
    let x = blocked()
    let (n, c, h, w) = (shape[0], shape[1], shape[2], shape[3])
    let result = Tensor(uninitialized: [n, h * w, c], on: device)
    backend.blockedToRows(x.pointer, result.pointer, n, c, h * w)
    return record(result, [x]) { gradient, _ in [gradient.image(height: h, width: w)] }
  }

  /// The vector of every place of an image `[N, C, H, W]`, `[N·H·W, C]`.
  package func vectors() -> Tensor {
    rows().reshaped([shape[0] * shape[2] * shape[3], shape[1]])
  }

  /// Rows `[N, H·W, C]` as blocked activations `[N, C, H, W]`.
  package func image(height: Int, width: Int) -> Tensor {
    precondition(
      layout == .plain && rank == 3 && shape[1] == height * width,
      "rows of shape \(shape) do not fill \(height)×\(width) places")
    let (n, c) = (shape[0], shape[2])
    let result = Tensor(uninitialized: [n, c, height, width], layout: .blocked, on: device)
    backend.rowsToBlocked(pointer, result.pointer, n, c, height * width)
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
    let (n, length) = (shape[0], shape[1])
    precondition(range.lowerBound >= 0 && range.upperBound <= length, "\(range) of \(shape)")
    let width = count / max(n * length, 1)
    let result = Tensor(
      uninitialized: Shape([n, range.count] + shape.extents.dropFirst(2)), on: device)
    for item in 0..<n {
      backend.copy(
        x.pointer + (item * length + range.lowerBound) * width,
        result.pointer + item * range.count * width, range.count * width)
    }
    let origin = shape
    return record(result, [x]) { gradient, _ in
      let dx = Tensor(repeating: 0, shape: origin, on: gradient.device)
      for item in 0..<n {
        gradient.backend.copy(
          gradient.pointer + item * range.count * width,
          dx.pointer + (item * length + range.lowerBound) * width, range.count * width)
      }
      return [dx]
    }
  }

  /// Items `range` of the first axis.
  package func items(_ range: Range<Int>) -> Tensor {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= shape[0], "items \(range) of \(shape)")
    let itemCount = stored / max(shape[0], 1)
    let result = Tensor(
      uninitialized: Shape([range.count] + shape.extents.dropFirst()), layout: layout, on: device)
    backend.copy(pointer + range.lowerBound * itemCount, result.pointer, range.count * itemCount)
    let origin = self.detached()
    return record(result, [self]) { gradient, _ in
      let dx = Tensor(zerosLike: origin)
      gradient.backend.copy(
        gradient.pointer, dx.pointer + range.lowerBound * itemCount, range.count * itemCount)
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
    backend.copy(pointer, result.pointer, stored)
    backend.copy(other.pointer, result.pointer + stored, other.stored)
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
    backend.transpose(x.pointer, result.pointer, count / max(a * b, 1), a, b)
    return record(result, [x]) { gradient, _ in [gradient.transposed()] }
  }
}

extension Tensor {
  /// Images `[N, 3, H, W]` in [-1, 1] from 8-bit pixels `[N, H, W, 3]`: `p / 127.5 - 1`.
  package init(pixels: [UInt8], count: Int, height: Int, width: Int, on device: Device = .default) {
    precondition(
      pixels.count == count * height * width * 3, "\(pixels.count) bytes for \(count) images")
    self.init(uninitialized: [count, 3, height, width], on: device)
    pixels.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      backend.pixelsToPlain(base, pointer, count, height * width)
    }
  }

  /// 8-bit pixels `[N, H, W, 3]` of images `[N, 3, H, W]`, clamped to [-1, 1].
  package func pixels() -> [UInt8] {
    precondition(rank == 4 && shape[1] == 3, "pixels of \(shape)")
    let x = withoutGradients { self.plain() }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      guard let base = buffer.baseAddress else { return }
      backend.plainToPixels(x.pointer, base, shape[0], shape[2] * shape[3])
      filled = count
    }
  }
}
