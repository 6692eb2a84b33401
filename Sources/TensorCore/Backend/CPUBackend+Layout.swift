// Memory and layout on the processor.
import CKernels

extension CPUBackend {
  // MARK: Memory

  func makeStorage(count: Int) -> Storage { CPUStorage(count: count, on: device, from: pool) }

  func upload(_ bytes: UnsafeRawBufferPointer, into storage: Storage) {
    guard let base = bytes.baseAddress else { return }
    storage.memory.copyMemory(from: base, byteCount: min(bytes.count, 4 * storage.count))
  }

  func withHostBytes<Result>(
    of storage: Storage, _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    profile?.countReadBack()
    return try withExtendedLifetime(storage) {
      try body(UnsafeRawBufferPointer(start: storage.memory, count: 4 * storage.count))
    }
  }

  func synchronize() {}

  func copy(_ x: Storage, into y: Storage) {
    timed("copy", floats: 2 * x.count) { ck_copy(x.floats, y.floats, x.count) }
  }

  func fill(_ y: Tensor, with value: Float) {
    timed("fill", floats: y.stored) { ck_fill(y.floats, value, y.stored) }
  }

  func fill(_ y: Tensor, with scalar: Tensor) { fill(y, with: scalar.floats[0]) }

  // MARK: Layout

  func storedCount(_ shape: Shape, in layout: Layout) -> Int {
    func padded(_ channels: Int) -> Int { (channels + 15) / 16 * 16 }
    switch layout {
    case .plain: return shape.count
    case .blocked: return shape[0] * padded(shape[1]) * shape[2] * shape[3]
    case .blockedWeights: return padded(shape[0]) * padded(shape[1]) * shape[2] * shape[3]
    }
  }

  func readsPlainImages(channels: Int) -> Bool { channels <= 4 }

  func changeLayout(_ x: Tensor, into y: Tensor) {
    let (n, c, hw) = (x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
    let floats = 2 * x.count
    switch (x.layout, y.layout) {
    case (.plain, .blocked):
      timed("plain to blocked", floats: floats) {
        ck_plain_to_blocked(x.floats, y.floats, n, c, hw)
      }
    case (.blocked, .plain):
      timed("blocked to plain", floats: floats) {
        ck_blocked_to_plain(x.floats, y.floats, n, c, hw)
      }
    case (.plain, .blockedWeights):
      timed("weights to blocked", floats: floats) {
        ck_weights_to_blocked(x.floats, y.floats, n, c, hw)
      }
    case (.blockedWeights, .plain):
      timed("weights to plain", floats: floats) {
        ck_weights_to_plain(x.floats, y.floats, n, c, hw)
      }
    default: preconditionFailure("no way from \(x.layout) to \(y.layout)")
    }
  }

  func rows(of x: Tensor, into y: Tensor) {
    timed("blocked to rows", floats: 2 * x.count) {
      ck_blocked_to_rows(x.floats, y.floats, x.shape[0], x.shape[1], x.shape[2] * x.shape[3])
    }
  }

  func image(of rows: Tensor, into y: Tensor) {
    timed("rows to blocked", floats: 2 * rows.count) {
      ck_rows_to_blocked(rows.floats, y.floats, y.shape[0], y.shape[1], y.shape[2] * y.shape[3])
    }
  }

  func slice(_ x: Tensor, axis: Int, from start: Int, into y: Tensor) {
    timed("copy", floats: 2 * y.stored) {
      forEachRun(whole: x, part: y, axis: axis, start: start) { ck_copy($0, $1, $2) }
    }
  }

  func insert(_ x: Tensor, axis: Int, at start: Int, into y: Tensor) {
    timed("copy", floats: 2 * x.stored) {
      forEachRun(whole: y, part: x, axis: axis, start: start) { ck_copy($1, $0, $2) }
    }
  }

  /// Calls `body` with every contiguous run of a part of `whole` along an axis: where it lies in
  /// either, and its length.
  private func forEachRun(
    whole: Tensor, part: Tensor, axis: Int, start: Int,
    _ body: (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) {
    let outer = axis == 0 ? 1 : whole.shape[0]
    let stride = whole.stored / max(outer, 1)
    let width = stride / max(whole.shape[axis], 1)
    let run = part.shape[axis] * width
    for item in 0..<outer {
      body(whole.floats + item * stride + start * width, part.floats + item * run, run)
    }
  }

  func swapAxes(_ x: Tensor, into y: Tensor) {
    let (a, b, c) = (x.shape[0], x.shape[1], x.shape[2])
    timed("copy", floats: 2 * x.count) {
      for row in 0..<a {
        for column in 0..<b {
          ck_copy(x.floats + (row * b + column) * c, y.floats + (column * a + row) * c, c)
        }
      }
    }
  }

  func transpose(_ x: Tensor, into y: Tensor) {
    let (a, b) = (x.shape[-2], x.shape[-1])
    timed("transpose", floats: 2 * x.count) {
      ck_transpose(x.floats, y.floats, x.count / max(a * b, 1), a, b)
    }
  }

  func images(of pixels: Storage, into y: Tensor) {
    timed("pixels to plain", floats: 5 * y.count / 4) {
      ck_pixels_to_plain(pixels.bytes, y.floats, y.shape[0], y.shape[2] * y.shape[3])
    }
  }

  func pixels(of x: Tensor, into pixels: Storage) {
    timed("plain to pixels", floats: 5 * x.count / 4) {
      ck_plain_to_pixels(x.floats, pixels.bytes, x.shape[0], x.shape[2] * x.shape[3])
    }
  }
}
