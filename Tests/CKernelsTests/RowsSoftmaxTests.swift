import CKernels
import Foundation
import Testing

@Suite struct RowsSoftmaxTests {
  static let shapes = [[1, 1], [3, 2], [5, 16], [4, 33], [70, 513]]

  static func softmax(_ x: [Double], _ c: Int) -> [Double] {
    stride(from: 0, to: x.count, by: c).flatMap { start -> [Double] in
      let row = x[start..<start + c]
      let maximum = row.max() ?? 0
      let exponentials = row.map { exp($0 - maximum) }
      let sum = exponentials.reduce(0, +)
      return exponentials.map { $0 / sum }
    }
  }

  /// `-log softmax(x)[target]` of every row, 0 where there is no target.
  static func losses(_ x: [Double], _ targets: [Int32], _ c: Int) -> [Double] {
    let weights = softmax(x, c)
    return targets.enumerated().map { row, target in
      target < 0 ? 0 : -log(weights[row * c + Int(target)])
    }
  }

  @Test(arguments: shapes)
  func softmaxEqualsPlainLoopAndFiniteDifferences(shape: [Int]) {
    let (m, c) = (shape[0], shape[1])
    let x = Rows.values(m * c, seed: 1).map { 8 * $0 }
    let dy = Rows.values(m * c, seed: 2)
    let y = Rows.sameOnAnyThreads("softmax \(shape)") {
      var y = x
      y.withUnsafeMutableBufferPointer { ck_softmax_forward($0.baseAddress, $0.baseAddress, m, c) }
      return y
    }
    let expected = Self.softmax(x.map(Double.init), c)
    Rows.expectClose(y, expected, tolerance: 1e-6, "softmax \(shape)")
    let dx = Rows.sameOnAnyThreads("softmax backward \(shape)") {
      var dx = [Float](repeating: .nan, count: m * c)
      ck_softmax_backward(y, dy, &dx, m, c)
      return dx
    }
    Rows.expectGradient(dx, at: x, "softmax \(shape)") { Rows.dot(Self.softmax($0, c), dy) }
  }

  @Test func masksAndExtremesAreExact() {
    let x: [Float] = [-.infinity, 0, -1000, 0, .nan, 1, 1e30, 3, -1e30]
    var y = [Float](repeating: 7, count: 9)
    ck_softmax_forward(x, &y, 3, 3)
    #expect(y[..<3] == [0, 1, 0])
    #expect(y[3..<6].allSatisfy { $0.isNaN })
    #expect(y[6...] == [1, 0, 0])
  }

  @Test(arguments: shapes)
  func crossEntropyEqualsPlainLoopAndFiniteDifferences(shape: [Int]) {
    let (m, v) = (shape[0], shape[1])
    let logits = Rows.values(m * v, seed: 3).map { 20 * $0 }
    var targets = Rows.indices(m, below: v, seed: 4)
    if m > 1 { targets[m / 2] = -1 }
    var logSums = [Float](repeating: .nan, count: m)
    let losses = Rows.sameOnAnyThreads("cross-entropy \(shape)") {
      var losses = [Float](repeating: .nan, count: m)
      ck_cross_entropy_forward(logits, targets, nil, &losses, &logSums, m, v)
      return losses
    }
    let expected = Self.losses(logits.map(Double.init), targets, v)
    Rows.expectClose(losses, expected, tolerance: 2e-6, "cross-entropy \(shape)")
    let gradient = Rows.sameOnAnyThreads("cross-entropy backward \(shape)") {
      var gradient = logits
      gradient.withUnsafeMutableBufferPointer {
        ck_cross_entropy_backward(
          $0.baseAddress, targets, nil, logSums, $0.baseAddress, 0.5, m, v)
      }
      return gradient
    }
    Rows.expectGradient(gradient, at: logits, "cross-entropy \(shape)") {
      0.5 * Self.losses($0, targets, v).reduce(0, +)
    }
    for (row, target) in targets.enumerated() where target < 0 {
      #expect(gradient[row * v..<(row + 1) * v].allSatisfy { $0 == 0 })
    }
  }

  /// Losses and gradients of a target are those without weights times its weight.
  @Test(arguments: shapes)
  func weightsMultiplyTheLossesOfTheirTargets(shape: [Int]) {
    let (m, v) = (shape[0], shape[1])
    let logits = Rows.values(m * v, seed: 3)
    var targets = Rows.indices(m, below: v, seed: 4)
    if m > 1 { targets[m / 2] = -1 }
    let weights = (0..<v).map { Float($0 % 5) * 0.75 }
    var results: [(losses: [Float], gradient: [Float])] = []
    for weights in [nil, weights] {
      var losses = [Float](repeating: .nan, count: m)
      var logSums = losses
      var gradient = [Float](repeating: .nan, count: m * v)
      ck_cross_entropy_forward(logits, targets, weights, &losses, &logSums, m, v)
      ck_cross_entropy_backward(logits, targets, weights, logSums, &gradient, 0.5, m, v)
      results.append((losses, gradient))
    }
    for (row, target) in targets.enumerated() {
      let weight = target < 0 ? 0 : weights[Int(target)]
      #expect(abs(results[1].losses[row] - weight * results[0].losses[row]) <= 1e-5)
      for at in row * v..<(row + 1) * v {
        #expect(abs(results[1].gradient[at] - weight * results[0].gradient[at]) <= 1e-5)
      }
    }
  }

  /// `Σ q log(q K)` of every row.
  static func divergences(_ x: [Double], _ c: Int) -> [Double] {
    let weights = softmax(x, c)
    return stride(from: 0, to: x.count, by: c).map { start in
      weights[start..<start + c].reduce(0) { $0 + ($1 > 0 ? $1 * log($1 * Double(c)) : 0) }
    }
  }

  @Test(arguments: shapes)
  func divergenceEqualsPlainLoopAndFiniteDifferences(shape: [Int]) {
    let (m, k) = (shape[0], shape[1])
    let logits = Rows.values(m * k, seed: 5).map { 8 * $0 }
    var logSums = [Float](repeating: .nan, count: m)
    let found = Rows.sameOnAnyThreads("divergence \(shape)") {
      var divergences = [Float](repeating: .nan, count: m)
      ck_uniform_divergence_forward(logits, &divergences, &logSums, m, k)
      return divergences
    }
    Rows.expectClose(
      found, Self.divergences(logits.map(Double.init), k), tolerance: 2e-6, "divergence \(shape)")
    let gradient = Rows.sameOnAnyThreads("divergence backward \(shape)") {
      var gradient = [Float](repeating: .nan, count: m * k)
      ck_uniform_divergence_backward(logits, found, logSums, &gradient, 0.5, m, k)
      return gradient
    }
    Rows.expectGradient(gradient, at: logits, "divergence \(shape)") {
      0.5 * Self.divergences($0, k).reduce(0, +)
    }
  }

  @Test func equalSharesHaveNoDivergence() {
    var (divergence, logSum) = ([Float](repeating: 7, count: 1), [Float](repeating: 7, count: 1))
    ck_uniform_divergence_forward([Float](repeating: 3, count: 40), &divergence, &logSum, 1, 40)
    #expect(abs(divergence[0]) < 1e-6)
  }
}
