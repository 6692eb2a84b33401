// Gradients of every kind of codebook compared with finite differences.
import Checkpoints
import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Testing

/// What holds parts constant for its gradient is compared with the differences of what it is then:
/// `value`, with the gradient of `function`.
private func withValue(_ value: Tensor, _ function: Tensor) -> Tensor {
  function - function.detached() + value.detached()
}

/// The latents of the fixture, on which no code is so near to another that a step changes it.
@Suite struct QuantizerGradientTests {
  private static let beta: Float = 0.25

  private static func example(_ name: String) throws -> (any Quantizer, Tensor) {
    let golden = try Fixture.tensors("quantizers.safetensors")
    let quantizer =
      name.hasPrefix("residual-")
      ? try ResidualParityTests.quantizer(String(name.dropFirst(9)), golden)
      : try QuantizerParityTests.quantizer(name, golden)
    return (quantizer, try golden.tensor("\(name).z"))
  }

  /// Losses of two equal terms, of which one moves the latents and one the entries.
  private static let twoTerms = [
    "simvq-straight", "cosine", "residual-gradient", "residual-simvq", "residual-cosine-gradient",
  ]

  @Test(arguments: twoTerms + ["residual-moving", "residual-cosine", "residual-lfq"])
  func lossesMoveTheLatentsByTheirDifferences(name: String) throws {
    let (quantizer, z) = try Self.example(name)
    let part = Self.twoTerms.contains(name) ? Self.beta / (1 + Self.beta) : 1
    try checkGradient(at: [("z", z)], step: 1e-3) {
      let loss = quantizer($0[0].imageOfRows).loss
      return withValue(part * loss, loss)
    }
  }

  /// Of one codebook: what the first of several leaves is constant for the next ones.
  @Test(arguments: ["simvq-straight", "cosine"])
  func lossesMoveTheEntriesByTheirDifferences(name: String) throws {
    let (quantizer, z) = try Self.example(name)
    let parameters = quantizer.namedTensors.filter(\.tensor.isTracked)
    try checkGradient(at: parameters, step: 1e-3) { tensors in
      var moved = quantizer
      var index = 0
      moved.visitParameters { _, tensor in
        guard tensor.isTracked else { return }
        tensor = tensors[index]
        index += 1
      }
      let loss = moved(z.imageOfRows).loss
      return withValue(1 / (1 + Self.beta) * loss, loss)
    }
  }

  /// As if nothing were rounded.
  @Test(arguments: ["fsq", "residual-fsq"])
  func roundingHasTheGradientOfWhatItRounds(name: String) throws {
    let (quantizer, z) = try Self.example(name)
    let levels: [Double] = [8, 5, 4]
    try checkGradient(at: [("z", z)], step: 1e-3) {
      let smooth = $0[0].detached().elements().enumerated().map { index, value -> Float in
        let level = levels[index % 3]
        guard name == "fsq" else {
          return Float(tanh(Double(value) * (level - 1) / level) * level / (level - 1))
        }
        let (half, offset) = ((level - 1) * 1.001 / 2, level == 5 ? 0 : 0.5)
        let bounded = tanh(Double(value) + atanh(offset / half)) * half - offset
        return Float(bounded / (level / 2).rounded(.down))
      }
      return withValue(
        Tensor(smooth, shape: z.shape), quantizer($0[0].imageOfRows).latents.vectors())
    }
  }

  /// As if the rotation and the scale from each latent to its entry were constants.
  @Test(arguments: ["simvq-rotation", "residual-rotation"])
  func rotationHasTheGradientOfAConstantMap(name: String) throws {
    let (quantizer, z) = try Self.example(name)
    let width = z.shape[1]
    func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
    func unit(_ a: [Double]) -> [Double] {
      a.map { $0 / dot(a, a).squareRoot() }
    }
    func rows(_ x: Tensor) -> [[Double]] {
      let all = x.elements().map { Double($0) }
      return stride(from: 0, to: all.count, by: width).map { Array(all[$0..<$0 + width]) }
    }
    let latents = rows(z)
    let entries = rows(quantizer(z.imageOfRows).latents.vectors())
    try checkGradient(at: [("z", z)], step: 1e-3) {
      let mapped = rows($0[0].detached()).enumerated().flatMap { row, x -> [Float] in
        let (e, q) = (unit(latents[row]), unit(entries[row]))
        let middle = unit(zip(e, q).map { $0 + $1 })
        let scale =
          (dot(entries[row], entries[row]) / dot(latents[row], latents[row])).squareRoot()
        let (r, along) = (dot(middle, x), dot(e, x))
        return x.indices.map { Float(scale * (x[$0] - 2 * r * middle[$0] + 2 * along * q[$0])) }
      }
      return withValue(
        Tensor(mapped, shape: z.shape), quantizer($0[0].imageOfRows).latents.vectors())
    }
  }

  /// The result moves with the mean of the constant entries by the fractions of all of them.
  @Test func ibqHasTheGradientsOfItsTerms() throws {
    let (quantizer, z) = try Self.example("ibq")
    let table = quantizer.codebook.detached()
    let codes = quantizer(z.imageOfRows).indices.reshaped([z.shape[0]])
    let first = z.linear(table, bias: nil).softmax().matmul(table)
    func entropy(_ p: [Float]) -> Double {
      p.reduce(0) { $0 - Double($1) * log(max(Double($1), 1e-5)) }
    }
    func value(_ z: Tensor, _ weight: Tensor, commitment: Bool) -> Tensor {
      let logits = z.linear(weight, bias: nil)
      let entries = weight.gathered(at: codes)
      let q = entries + (logits.softmax().matmul(table) - first)
      let p = logits.scaled(by: 100).softmax().elements()
      let k = table.shape[0]
      let samples = stride(from: 0, to: p.count, by: k).map { Array(p[$0..<$0 + k]) }
      let mean = (0..<k).map { code in
        samples.reduce(0) { $0 + $1[code] } / Float(samples.count)
      }
      let own = samples.reduce(0) { $0 + entropy($1) } / Double(samples.count)
      return q.meanSquaredDifference(from: z)
        + (commitment ? 1 : Self.beta) * entries.meanSquaredDifference(from: z)
        + Tensor(Float(0.1 * (own - entropy(mean))))
    }
    try checkGradient(at: [("z", z)], step: 1e-3) {
      withValue(
        value($0[0].detached(), table, commitment: true), quantizer($0[0].imageOfRows).loss)
    }
    let parameters = quantizer.namedTensors.filter(\.tensor.isTracked)
    try checkGradient(at: parameters, step: 1e-3) { tensors in
      var moved = quantizer
      moved.visitParameters { $1 = tensors[0] }
      return withValue(
        value(z, tensors[0].detached(), commitment: false), moved(z.imageOfRows).loss)
    }
  }
}
