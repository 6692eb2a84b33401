import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Testing

/// LPIPS of few channels with random weights.
private func network(on device: Device) -> LPIPS {
  var random = RandomSource(seed: 1)
  var network = LPIPS(channels: [4, 8, 16, 16, 16], on: device)
  network.visitParameters { name, tensor in
    tensor.assign(
      name.hasPrefix("lin")
        ? random.uniform(tensor.shape, in: 0..<1, on: device)
        : random.normal(tensor.shape, deviation: name.hasSuffix("bias") ? 0 : 0.3, on: device))
  }
  return network.frozen()
}

@Suite struct VQGANLossTests {
  @Test(arguments: [-1, 0] as [Float], Device.all)
  func blackFramesHaveAFinitePerceptualGradient(value: Float, device: Device) throws {
    let network = network(on: device)
    let black = Tensor(repeating: value, shape: [2, 3, 32, 32], on: device)
    var random = RandomSource(seed: 2)
    for target in [black, random.uniform([2, 3, 32, 32], in: -1..<1, on: device)] {
      let images = black.trainable()
      let distance = network(target, images)
      #expect(distance.shape == [2] && distance.isFinite)
      #expect(try #require(backward(distance.mean())[images]).isFinite)
    }
    #expect(network(black, black).elements().allSatisfy { abs($0) < 1e-9 })
  }

  /// One channel is seen as three equal ones: the same distance, and the sum of their gradients.
  @Test(arguments: Device.all)
  func ofOneChannelAllColoursAreIt(device: Device) throws {
    let network = network(on: device)
    var random = RandomSource(seed: 4)
    let target = random.uniform([2, 1, 32, 16], in: -1..<1, on: device)
    let depth = random.uniform([2, 1, 32, 16], in: -1..<1, on: device).trainable()
    func grey(_ x: Tensor) -> Tensor {
      let values = x.elements()
      let plane = 32 * 16
      return Tensor(
        (0..<6).flatMap { values[$0 / 3 * plane..<($0 / 3 + 1) * plane] }, shape: [2, 3, 32, 16],
        on: device)
    }
    let colours = grey(depth).trainable()
    let (found, expected) = (network(target, depth), network(grey(target), colours))
    #expect(Distance(found.elements(), expected.elements()).relative < 1e-5)
    let gradient = try #require(backward(found.mean())[depth]).elements()
    let whole = try #require(backward(expected.mean())[colours]).elements()
    let plane = 32 * 16
    let sums = gradient.indices.map { position in
      (0..<3).reduce(Float(0)) {
        $0 + whole[(position / plane * 3 + $1) * plane + position % plane]
      }
    }
    #expect(gradient.contains { $0 != 0 })
    #expect(Distance(gradient, sums).relative < 1e-4)
  }

  @Test(arguments: Device.all)
  func theDistanceGrowsWithTheChange(device: Device) {
    let network = network(on: device)
    var random = RandomSource(seed: 3)
    let image = random.uniform([1, 3, 32, 32], in: -1..<1, on: device)
    let noise = random.normal([1, 3, 32, 32], on: device)
    let distances = [0, 0.05, 0.5].map { network(image, image + noise.scaled(by: $0)).item() }
    #expect(abs(distances[0]) < 1e-9)
    #expect(distances[1] > 0 && distances[2] > distances[1])
  }

  @Test(arguments: Device.all)
  func discriminatorLossesFollowTheirFormulas(device: Device) {
    let real = Tensor([2, 0.5, -1], shape: [3], on: device)
    let fake = Tensor([-2, 0, 1], shape: [3], on: device)
    // hinge: real 0, ½, 2; fake 0, 1, 2
    let hinge = DiscriminatorLoss.hinge(real: real, fake: fake).item()
    #expect(abs(hinge - 0.5 * (2.5 / 3 + 1)) < 1e-6)
    func softplus(_ x: Float) -> Float { log(1 + exp(x)) }
    let onReal = (softplus(-2) + softplus(-0.5) + softplus(1)) / 3
    let onFake = (softplus(-2) + softplus(0) + softplus(1)) / 3
    let vanilla = DiscriminatorLoss.vanilla(real: real, fake: fake).item()
    #expect(abs(vanilla - 0.5 * (onReal + onFake)) < 1e-6)
    #expect(abs(GeneratorLoss.hinge(fake: fake).item() - 1.0 / 3) < 1e-6)
  }

  @Test(arguments: Device.all)
  func theAdaptiveWeightIsClamped(device: Device) {
    func weight(_ a: Float, _ b: Float) -> Float {
      adaptiveWeight(
        reconstruction: Tensor([a, 0], shape: [2], on: device),
        adversarial: Tensor([0, b], shape: [2], on: device)
      ).item()
    }
    #expect(abs(weight(3, 2) - 3 / 2.0001) < 1e-5)
    #expect(weight(0, 5) == 0)
    #expect(weight(1e3, 0) == 1e4)
  }
}
