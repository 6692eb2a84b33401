import Foundation
import TensorCore
import TestSupport
import Testing

@Suite struct OperationTests {
  @Test(arguments: OperationCase.all, Device.all)
  func gradientMatchesFiniteDifferences(operation: OperationCase, device: Device) throws {
    try checkGradient(at: operation.tensors(on: device), step: operation.step, operation.apply)
  }

  /// Winograd's algorithm and the direct one, whose error is a tenth; plain loops would take too
  /// long at these sizes.
  @Test(arguments: OperationCase.largeConvolutions)
  func algorithmsAgree(shape: Shape, outputs: Int, relu: Bool) {
    let results = [true, false].map { winograd in
      OperationCase.convolution(
        shape, outputs: outputs, kernel: 3, .init(padding: 1, allowsWinograd: winograd), relu: relu
      ).results(on: .default)
    }
    // An output at the kink may fall to either side of it, and its gradient with it.
    for (a, b) in zip(results[0], results[1]).prefix(relu ? 1 : results[0].count) {
      let (error, norm) = zip(a.elements, b.elements).reduce((0.0, 0.0)) { sums, pair in
        let difference = Double(pair.0) - Double(pair.1)
        return (sums.0 + difference * difference, sums.1 + Double(pair.1) * Double(pair.1))
      }
      #expect(error.squareRoot() < 2e-6 * norm.squareRoot(), "\(a.name): \(error) of \(norm)")
    }
  }

  @Test(arguments: Device.all)
  func paddingOfBlocksStaysZero(device: Device) {
    // The padding counts nowhere: sums of the blocks are those of the elements.
    var random = RandomSource(seed: 1)
    let x = random.normal([2, 5, 3, 3], on: device)
    let weight = random.normal([7, 5, 3, 3], on: device)
    let bias = random.normal([7], on: device)
    let norm = random.normal([7], on: device)
    let y = x.convolved(with: weight, bias: bias, .init(padding: 1)).activated(.silu)
      .batchNormalized(gamma: norm, beta: bias, slope: 0.2).output
      .channelAffine(loc: norm, scale: bias).upsampled().maxPooled()
    #expect(abs(y.sum().item() - y.elements().reduce(0, +)) < 1e-3)
    #expect(abs(y.norm().item() - y.plain().norm().item()) < 1e-3)
  }

  @Test(arguments: Device.all)
  func crossEntropyIsTheMeanOverCountedPositions(device: Device) {
    let logits = Tensor([0, 1, 2, 3, 3, 3, 9, 0, 0], shape: [3, 3], on: device)
    let loss = logits.crossEntropy(IndexTensor([2, 0, -1], shape: [3])).item()
    let first = log(1 + exp(Float(1)) + exp(Float(2))) - 2
    #expect(abs(loss - (first + log(Float(3))) / 2) < 1e-5)
    #expect(logits.crossEntropy(IndexTensor([-1, -1, -1], shape: [3])).item() == 0)
  }

  @Test(arguments: Device.all)
  func blackFeaturesHaveAFiniteDistanceGradient(device: Device) {
    let black = Tensor(repeating: 0, shape: [1, 20, 3, 3], on: device)
    let images = black.trainable()
    let weights = Tensor(repeating: 1, shape: [20], on: device)
    let gradient = backward(black.perceptualDistance(to: images, weights: weights).mean())[images]
    #expect(gradient?.elements() == [Float](repeating: 0, count: 180))
  }

  @Test(arguments: Device.all)
  func nearestRowIsTheLowestOfEquals(device: Device) {
    let codebook = Tensor([1, 1, 0, 0, 0, 0, 1, 1], shape: [4, 2], on: device)
    let rows = Tensor([0.1, 0, 0.9, 1, 0.5, 0.5], shape: [3, 2], on: device)
    let (indices, distances) = rows.nearestRows(in: codebook)
    #expect(indices.elements == [1, 0, 0])
    for (found, expected) in zip(distances.elements(), [0.01, 0.01, 0.5] as [Float]) {
      #expect(abs(found - expected) < 1e-5)
    }
  }
}
