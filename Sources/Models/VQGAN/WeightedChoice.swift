// Drawing without replacement, in proportion to weights.
import Foundation
import TensorCore

extension RandomSource {
  /// Distinct positions of `weights`, sampled one after the other in proportion to the weights of
  /// those left.
  ///
  /// Positions of weight zero come last.
  /// - Source: Efraimidis & Spirakis 2006, algorithm A (the `count` smallest of E/w, E
  ///   exponentially distributed).
  package mutating func choice(_ count: Int, weights: [Float]) -> [Int] {
    let keys = weights.map { weight in
      weight > 0 ? -log(1 - uniform()) / weight : Float.infinity
    }
    return Array(keys.indices.sorted { keys[$0] < keys[$1] }.prefix(count))
  }
}
