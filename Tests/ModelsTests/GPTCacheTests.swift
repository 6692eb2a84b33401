import Models
import TensorCore
import Testing

@Suite struct GPTCacheTests {
  @Test(arguments: Device.all.indices, [0, 3])
  func cachedLogitsEqualFullRecomputation(device: Int, unmasked: Int) throws {
    let model = try GPTGradientTests.model(unmasked: unmasked, on: Device.all[device])
    let tokens: [[Int32]] = [[1, 4, 2, 10, 0, 7, 3], [9, 9, 1, 0, 2, 5, 6]]
    func prefix(_ length: Int) -> IndexTensor {
      IndexTensor(tokens.flatMap { $0.prefix(length) }, shape: [2, length])
    }
    var cache = GPTCache(for: model, items: 2, capacity: 7)
    for length in 3...7 {
      let full = model(prefix(length)).positions(length - 1..<length).elements()
      let cached =
        length == 3
        ? model.logits(after: prefix(3), filling: &cache)
        : model.logits(
          appending: IndexTensor(tokens.map { $0[length - 1] }, shape: [2, 1]), to: &cache)
      #expect(cached.shape == [2, 11])
      #expect(cache.length == length)
      for (a, b) in zip(full, cached.elements()) {
        #expect(abs(a - b) < 1e-4, "\(length) positions: \(a), cached \(b)")
      }
    }
  }

  @Test(arguments: Device.all.indices)
  func cachedLogitsOfRotaryModelsEqualFullRecomputation(device: Int) throws {
    let model = try GPTGradientTests.rotary(on: Device.all[device])
    let tokens: [Int32] = [1, 4, 2, 10, 0, 7, 3]
    let positions: [Int32] = [0, 1, 2, 3, 4, 5, 6]
    var cache = GPTCache(for: model, items: 1, capacity: 7)
    for (start, end) in [(0, 3), (3, 4), (4, 7)] {
      let part = IndexTensor(Array(tokens[start..<end]), shape: [1, end - start])
      let cached =
        start == 0
        ? model.logits(after: part, at: Array(positions[..<end]), filling: &cache)
        : model.logits(appending: part, at: Array(positions[start..<end]), to: &cache)
      let full = model(IndexTensor(Array(tokens[..<end]), shape: [1, end]))
        .positions(end - 1..<end).elements()
      for (a, b) in zip(full, cached.elements()) { #expect(abs(a - b) < 1e-4) }
    }
  }

  @Test func aFilledCacheStartsAnew() throws {
    let model = try GPTGradientTests.model(unmasked: 0, on: .default)
    var cache = GPTCache(for: model, items: 1, capacity: 7)
    let first = model.logits(after: IndexTensor([3, 1, 2], shape: [1, 3]), filling: &cache)
    _ = model.logits(after: IndexTensor([7, 7, 7, 7], shape: [1, 4]), filling: &cache)
    let again = model.logits(after: IndexTensor([3, 1, 2], shape: [1, 3]), filling: &cache)
    #expect(first.elements() == again.elements())
  }
}
