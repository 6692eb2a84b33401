// Timed memory and layout.
import CKernels

extension ProfilingBackend {
  func copy(_ from: Input, _ to: Output, _ count: Int) {
    profile.time("copy", floats: 2 * count) { base.copy(from, to, count) }
  }

  func fill(_ to: Output, _ value: Float, _ count: Int) {
    profile.time("fill", floats: count) { base.fill(to, value, count) }
  }

  func plainToBlocked(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    profile.time("plain to blocked", floats: 2 * n * c * hw) { base.plainToBlocked(x, y, n, c, hw) }
  }

  func blockedToPlain(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    profile.time("blocked to plain", floats: 2 * n * c * hw) { base.blockedToPlain(x, y, n, c, hw) }
  }

  func blockedToRows(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    profile.time("blocked to rows", floats: 2 * n * c * hw) { base.blockedToRows(x, y, n, c, hw) }
  }

  func rowsToBlocked(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    profile.time("rows to blocked", floats: 2 * n * c * hw) { base.rowsToBlocked(x, y, n, c, hw) }
  }

  func weightsToBlocked(_ x: Input, _ y: Output, _ o: Int, _ i: Int, _ taps: Int) {
    profile.time("weights to blocked", floats: 2 * o * i * taps) {
      base.weightsToBlocked(x, y, o, i, taps)
    }
  }

  func weightsToPlain(_ x: Input, _ y: Output, _ o: Int, _ i: Int, _ taps: Int) {
    profile.time("weights to plain", floats: 2 * o * i * taps) {
      base.weightsToPlain(x, y, o, i, taps)
    }
  }

  func transpose(_ x: Input, _ y: Output, _ batch: Int, _ a: Int, _ b: Int) {
    profile.time("transpose", floats: 2 * batch * a * b) { base.transpose(x, y, batch, a, b) }
  }

  func pixelsToPlain(_ pixels: UnsafePointer<UInt8>, _ y: Output, _ n: Int, _ hw: Int) {
    profile.time("pixels to plain", floats: 15 * n * hw / 4) {
      base.pixelsToPlain(pixels, y, n, hw)
    }
  }

  func plainToPixels(_ x: Input, _ pixels: UnsafeMutablePointer<UInt8>, _ n: Int, _ hw: Int) {
    profile.time("plain to pixels", floats: 15 * n * hw / 4) {
      base.plainToPixels(x, pixels, n, hw)
    }
  }
}
