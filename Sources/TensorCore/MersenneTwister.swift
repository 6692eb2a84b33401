// The generator behind the reference's fixed random order.

/// MT19937, as far as NumPy's legacy `RandomState` uses it for permutations.
///
/// - Source: Matsumoto & Nishimura 1998.
package struct MersenneTwister {
  private var state: [UInt32]
  private var used = 624

  /// `RandomState(seed)`; of a seed that NumPy refuses, from 2³² on, `RandomState([low, high])`.
  package init(seed: UInt64) {
    let words = [UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32)]
    state = Self.state(of: words[1] == 0 ? words[0] : 19_650_218)
    if words[1] != 0 { mix(words) }
  }

  private static func state(of seed: UInt32) -> [UInt32] {
    var state = [seed]
    for index in 1..<UInt32(624) {
      let last = state[Int(index) - 1]
      state.append(1_812_433_253 &* (last ^ last >> 30) &+ index)
    }
    return state
  }

  /// The authors' `init_by_array`, of at most 624 words.
  private mutating func mix(_ words: [UInt32]) {
    var index = 1
    func mixed(_ factor: UInt32) -> UInt32 {
      state[index] ^ (state[index - 1] ^ state[index - 1] >> 30) &* factor
    }
    func advance() {
      index += 1
      if index == 624 { (state[0], index) = (state[623], 1) }
    }
    for step in 0..<624 {
      let word = step % words.count
      state[index] = mixed(1_664_525) &+ words[word] &+ UInt32(word)
      advance()
    }
    for _ in 0..<623 {
      state[index] = mixed(1_566_083_941) &- UInt32(index)
      advance()
    }
    state[0] = 0x8000_0000
  }

  /// `RandomState(seed).permutation(count)`.
  package static func permutation(_ count: Int, seed: UInt64) -> [Int] {
    var random = MersenneTwister(seed: seed)
    return random.permutation(count)
  }

  /// The next `permutation(count)` of a generator.
  package mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for last in (1..<max(count, 1)).reversed() {
      order.swapAt(last, Int(next(atMost: UInt32(last))))
    }
    return order
  }

  /// Uniform in `0...limit`, by rejection under the smallest mask.
  package mutating func next(atMost limit: UInt32) -> UInt32 {
    let mask = UInt32.max >> UInt32(limit.leadingZeroBitCount)
    while true {
      let value = next() & mask
      if value <= limit { return value }
    }
  }

  private mutating func next() -> UInt32 {
    if used == 624 { twist() }
    var word = state[used]
    used += 1
    word ^= word >> 11
    word ^= word << 7 & 0x9d2c_5680
    word ^= word << 15 & 0xefc6_0000
    return word ^ word >> 18
  }

  private mutating func twist() {
    for index in 0..<624 {
      let word = (state[index] & 0x8000_0000) | (state[(index + 1) % 624] & 0x7fff_ffff)
      let odd: UInt32 = word & 1 == 0 ? 0 : 0x9908_b0df
      state[index] = state[(index + 397) % 624] ^ word >> 1 ^ odd
    }
    used = 0
  }
}
