// The kernels of resizing, as Pillow defines them.

/// How a pixel is made of its neighbours when an image is resized.
///
/// Except `nearest`, the kernels widen with the ratio when an image shrinks, so that nothing
/// aliases; the results are those of Pillow's `Image.resize` bit for bit.
package enum ResizeFilter: String, CaseIterable, Sendable {
  /// The one pixel under the centre of the new one.
  case nearest
  /// The mean of the pixels that the new one covers; nearest when enlarging.
  case area
  /// A tent.
  case bilinear
  /// Keys' cubic with a = -0.5; overshoots are clipped.
  case bicubic

  /// Half the kernel's width in pixels of the larger image; `nearest` has no kernel.
  var support: Double {
    switch self {
    case .nearest, .area: 0.5
    case .bilinear: 1
    case .bicubic: 2
    }
  }

  /// The kernel at `x`, not normalised.
  func weight(at x: Double) -> Double {
    switch self {
    case .nearest, .area:
      return x > -0.5 && x <= 0.5 ? 1 : 0
    case .bilinear:
      let x = x.magnitude
      return x < 1 ? 1 - x : 0
    case .bicubic:
      let a = -0.5
      let x = x.magnitude
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
    }
  }
}
