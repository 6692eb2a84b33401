import Foundation
import NN
import TensorCore
import Testing

/// Adam as the paper writes it, in double precision.
private struct PlainAdam {
  let beta1: Double, beta2: Double, eps = 1e-8
  var mean: [Double], square: [Double]
  var step = 0

  mutating func update(_ x: inout [Double], _ g: [Float], rate: Double, decay: Double) {
    step += 1
    for i in x.indices {
      let g = Double(g[i])
      mean[i] = beta1 * mean[i] + (1 - beta1) * g
      square[i] = beta2 * square[i] + (1 - beta2) * g * g
      let m = mean[i] / (1 - pow(beta1, Double(step)))
      let v = square[i] / (1 - pow(beta2, Double(step)))
      x[i] -= rate * decay * x[i]
      x[i] -= rate * m / (v.squareRoot() + eps)
    }
  }
}

/// `Σ s · w · w` for changing `s`: a gradient that is known.
private func gradients(of layer: Linear, scale: Float) -> Gradients {
  backward((layer.weight * layer.weight).sum().scaled(by: scale))
}

@Suite struct AdamTests {
  @Test(arguments: [0, 0.1] as [Float], Device.all)
  func stepsEqualAPlainImplementation(decay: Float, device: Device) throws {
    var random = RandomSource(seed: 1)
    var layer = Linear(5, 7, bias: false, deviation: 1, using: &random, on: device)
    var plain = layer.weight.elements().map(Double.init)
    var reference = PlainAdam(
      beta1: 0.5, beta2: 0.9, mean: [Double](repeating: 0, count: 35),
      square: [Double](repeating: 0, count: 35))
    var optimizer = Adam(beta1: 0.5, beta2: 0.9)
    for step in 0..<10 {
      let gradients = gradients(of: layer, scale: Float(step % 3) - 1)
      let gradient = try #require(gradients[layer.weight]).elements()
      optimizer.update(&layer, gradients, learningRate: 0.01, weightDecay: { _ in decay })
      reference.update(&plain, gradient, rate: 0.01, decay: Double(decay))
      for (found, expected) in zip(layer.weight.elements(), plain) {
        #expect(abs(Double(found) - expected) < 1e-5, "step \(step)")
      }
    }
    #expect(optimizer.step == 10)
  }

  @Test(arguments: Device.all)
  func decayActsByName(device: Device) {
    var random = RandomSource(seed: 2)
    var layer = Linear(3, 2, using: &random, on: device)
    layer.bias?.assign(Tensor([1, 2], shape: [2], on: device))
    let weight = layer.weight.elements()
    var optimizer = Adam(beta1: 0.9, beta2: 0.95)
    // Zero gradients: only the decay moves anything.
    var gradients = Gradients()
    for parameter in layer.parameters { gradients[parameter] = Tensor(zerosLike: parameter) }
    optimizer.update(&layer, gradients, learningRate: 0.5) { $0 == "weight" ? 0.1 : 0 }
    for (found, before) in zip(layer.weight.elements(), weight) {
      #expect(abs(found - before * 0.95) < 1e-6)
    }
    #expect(layer.bias?.elements() == [1, 2])
  }

  @Test(arguments: Device.all)
  func aParameterWithoutGradientStays(device: Device) throws {
    var random = RandomSource(seed: 3)
    var layer = Linear(3, 2, using: &random, on: device)
    let bias = try #require(layer.bias).elements()
    var optimizer = Adam(beta1: 0.9, beta2: 0.95)
    optimizer.update(&layer, gradients(of: layer, scale: 1), learningRate: 0.1)
    #expect(layer.bias?.elements() == bias)
    #expect(optimizer.state.map(\.name) == ["m.weight", "v.weight"])
  }

  @Test(arguments: Device.all)
  func aRestoredOptimizerGoesOnAlike(device: Device) throws {
    var random = RandomSource(seed: 4)
    var layer = Linear(4, 4, using: &random, on: device)
    var optimizer = Adam(beta1: 0.5, beta2: 0.9)
    for _ in 0..<3 { optimizer.update(&layer, gradients(of: layer, scale: 1), learningRate: 0.1) }
    let stored = Dictionary(uniqueKeysWithValues: optimizer.state.map { ($0.name, $0.tensor) })
    var other = Adam(beta1: 0.5, beta2: 0.9)
    other.restore(step: 3, like: layer) { name, _ in stored[name] }
    var copy = layer
    let gradients = gradients(of: layer, scale: 0.3)
    optimizer.update(&layer, gradients, learningRate: 0.1)
    other.update(&copy, gradients, learningRate: 0.1)
    #expect(layer.weight.elements() == copy.weight.elements())
    #expect(other.step == 4)
  }

  @Test(arguments: Device.all)
  func gradientsAreShortenedOnlyIfTheyAreLonger(device: Device) throws {
    let model = Embedding(weight: Tensor([1, 2], shape: [1, 2], on: device))
    for (limit, expected) in [(10, [3, 4]), (1, [0.6, 0.8])] as [(Float, [Float])] {
      var gradients = Gradients()
      gradients[model.weight] = Tensor([3, 4], shape: [1, 2], on: device)
      #expect(gradients.clip(model, to: limit)?.item() == 5)
      let found = try #require(gradients[model.weight]).elements()
      #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-6 }, "\(found)")
    }
  }
}
