// How widely numbers are spread.

extension [Double] {
  /// The standard deviation, over n.
  package var deviation: Double {
    guard !isEmpty else { return 0 }
    let mean = reduce(0, +) / Double(count)
    return (reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(count)).squareRoot()
  }

  /// The value below which a fraction of the numbers lies, in proportion between the two nearest
  /// ranks, as NumPy's `quantile` has it.
  ///
  /// - Precondition: at least one number; the fraction is in 0...1.
  package func quantile(_ fraction: Double) -> Double {
    precondition(!isEmpty && (0...1).contains(fraction), "quantile \(fraction) of \(count) numbers")
    let sorted = sorted()
    let position = fraction * Double(count - 1)
    let below = Int(position)
    let above = Swift.min(below + 1, count - 1)
    return sorted[below] + (sorted[above] - sorted[below]) * (position - Double(below))
  }
}
