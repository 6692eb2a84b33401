import TensorCore
import Testing

@Suite struct TensorTests {
  @Test(arguments: Device.all)
  func aCopyDoesNotSeeChanges(device: Device) {
    var a = Tensor([1, 2, 3], shape: [3], on: device)
    let b = a
    a.moveAverage(towards: Tensor([5, 5, 5], shape: [3], on: device), decay: 0)
    #expect(a.elements() == [5, 5, 5])
    #expect(b.elements() == [1, 2, 3])
  }

  @Test(arguments: Device.all)
  func assigningKeepsTheTensorsPlaceInTheGraph(device: Device) {
    var weight = Tensor([1, 2], shape: [2], on: device).trainable()
    let y = (weight * weight).sum()
    let gradients = backward(y)
    weight.assign(Tensor([7, 8], shape: [2], on: device))
    #expect(weight.isTracked)
    #expect(weight.elements() == [7, 8])
    #expect(gradients[weight]?.elements() == [2, 4])
  }

  @Test func movingKeepsElementsAndLayout() {
    var random = RandomSource(seed: 2)
    let x = random.normal([2, 5, 3, 4], on: .int8).blocked()
    for device in Device.all {
      let moved = x.moved(to: device)
      #expect(moved.device == device)
      #expect(moved.layout == .blocked)
      #expect(moved.elements() == x.elements())
    }
  }

  @Test(arguments: Device.all)
  func pixelsSurviveTheWayThroughATensor(device: Device) {
    let pixels = (0..<2 * 5 * 7 * 3).map { UInt8(truncatingIfNeeded: $0 * 37) }
    let x = Tensor(pixels: pixels, count: 2, height: 5, width: 7, on: device)
    #expect(x.shape == [2, 3, 5, 7])
    #expect(x.elements().allSatisfy { abs($0) <= 1 })
    #expect(abs(x.elements()[1] - (Float(pixels[3]) / 127.5 - 1)) < 1e-6)
    #expect(x.pixels() == pixels)
    #expect(x.scaled(by: 1000).pixels().allSatisfy { $0 == 0 || $0 == 255 })
  }

  @Test(arguments: Device.all)
  func finiteMeansEveryElement(device: Device) {
    var elements = [Float](repeating: 1, count: 1000)
    #expect(Tensor(elements, shape: [1000], on: device).isFinite)
    for bad in [Float.nan, .infinity, -.infinity] {
      elements[997] = bad
      #expect(!Tensor(elements, shape: [1000], on: device).isFinite)
    }
  }

  @Test(arguments: Device.all)
  func shapesCountFromBothEnds(device: Device) {
    let shape: Shape = [2, 3, 5]
    #expect(shape[-1] == 5 && shape[0] == 2 && shape.count == 30 && shape.rank == 3)
    #expect(Tensor(3, on: device).shape == [])
    #expect(Tensor(3, on: device).item() == 3)
  }

  @Test(arguments: Device.all)
  func indicesOfADeviceAreReadChangedAndUsedAgain(device: Device) {
    let table = Tensor([0, 0, 5, 5, 9, 9], shape: [3, 2], on: device)
    var indices = table.nearestRows(in: table).indices
    #expect(indices.elements == [0, 1, 2])
    let copy = indices
    indices.elements[0] = 2
    #expect(table.gathered(at: indices).elements() == [9, 9, 5, 5, 9, 9])
    #expect(table.gathered(at: copy).elements() == table.elements())
    for other in Device.all {
      #expect(indices.counts(of: 3, on: other).elements() == [0, 1, 2])
    }
  }
}
