// The pixels that a reconstruction gets most wrong.
import TensorCore

extension Tensor {
  /// The mean of `(x̂ - x)²` over the values of each image `[N, C, H, W]` where it is largest, a
  /// scalar.
  ///
  /// A small object that is left out is a small part of the mean over all pixels, and all of this.
  /// - Parameter fraction: of the values of an image that count; at least the worst one does.
  /// - Source: Micheli et al. 2024, *Efficient world models with context-aware tokenization*, whose
  ///   code adds 0.01 times the worst value of each frame.
  package func worstPixelLoss(from images: Tensor, fraction: Float) -> Tensor {
    let difference = plain() - images
    let n = max(shape[0], 1)
    let size = count / n
    let kept = min(max(Int(fraction * Float(size)), 1), size)
    // Not a number is the worst: it is to be found, not left out.
    let squares = difference.detached().elements().map { $0.isNaN ? .infinity : $0 * $0 }
    var weights = [Float](repeating: 0, count: count)
    for image in 0..<shape[0] {
      let values = image * size..<(image + 1) * size
      let least = squares[values].sorted(by: >)[kept - 1]
      // Of equal ones the first.
      var ties = kept - values.count { squares[$0] > least }
      for index in values where squares[index] >= least {
        if squares[index] == least {
          guard ties > 0 else { continue }
          ties -= 1
        }
        weights[index] = 1 / Float(n * kept)
      }
    }
    return (difference * difference * Tensor(weights, shape: shape, on: device)).sum()
  }
}
