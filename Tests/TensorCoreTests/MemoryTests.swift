// Memory, measured in processes of their own: tests beside would use the same pool.
import TensorCore
import Testing

/// A chain of convolutions, normalisations and activations on activations of `[2, 32, 32, 32]`, 256
/// KiB each.
private struct Chain {
  static let activationBytes = 2 * 32 * 32 * 32 * 4
  let x: Tensor
  var weights: [Tensor]
  let gamma, beta: Tensor

  init(layers: Int, on device: Device) {
    var random = RandomSource(seed: 1)
    x = random.normal([2, 32, 32, 32], on: device).blocked()
    weights = (0..<layers).map { _ in
      random.normal([32, 32, 3, 3], deviation: 0.06, on: device).in(.blockedWeights).trainable()
    }
    gamma = Tensor(repeating: 1, shape: [32], on: device)
    beta = Tensor(repeating: 0, shape: [32], on: device)
  }

  func output() -> Tensor {
    var h = x
    for weight in weights {
      h = h.convolved(with: weight, bias: nil, .init(padding: 1))
        .groupNormalized(gamma: gamma, beta: beta, silu: true)
    }
    return h
  }
}

@Suite struct MemoryTests {
  @Test func stepsAfterTheFirstAskTheSystemForNothing() async {
    await #expect(processExitsWith: .success) {
      for device in Device.all {
        let chain = Chain(layers: 6, on: device)
        for step in 0..<4 {
          let before = device.pool.statistics.systemAllocations
          _ = backward(chain.output().sum())
          let taken = device.pool.statistics.systemAllocations - before
          #expect(step == 0 ? taken > 0 : taken == 0, "\(device.name), step \(step): \(taken)")
        }
      }
    }
  }

  @Test func everythingIsGivenBack() async {
    await #expect(processExitsWith: .success) {
      for device in Device.all {
        let before = device.pool.statistics.used
        do { _ = backward(Chain(layers: 3, on: device).output().sum()) }
        #expect(device.pool.statistics.used == before)
        #expect(device.pool.statistics.reserved > 0)
        device.pool.releaseFree()
        #expect(device.pool.statistics.reserved == before)
      }
    }
  }

  @Test func thePassReleasesActivationsAsItConsumesThem() async {
    await #expect(processExitsWith: .success) {
      for device in Device.all {
        let layers = 12
        let chain = Chain(layers: layers, on: device)
        /// Activations that the backward pass adds to those that the forward pass saved.
        func addedPeak(keepingGraph: Bool) -> Double {
          let loss = chain.output().sum()
          let saved = device.pool.statistics.used
          device.pool.resetPeak()
          _ = backward(loss, keepingGraph: keepingGraph)
          return Double(device.pool.statistics.peak - saved) / Double(Chain.activationBytes)
        }
        // A few gradients and, at the end, the gradients of all weights (a seventh of an activation
        // each).
        let released = addedPeak(keepingGraph: false)
        let kept = addedPeak(keepingGraph: true)
        #expect(released < 5, "\(device.name): \(released)")
        #expect(released < kept, "\(device.name): \(released), kept \(kept)")
        let before = device.pool.statistics.used
        let loss = chain.output().sum()
        let gradients = backward(loss)
        let after = Double(device.pool.statistics.used - before) / Double(Chain.activationBytes)
        #expect(after < 0.16 * Double(layers), "\(device.name): \(after) activations are left")
        withExtendedLifetime((loss, gradients)) {}
      }
    }
  }

  @Test func frozenWeightsSaveNoInput() async {
    await #expect(processExitsWith: .success) {
      for device in Device.all {
        func saved(_ chain: Chain) -> Double {
          let before = device.pool.statistics.used
          let x = chain.x.trainable()
          var h = x
          for weight in chain.weights {
            h = h.convolved(with: weight, bias: nil, .init(padding: 1))
          }
          let used = device.pool.statistics.used - before
          withExtendedLifetime(h) {}
          return Double(used) / Double(Chain.activationBytes)
        }
        var chain = Chain(layers: 8, on: device)
        #expect(saved(chain) > 7.5)
        chain.weights = chain.weights.map { $0.detached() }
        #expect(saved(chain) < 1.5)
      }
    }
  }

  @Test func sizeClassesWasteAnEighthAtMost() async {
    await #expect(processExitsWith: .success) {
      let pool = Device.default.pool
      for count in [1, 16, 17, 128, 129, 1000, 4097, 65_537, 1_000_003] {
        let before = pool.statistics
        let tensor = Tensor([Float](repeating: 0, count: count), shape: [count])
        let used = pool.statistics.used - before.used
        withExtendedLifetime(tensor) {}
        #expect(used >= 4 * count && used % 64 == 0, "\(count): \(used)")
        #expect(used <= max(4 * count + 64, 4 * count * 9 / 8), "\(count): \(used)")
      }
    }
  }

  /// Buffers of sizes that are not asked for any more go back to the system when others are wanted.
  @Test func freeBuffersOfOtherSizesAreGivenBack() async {
    await #expect(processExitsWith: .success) {
      let pool = Device.default.pool
      for mebibytes in [80, 100, 90] {
        let values = [Float](repeating: 0, count: mebibytes << 18)
        let tensors = (0..<4).map { _ in Tensor(values, shape: [values.count]) }
        withExtendedLifetime(tensors) {}
      }
      let statistics = pool.statistics
      #expect(statistics.peak >= 400 << 20)
      #expect(statistics.reserved <= statistics.peak / 20 * 23)
      #expect(statistics.systemAllocations == 12)
    }
  }

  @Test func whatIsNeverUsedTakesNoMemory() async {
    await #expect(processExitsWith: .success) {
      for device in Device.all {
        let before = device.pool.statistics
        var random = RandomSource(seed: 1)
        var weight = random.normal([32, 32, 3, 3], on: device).in(.blockedWeights).trainable()
        #expect(weight.shape == [32, 32, 3, 3] && device.pool.statistics == before)
        weight.assign(Tensor(repeating: 2, shape: [32, 32, 3, 3], on: device))
        #expect(device.pool.statistics == before)
        #expect(weight.elements().allSatisfy { $0 == 2 })
        #expect(device.pool.statistics.used > before.used)
      }
    }
  }

  @Test func aBufferOfTheSameClassIsUsedAgain() async {
    await #expect(processExitsWith: .success) {
      let pool = Device.default.pool
      do { _ = Tensor([Float](repeating: 1, count: 100_000), shape: [100_000]) }
      let before = pool.statistics.systemAllocations
      do { _ = Tensor([Float](repeating: 2, count: 99_999), shape: [99_999]) }
      #expect(pool.statistics.systemAllocations == before)
    }
  }
}
