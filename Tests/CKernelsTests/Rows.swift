import CKernels
import TestSupport
import Testing

/// What the tests of the row kernels share: values, comparisons, thread counts, finite differences.
enum Rows {
  /// Reproducible values in [-1, 1).
  static func values(_ count: Int, seed: UInt64) -> [Float] {
    var random = SeededGenerator(seed: seed &* 0xBF58_476D_1CE4_E5B9 &+ 1)
    return (0..<count).map { _ in Float(random.next() >> 40) / Float(1 << 23) - 1 }
  }

  /// Reproducible indices in `0..<bound`.
  static func indices(_ count: Int, below bound: Int, seed: UInt64) -> [Int32] {
    values(count, seed: seed).map { Int32(min(bound - 1, Int(($0 + 1) / 2 * Float(bound)))) }
  }

  /// Records an issue at the first value that is further than `tolerance` from what a plain loop
  /// gives.
  static func expectClose(
    _ found: [Float], _ expected: [Double], tolerance: Double, _ what: Comment,
    at location: SourceLocation = #_sourceLocation
  ) {
    #expect(found.count == expected.count, what, sourceLocation: location)
    let wrong = zip(found, expected).enumerated().first { _, pair in
      // Written so that a NaN is wrong.
      !(abs(Double(pair.0) - pair.1) <= tolerance * max(1, abs(pair.1)))
    }
    guard let wrong else { return }
    Issue.record(
      "\(what.rawValue): [\(wrong.offset)] is \(wrong.element.0), expected \(wrong.element.1)",
      sourceLocation: location)
  }

  /// Runs a kernel with 1, 2 and 3 threads and expects the same bits of all; returns them.
  @discardableResult
  static func sameOnAnyThreads(
    _ what: Comment, at location: SourceLocation = #_sourceLocation, _ kernel: () -> [Float]
  ) -> [Float] {
    let before = ck_threads()
    defer { ck_set_threads(before) }
    let results = (1...3).map { count in
      ck_set_threads(Int32(count))
      return kernel()
    }
    let bits = results.map { $0.map(\.bitPattern) }
    #expect(bits[0] == bits[1] && bits[0] == bits[2], what, sourceLocation: location)
    return results[0]
  }

  /// Compares a gradient with central differences of the loss along three random directions.
  static func expectGradient(
    _ gradient: [Float], at x: [Float], _ what: Comment, tolerance: Double = 1e-4,
    location: SourceLocation = #_sourceLocation, of loss: ([Double]) -> Double
  ) {
    for seed in 101...103 {
      let direction = values(x.count, seed: UInt64(seed)).map(Double.init)
      let step = 1e-4
      let differences = [step, -step].map { size in
        loss(zip(x, direction).map { Double($0) + size * $1 })
      }
      let expected = (differences[0] - differences[1]) / (2 * step)
      let found = zip(gradient, direction).reduce(0) { $0 + Double($1.0) * $1.1 }
      #expect(
        abs(found - expected) <= tolerance * max(1, abs(expected)), what, sourceLocation: location)
    }
  }

  static func dot(_ a: [Double], _ b: [Float]) -> Double {
    zip(a, b).reduce(0) { $0 + $1.0 * Double($1.1) }
  }
}
