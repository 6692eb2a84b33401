import CKernels
import Foundation
import Testing

@Suite struct RowsOptimizerTests {
  /// PyTorch's AdamW on one parameter, in double precision.
  static func adam(
    from start: Float, gradients: [Float], learningRate: Float, beta1: Float, beta2: Float,
    eps: Float, decay: Float
  ) -> Double {
    var (p, m, v) = (Double(start), 0.0, 0.0)
    for (index, gradient) in gradients.enumerated() {
      let g = Double(gradient)
      p *= 1 - Double(learningRate) * Double(decay)
      m = Double(beta1) * m + (1 - Double(beta1)) * g
      v = Double(beta2) * v + (1 - Double(beta2)) * g * g
      let correction1 = 1 - pow(Double(beta1), Double(index + 1))
      let correction2 = 1 - pow(Double(beta2), Double(index + 1))
      let denominator = v.squareRoot() / correction2.squareRoot() + Double(eps)
      p -= Double(learningRate) / correction1 * m / denominator
    }
    return p
  }

  @Test(arguments: [1, 17, 40_001], [Float(0), 0.1])
  func adamEqualsPlainLoop(count: Int, decay: Float) {
    let start = Rows.values(count, seed: 1)
    let gradients = (0..<5).map { Rows.values(count, seed: UInt64(10 + $0)) }
    let found = Rows.sameOnAnyThreads("adam \(count)") {
      var parameter = start
      var m = [Float](repeating: 0, count: count)
      var v = m
      for (index, gradient) in gradients.enumerated() {
        ck_adam(&parameter, &m, &v, gradient, count, 0.01, 0.9, 0.95, 1e-3, decay, index + 1)
      }
      return parameter
    }
    let expected = start.indices.map { i in
      Self.adam(
        from: start[i], gradients: gradients.map { $0[i] }, learningRate: 0.01, beta1: 0.9,
        beta2: 0.95, eps: 1e-3, decay: decay)
    }
    Rows.expectClose(found, expected, tolerance: 2e-6, "adam \(count)")
  }

  @Test func firstStepMovesByTheLearningRate() {
    var parameter: [Float] = [1, 1, 1]
    var m: [Float] = [0, 0, 0]
    var v = m
    ck_adam(&parameter, &m, &v, [1e-3, -50, 0], 3, 0.1, 0.9, 0.999, 1e-8, 0, 1)
    Rows.expectClose(parameter, [0.9, 1.1, 1], tolerance: 1e-5, "first step")
  }

  @Test func movingAverageEqualsPlainLoop() {
    let average = Rows.values(20_001, seed: 2)
    let x = Rows.values(20_001, seed: 3)
    let found = Rows.sameOnAnyThreads("moving average") {
      var result = average
      ck_moving_average(&result, x, 0.99, result.count)
      return result
    }
    let decay = Double(Float(0.99))
    let expected = zip(average, x).map { decay * Double($0) + (1 - decay) * Double($1) }
    Rows.expectClose(found, expected, tolerance: 1e-6, "moving average")
  }
}
