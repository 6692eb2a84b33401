import TensorCore
import Testing

@Suite struct KeyValueCacheTests {
  @Test(arguments: [(1, 1, 4), (3, 2, 16), (2, 3, 5)], Device.all)
  func stepsEqualCausalAttention(form: (items: Int, heads: Int, width: Int), device: Device) {
    let (items, heads, width) = form
    let (length, channels, scale) = (9, heads * width, 1 / Float(width).squareRoot())
    var random = RandomSource(seed: 8)
    let q = random.normal([items, length, channels], on: device)
    let k = random.normal([items, length, channels], on: device)
    let v = random.normal([items, length, channels], on: device)
    let expected = attention(q, k, v, heads: heads, scale: scale, mask: .causal(prefix: 0))

    var cache = KeyValueCache(
      items: items, capacity: length, channels: channels, heads: heads, on: device)
    for round in 0..<2 {
      // The second round takes the first positions at once.
      let given = round * 4
      cache.truncate(to: 0)
      cache.append(keys: k.positions(0..<given), values: v.positions(0..<given))
      for position in given..<length {
        let step = position..<position + 1
        let out = cache.attend(
          q.positions(step), k.positions(step), v.positions(step), scale: scale)
        let difference = relativeDifference(
          out.elements(), expected.positions(step).elements())
        #expect(difference < 1e-5, "position \(position): \(difference)")
        #expect(cache.length == position + 1)
      }
    }
  }

  /// A cache that forgets its oldest step gives what a band over the whole sequence gives.
  @Test(arguments: [1, 3], Device.all)
  func rollingStepsEqualBandedAttention(items: Int, device: Device) {
    let (step, context, heads, width) = (3, 2, 2, 8)
    let (length, channels) = (7 * step, heads * width)
    var random = RandomSource(seed: 10)
    func normal() -> Tensor { random.normal([items, length, channels], on: device) }
    let (q, k, v) = (normal(), normal(), normal())
    let expected = attention(
      q, k, v, heads: heads, scale: 0.3, mask: .banded(step: step, context: context))
    var cache = KeyValueCache(
      items: items, capacity: step * context, channels: channels, heads: heads, on: device)
    for start in stride(from: 0, to: length, by: step) {
      if cache.length == step * context { cache.drop(first: step) }
      let kept = cache
      for range in [start..<start + 1, start + 1..<start + step] {
        let out = cache.attend(
          q.positions(range), k.positions(range), v.positions(range), scale: 0.3)
        let difference = relativeDifference(
          out.elements(), expected.positions(range).elements())
        #expect(difference < 1e-5, "positions \(range): \(difference)")
      }
      #expect(kept.length == cache.length - step, "a copy is left alone")
    }
  }

  @Test(arguments: [1, 3], Device.all)
  func severalAtOnceEqualCausalAttention(items: Int, device: Device) {
    let (length, heads, width) = (9, 2, 8)
    var random = RandomSource(seed: 9)
    func normal() -> Tensor { random.normal([items, length, heads * width], on: device) }
    let (q, k, v) = (normal(), normal(), normal())
    let expected = attention(q, k, v, heads: heads, scale: 0.3, mask: .causal(prefix: 0))
    var cache = KeyValueCache(
      items: items, capacity: length, channels: heads * width, heads: heads, on: device)
    var start = 0
    // Two positions are appended a second time, over others that are forgotten.
    for (end, kept) in [(3, 3), (7, 5), (9, 9)] {
      let range = start..<end
      let out = cache.attend(
        q.positions(range), k.positions(range), v.positions(range), scale: 0.3)
      let difference = relativeDifference(
        out.elements(), expected.positions(range).elements())
      #expect(difference < 1e-5, "positions \(range): \(difference)")
      cache.truncate(to: kept)
      start = kept
    }
  }

  /// Kept in 16 bits: nothing is lost of values that fit, and of others what rounding takes.
  @Test(arguments: [8, 18, 64], Device.all)
  func weightsInFewBitsKeepHalves(width: Int, device: Device) throws {
    let device = Device.int8
    let (items, length, heads) = (2, 5, 2)
    var random = RandomSource(seed: 10)
    func normal() -> Tensor { random.normal([items, length, heads * width], on: device) }
    func fitting(_ x: Tensor) -> Tensor {
      Tensor(
        x.elements().map { Float(bitPattern: $0.bitPattern & 0xffff_0000) }, shape: x.shape,
        on: device)
    }
    let (q, k, v) = (normal(), normal(), normal())
    for (keys, values, bound) in [(fitting(k), fitting(v), 1e-5), (k, v, 1e-2)]
      as [(Tensor, Tensor, Float)]
    {
      let expected = attention(
        q, keys, values, heads: heads, scale: 0.3, mask: .causal(prefix: 0))
      var cache = KeyValueCache(
        items: items, capacity: length, channels: heads * width, heads: heads, on: device)
      let out = cache.attend(q, keys, values, scale: 0.3)
      let difference = relativeDifference(out.elements(), expected.elements())
      #expect(difference < bound)
      #expect(bound < 1e-4 || difference > 1e-4, "nothing was rounded")
    }
  }

  @Test(arguments: Device.all)
  func aCopyOfACacheGoesItsOwnWay(device: Device) {
    let ones = Tensor(repeating: 1, shape: [1, 1, 2], on: device)
    var cache = KeyValueCache(items: 1, capacity: 3, channels: 2, heads: 1, on: device)
    cache.append(keys: ones, values: ones)
    var branch = cache
    _ = branch.attend(ones, ones, ones.scaled(by: 9), scale: 1)
    let out = cache.attend(ones, ones, ones.scaled(by: 3), scale: 1)
    #expect(out.elements() == [2, 2])
    #expect(branch.length == 2)
  }
}
