// What an operation keeps of its operands until the backward pass.

/// A tensor kept for a derivative.
///
/// On a device that keeps activations in bf16 the large blocked ones are rounded, in half the
/// memory; they are floats again for as long as the derivative is computed. Everything else is kept
/// as it is.
struct SavedTensor {
  private let shape: Shape
  private let layout: Layout
  /// Floats, or two rounded values to a word.
  private let storage: Storage
  private let isRounded: Bool

  fileprivate init(_ x: Tensor) {
    (shape, layout) = (x.shape, x.layout)
    let isLarge = x.layout == .blocked && GradientMode.isRecording
    let rounded = isLarge ? x.backend.keptInBF16(x) : nil
    (storage, isRounded) = (rounded ?? x.storage, rounded != nil)
  }

  /// The values, as floats.
  func restored() -> Tensor {
    guard isRounded else { return Tensor(shape: shape, layout: layout, storage: storage) }
    let x = Tensor(uninitialized: shape, layout: layout, on: storage.device)
    x.backend.widen(storage, into: x)
    return x
  }
}

extension Tensor {
  /// What of this tensor is kept for a derivative.
  func saved() -> SavedTensor { SavedTensor(self) }
}
