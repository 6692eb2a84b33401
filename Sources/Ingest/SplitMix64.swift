/// A generator of random numbers small enough to have one for every sample, so that no order of
/// work can change them.
///
/// Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014;
/// constants of Vigna's splitmix64.c.
package struct SplitMix64: Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// The generator of one sample.
  ///
  /// - Parameters:
  ///   - seed: of the whole run.
  ///   - name: of the sample.
  package init(seed: UInt64, name: String) {
    // FNV-1a over the name's bytes.
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    var mixed = SplitMix64(seed: seed)
    state = mixed.next() ^ hash
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }

  /// An integer in `0..<count`.
  package mutating func index(below count: Int) -> Int {
    precondition(count > 0, "no number below \(count)")
    return Int(next().multipliedFullWidth(by: UInt64(count)).high)
  }
}
