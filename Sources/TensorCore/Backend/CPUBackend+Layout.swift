// Memory and layout on the processor.
import CKernels

extension CPUBackend {
  func copy(_ from: Input, _ to: Output, _ count: Int) { ck_copy(from, to, count) }

  func fill(_ to: Output, _ value: Float, _ count: Int) { ck_fill(to, value, count) }

  func plainToBlocked(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    ck_plain_to_blocked(x, y, n, c, hw)
  }

  func blockedToPlain(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    ck_blocked_to_plain(x, y, n, c, hw)
  }

  func blockedToRows(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    ck_blocked_to_rows(x, y, n, c, hw)
  }

  func rowsToBlocked(_ x: Input, _ y: Output, _ n: Int, _ c: Int, _ hw: Int) {
    ck_rows_to_blocked(x, y, n, c, hw)
  }

  func weightsToBlocked(_ x: Input, _ y: Output, _ o: Int, _ i: Int, _ taps: Int) {
    ck_weights_to_blocked(x, y, o, i, taps)
  }

  func weightsToPlain(_ x: Input, _ y: Output, _ o: Int, _ i: Int, _ taps: Int) {
    ck_weights_to_plain(x, y, o, i, taps)
  }

  func transpose(_ x: Input, _ y: Output, _ batch: Int, _ a: Int, _ b: Int) {
    ck_transpose(x, y, batch, a, b)
  }

  func pixelsToPlain(_ pixels: UnsafePointer<UInt8>, _ y: Output, _ n: Int, _ hw: Int) {
    ck_pixels_to_plain(pixels, y, n, hw)
  }

  func plainToPixels(_ x: Input, _ pixels: UnsafeMutablePointer<UInt8>, _ n: Int, _ hw: Int) {
    ck_plain_to_pixels(x, pixels, n, hw)
  }
}
