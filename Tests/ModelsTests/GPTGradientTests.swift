import Models
import TensorCore
import TestSupport
import Testing

@Suite struct GPTGradientTests {
  /// A model with 3 heads, an odd number of positions and a prefix, with every parameter away from
  /// its initial zero.
  static func model(unmasked: Int, dropout: Float = 0, on device: Device) throws -> GPT {
    let config = try GPTConfig(
      vocabSize: 11, blockSize: 7, layers: 2, heads: 3, width: 12, unmasked: unmasked,
      embeddingDropout: dropout, residualDropout: dropout)
    var random = RandomSource(seed: 5)
    var model = GPT(config, using: &random, on: device)
    model.visitParameters { _, tensor in
      let noise = random.normal(tensor.shape, deviation: 0.3, on: device)
      tensor = (tensor.detached() + noise).trainable()
    }
    return model
  }

  @Test(arguments: Device.all.indices, [0, 3])
  func gradientsMatchFiniteDifferences(device: Int, unmasked: Int) throws {
    let device = Device.all[device]
    let model = try Self.model(unmasked: unmasked, on: device)
    let indices = IndexTensor((0..<14).map { ($0 * 5 + 3) % 11 }, shape: [2, 7])
    // The model reads indices, so its first "input" is a constant added to the logits.
    let zero = Tensor(repeating: 0, shape: [2, 7, 11], on: device)
    try checkGradient(of: model, at: zero, step: 3e-3) { model, zero in
      model(indices) + zero
    }
  }

  @Test(arguments: Device.all.indices)
  func rotaryPositionsHaveGradients(device: Int) throws {
    let device = Device.all[device]
    let model = try Self.rotary(on: device)
    let indices = IndexTensor((0..<14).map { ($0 * 5 + 3) % 11 }, shape: [2, 7])
    let zero = Tensor(repeating: 0, shape: [2, 7, 11], on: device)
    #expect(!model.namedTensors.contains { $0.name == "pos_emb" })
    try checkGradient(of: model, at: zero, step: 3e-3) { model, zero in model(indices) + zero }
  }

  /// A model that knows the positions of a grid of 2×3 codes behind two tokens by rotation.
  static func rotary(on device: Device) throws -> GPT {
    let config = try GPTConfig(
      vocabSize: 11, blockSize: 7, layers: 2, heads: 2, width: 16,
      rotary: RotaryPositions(height: 2, width: 3, start: 2))
    var random = RandomSource(seed: 6)
    var model = GPT(config, using: &random, on: device)
    model.visitParameters { _, tensor in
      let noise = random.normal(tensor.shape, deviation: 0.3, on: device)
      tensor = (tensor.detached() + noise).trainable()
    }
    return model
  }

  @Test("Two codes see each other by the rows and columns between them")
  func rotaryPositionsAreRelative() throws {
    let positions = RotaryPositions(height: 4, width: 5, start: 3)
    var random = RandomSource(seed: 2)
    let (q, k) = (random.normal([1, 1, 8]), random.normal([1, 1, 8]))
    func score(_ a: Int32, _ b: Int32) -> Float {
      let turnedQ = q.rotated(by: positions.rotation([a], headWidth: 8))
      let turnedK = k.rotated(by: positions.rotation([b], headWidth: 8))
      return (turnedQ * turnedK).sum().item()
    }
    // Cells 6 and 13 are one row and two columns apart, like 0 and 7.
    #expect(abs(score(3 + 13, 3 + 6) - score(3 + 7, 3)) < 1e-4)
    #expect(abs(score(3 + 13, 3 + 6) - score(3 + 13, 3 + 5)) > 1e-3)
    #expect(abs(score(0, 2) - (q * k).sum().item()) < 1e-5)
  }

  @Test(arguments: Device.all.indices)
  func droppedActivationsHaveGradients(device: Int) throws {
    let device = Device.all[device]
    let model = try Self.model(unmasked: 0, dropout: 0.3, on: device)
    let indices = IndexTensor([0, 1, 2, 4, 10], shape: [1, 5])
    let zero = Tensor(repeating: 0, shape: [1, 5, 11], on: device)
    try checkGradient(of: model, at: zero, step: 3e-3) { model, zero in
      var dropping: RandomSource? = RandomSource(seed: 8)
      return model(indices, droppingWith: &dropping) + zero
    }
  }

  @Test func dropoutMovesTheSourceAndChangesTheLogits() throws {
    let model = try Self.model(unmasked: 0, dropout: 0.5, on: .default)
    let indices = IndexTensor([0, 1, 2, 4], shape: [1, 4])
    var dropping: RandomSource? = RandomSource(seed: 8)
    let dropped = model(indices, droppingWith: &dropping)
    #expect(dropped.elements() != model(indices).elements())
    #expect(dropping != RandomSource(seed: 8))
  }
}
