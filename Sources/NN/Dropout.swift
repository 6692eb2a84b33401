// Dropout, which happens in training alone.
import TensorCore

extension Tensor {
  /// Inverted dropout of a fraction `rate` in training; nothing in evaluation, where `random` is
  /// nil.
  package func droppedOut(rate: Float, using random: inout RandomSource?) -> Tensor {
    guard var source = random else { return self }
    defer { random = source }
    return droppedOut(rate: rate, using: &source)
  }
}
