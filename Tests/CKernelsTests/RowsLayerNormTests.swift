import CKernels
import Testing

@Suite struct RowsLayerNormTests {
  static let shapes = [[1, 2], [3, 16], [5, 33], [70, 100], [2100, 17]]
  static let eps: Float = 1e-5

  static func reference(_ x: [Double], _ gamma: [Double], _ beta: [Double]) -> [Double] {
    let c = gamma.count
    return stride(from: 0, to: x.count, by: c).flatMap { start -> [Double] in
      let row = x[start..<start + c]
      let mean = row.reduce(0, +) / Double(c)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(c)
      let rstd = 1 / (variance + Double(eps)).squareRoot()
      return row.enumerated().map { gamma[$0] * ($1 - mean) * rstd + beta[$0] }
    }
  }

  @Test(arguments: shapes)
  func equalsPlainLoopAndFiniteDifferences(shape: [Int]) {
    let (m, c) = (shape[0], shape[1])
    let x = Rows.values(m * c, seed: 1).map { 3 * $0 + 10 }
    let gamma = Rows.values(c, seed: 2)
    let beta = Rows.values(c, seed: 3)
    let dy = Rows.values(m * c, seed: 4)
    var mean = [Float](repeating: .nan, count: m)
    var rstd = mean
    let y = Rows.sameOnAnyThreads("forward \(shape)") {
      var y = [Float](repeating: .nan, count: m * c)
      ck_layer_norm_forward(x, gamma, beta, &y, &mean, &rstd, m, c, Self.eps)
      return y + mean + rstd
    }
    let double = { (values: [Float]) in values.map(Double.init) }
    let expected = Self.reference(double(x), double(gamma), double(beta))
    Rows.expectClose(Array(y[..<(m * c)]), expected, tolerance: 2e-5, "forward \(shape)")

    let gradients = Rows.sameOnAnyThreads("backward \(shape)") {
      var dx = [Float](repeating: .nan, count: m * c)
      var dgamma = [Float](repeating: .nan, count: c)
      var dbeta = dgamma
      ck_layer_norm_backward(x, dy, gamma, mean, rstd, &dx, &dgamma, &dbeta, m, c)
      return dx + dgamma + dbeta
    }
    Rows.expectGradient(Array(gradients[..<(m * c)]), at: x, "dx \(shape)") {
      Rows.dot(Self.reference($0, double(gamma), double(beta)), dy)
    }
    Rows.expectGradient(Array(gradients[(m * c)..<(m * c + c)]), at: gamma, "dgamma \(shape)") {
      Rows.dot(Self.reference(double(x), $0, double(beta)), dy)
    }
    Rows.expectGradient(Array(gradients[(m * c + c)...]), at: beta, "dbeta \(shape)") {
      Rows.dot(Self.reference(double(x), double(gamma), $0), dy)
    }
  }
}
