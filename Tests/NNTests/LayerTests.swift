import NN
import TensorCore
import Testing

/// A layer of layers, named as a checkpoint would.
private struct Tower: Layer {
  var convolutions: [Conv2d]
  var norm: BatchNorm2d
  var table: Embedding

  init(on device: Device) {
    var random = RandomSource(seed: 1)
    convolutions = [
      Conv2d(3, 4, kernel: 3, using: &random, on: device),
      Conv2d(4, 2, kernel: 1, bias: false, using: &random, on: device),
    ]
    norm = BatchNorm2d(channels: 2, using: &random, on: device)
    table = Embedding(weight: random.normal([5, 2], on: device))
  }

  mutating func visitParameters(_ visitor: (String, inout Tensor) throws -> Void) rethrows {
    try visit("conv", &convolutions, visitor)
    try norm.visitParameters { try visitor("norm." + $0, &$1) }
    try table.visitParameters { try visitor("table." + $0, &$1) }
  }
}

@Suite struct LayerTests {
  @Test(arguments: Device.all)
  func tensorsAreNamedByTheirPlace(device: Device) {
    let tower = Tower(on: device)
    #expect(
      tower.namedTensors.map(\.name) == [
        "conv.0.weight", "conv.0.bias", "conv.1.weight", "norm.weight", "norm.bias",
        "norm.running_mean", "norm.running_var", "table.weight",
      ])
    #expect(tower.parameters.count == 6)
    #expect(tower.parameterCount == 4 * 27 + 4 + 8 + 4 + 10)
  }

  @Test(arguments: Device.all)
  func visitingChangesTheLayer(device: Device) {
    var tower = Tower(on: device)
    tower.visitParameters { _, tensor in tensor.assign(Tensor(zerosLike: tensor)) }
    #expect(tower.namedTensors.allSatisfy { $0.tensor.norm().item() == 0 })
    #expect(tower.convolutions[0].bias != nil)
    #expect(tower.parameters.count == 6)
  }

  @Test(arguments: Device.all)
  func aFrozenCopyIsConstant(device: Device) {
    let tower = Tower(on: device)
    let frozen = tower.frozen()
    #expect(frozen.parameters.isEmpty)
    #expect(tower.parameters.count == 6)
    for (a, b) in zip(tower.namedTensors, frozen.namedTensors) {
      #expect(a.name == b.name && a.tensor.elements() == b.tensor.elements())
    }
    let x = Tensor(repeating: 1, shape: [1, 3, 4, 4], on: device)
    #expect(!frozen.convolutions[0](x).isTracked)
  }

  @Test func aMovedCopyComputesTheSame() {
    let tower = Tower(on: .int8)
    for device in Device.all {
      let moved = tower.moved(to: device)
      #expect(moved.parameters.count == 6)
      for (a, b) in zip(tower.namedTensors, moved.namedTensors) {
        #expect(b.tensor.device == device)
        #expect(a.tensor.isTracked == b.tensor.isTracked)
        #expect(a.tensor.elements() == b.tensor.elements())
      }
    }
  }

  @Test(arguments: Device.all)
  func convolutionWeightsStartWithinPyTorchsBounds(device: Device) {
    var random = RandomSource(seed: 5)
    let layer = Conv2d(16, 32, kernel: 3, using: &random, on: device)
    let bound = 1 / Float(16 * 9).squareRoot()
    let values = layer.weight.elements() + (layer.bias?.elements() ?? [])
    #expect(values.allSatisfy { abs($0) <= bound })
    #expect(values.map(abs).max() ?? 0 > 0.98 * bound)
  }
}
