import TensorCore
import TestSupport
import Testing

/// A small network: two convolutions with a normalisation and a product of shared results.
private struct Network {
  let x, first, gamma, beta, last: Tensor

  init(on device: Device) {
    var random = RandomSource(seed: 4)
    x = random.normal([2, 5, 6, 6], on: device)
    first = random.normal([32, 5, 3, 3], on: device).trainable()
    gamma = random.normal([32], on: device).trainable()
    beta = random.normal([32], on: device).trainable()
    last = random.normal([3, 32, 1, 1], on: device).trainable()
  }

  var parameters: [Tensor] { [first, gamma, beta, last] }

  func output() -> Tensor {
    let h = x.convolved(with: first, bias: nil, .init(padding: 1))
      .groupNormalized(gamma: gamma, beta: beta, silu: true)
    return (h * h + h).convolved(with: last, bias: nil)
  }
}

@Suite struct BackwardTests {
  @Test(arguments: Device.all)
  func sharedResultsAddTheirGradients(device: Device) {
    let x = Tensor([1, -2, 3], shape: [3], on: device).trainable()
    let y = x * x
    let z = y * x + y + x  // x³ + x² + x
    let gradient = backward(z.sum())[x]?.elements()
    #expect(gradient == [6, 9, 34])
  }

  @Test(arguments: Device.all)
  func oneSharedGradientIsNotChangedByAnother(device: Device) {
    // Both inputs of a sum receive the same buffer; adding to one must leave the other alone.
    let a = Tensor([1, 2], shape: [2], on: device).trainable()
    let b = Tensor([3, 4], shape: [2], on: device).trainable()
    let sum = a + b
    let loss = (sum + a.scaled(by: 10)).sum()
    let gradients = backward(loss)
    #expect(gradients[a]?.elements() == [11, 11])
    #expect(gradients[b]?.elements() == [1, 1])
  }

  @Test(arguments: Device.all)
  func severalOutputsAddUp(device: Device) {
    let x = Tensor([2], shape: [1], on: device).trainable()
    let (y, z) = (x * x, x.scaled(by: 3))
    let seed = Tensor([1], shape: [1], on: device)
    #expect(backward([(y, seed), (z, seed.scaled(by: 2))])[x]?.elements() == [10])
  }

  @Test(arguments: Device.all)
  func aPartialPassEqualsTheWholeOne(device: Device) throws {
    let network = Network(on: device)
    let whole = backward(network.output().sum())
    let output = network.output()
    let loss = output.sum()
    for parameter in network.parameters {
      let partial = backward(loss, towards: [parameter], keepingGraph: true)
      let found = try #require(partial[parameter])
      #expect(found.elements() == whole[parameter]?.elements())
      for other in network.parameters where other.count != parameter.count {
        #expect(partial[other] == nil)
      }
    }
    // The kept graph is whole: another pass gives every gradient.
    let again = backward(loss)
    for parameter in network.parameters {
      #expect(again[parameter]?.elements() == whole[parameter]?.elements())
    }
  }

  @Test(arguments: Device.all)
  func aTargetInTheMiddleEndsThePass(device: Device) {
    let network = Network(on: device)
    let middle = network.x.convolved(with: network.first, bias: nil, .init(padding: 1))
    let gradients = backward((middle * middle).sum(), towards: [middle])
    #expect(
      relativeDifference(
        gradients[middle]?.elements() ?? [], middle.scaled(by: 2).elements()) < 1e-6)
    #expect(gradients[network.first] == nil)
  }

  @Test(arguments: Device.all)
  func detachedTensorsStopTheGradient(device: Device) {
    let x = Tensor([2, 3], shape: [2], on: device).trainable()
    let y = x.detached() * x
    #expect(!x.detached().isTracked)
    #expect(backward(y.sum())[x]?.elements() == [2, 3])
  }

  @Test(arguments: Device.all)
  func nothingIsRecordedWithoutGradients(device: Device) {
    let network = Network(on: device)
    withoutGradients {
      #expect(!network.output().isTracked)
      #expect(!network.output().sum().isTracked)
    }
    #expect(network.output().isTracked)
  }

  @Test(arguments: Device.all)
  func constantsGetNoGradient(device: Device) {
    let network = Network(on: device)
    let frozen = network.first.detached()
    let x = network.x.trainable()
    let y = x.convolved(with: frozen, bias: nil, .init(padding: 1))
    let gradients = backward(y.sum())
    #expect(gradients[x] != nil)
    #expect(gradients[frozen] == nil)
    #expect(!network.x.convolved(with: frozen, bias: nil).isTracked)
  }

  @Test(arguments: Device.all)
  func aBiasIsTrainedBesideFrozenWeights(device: Device) throws {
    let network = Network(on: device)
    let bias = Tensor(repeating: 0, shape: [3], on: device)
    try checkGradient(at: [("bias", bias)]) {
      network.x.convolved(with: network.first.detached().items(0..<3), bias: $0[0])
    }
    try checkGradient(at: [("bias", bias)]) {
      network.x.reshaped([72, 5]).linear(
        network.first.detached().reshaped([288, 5]).items(0..<3), bias: $0[0])
    }
  }

  @Test(arguments: Device.all)
  func gradientsAccumulateAndScale(device: Device) {
    let x = Tensor([1, 2], shape: [2], on: device).trainable()
    let y = Tensor([5], shape: [1], on: device).trainable()
    var gradients = backward((x * x).sum())
    gradients.add(backward((x.scaled(by: 4)).sum()))
    gradients.add(backward(y.sum()))
    gradients.scale(by: 0.5)
    #expect(gradients[x]?.elements() == [3, 4])
    #expect(gradients[y]?.elements() == [0.5])
  }

  @Test func aReleasedGraphRefusesAnotherPass() async {
    await #expect(processExitsWith: .failure) {
      let x = Tensor([1, 2], shape: [2]).trainable()
      let y = x * x
      _ = backward(y.sum())
      _ = backward(y.scaled(by: 2).sum())
    }
  }

  @Test(arguments: Device.all)
  func aReleasedGraphBehindTheTargetIsNoObstacle(device: Device) {
    let x = Tensor([1, 2], shape: [2], on: device).trainable()
    let weight = Tensor([3, 4], shape: [2], on: device).trainable()
    let h = x * x
    _ = backward(h.sum())
    let gradients = backward((h * weight).sum(), towards: [weight])
    #expect(gradients[weight]?.elements() == [1, 4])
  }

  @Test func aLongChainIsTakenApart() {
    var y = Tensor([1], shape: [1]).trainable()
    for _ in 0..<200_000 { y = y.scaled(by: 1) }
    #expect(y.item() == 1)
  }
}
