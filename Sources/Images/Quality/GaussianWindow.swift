// Weighted means over a moving square window.

import Platform

/// A separable window, Gaussian or uniform, whose weights sum to 1.
struct GaussianWindow {
  /// Weights along one axis, of odd count.
  let weights: [Double]

  /// The window of the structural similarity index, 11 pixels wide with sigma 1.5.
  static let standard = GaussianWindow(radius: 5, sigma: 1.5)

  /// Equal weights, 7 pixels wide.
  static let uniform7 = GaussianWindow(weights: Array(repeating: 1.0 / 7, count: 7))

  private init(weights: [Double]) { self.weights = weights }

  init(radius: Int, sigma: Double) {
    let raw = (-radius...radius).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
    let sum = raw.reduce(0, +)
    weights = raw.map { $0 / sum }
  }

  /// The weighted mean around every pixel whose whole window lies inside.
  ///
  /// - Parameter values: `[height, width]`, each side at least the window's.
  /// - Returns: `[height - n + 1, width - n + 1]` for a window of `n`.
  func means(of values: [Double], width: Int, height: Int) -> [Double] {
    let n = weights.count
    let columns = width - n + 1
    let rows = height - n + 1
    var along = [Double](repeating: 0, count: height * columns)
    for y in 0..<height {
      for (tap, weight) in weights.enumerated() {
        for x in 0..<columns { along[y * columns + x] += weight * values[y * width + x + tap] }
      }
    }
    var means = [Double](repeating: 0, count: rows * columns)
    for y in 0..<rows {
      for (tap, weight) in weights.enumerated() {
        for x in 0..<columns { means[y * columns + x] += weight * along[(y + tap) * columns + x] }
      }
    }
    return means
  }
}
