// Counter-based random numbers: the state is three integers, saved with a checkpoint.
import CKernels

/// A stream of random numbers, Philox 4x32-10.
///
/// Number `i` depends on seed, stream and position alone, so the state is three integers and any
/// machine with any number of threads draws the same.
/// - Source: Salmon et al. 2011, *Parallel random numbers: as easy as 1, 2, 3*.
package struct RandomSource: Codable, Equatable, Sendable, RandomNumberGenerator {
  package let seed: UInt64
  package let stream: UInt64
  package private(set) var position: UInt64

  package init(seed: UInt64, stream: UInt64 = 0, position: UInt64 = 0) {
    self.seed = seed
    self.stream = stream
    self.position = position
  }

  /// An independent source for one purpose, for example "shuffle" or "dropout".
  package func stream(_ purpose: String) -> RandomSource {
    // FNV-1a of the purpose, mixed with this stream
    let hash = purpose.utf8.reduce(14_695_981_039_346_656_037 ^ stream) {
      ($0 ^ UInt64($1)) &* 1_099_511_628_211
    }
    return RandomSource(seed: seed, stream: hash)
  }

  /// An independent source for one item, for example a sample's index.
  package func stream(_ index: Int) -> RandomSource {
    RandomSource(
      seed: seed, stream: (stream &+ UInt64(bitPattern: Int64(index)) &+ 1) &* 0x9E37_79B9_7F4A_7C15
    )
  }

  package mutating func next() -> UInt64 {
    var words: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    withUnsafeMutableBytes(of: &words) { bytes in
      ck_philox(seed, stream, position / 4, bytes.bindMemory(to: UInt32.self).baseAddress)
    }
    position += 4
    return UInt64(words.0) | UInt64(words.1) << 32
  }

  /// Uniform in `0..<1`, 24 bits.
  package mutating func uniform() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// Independent normal values with the given deviation; drawn when they are first used.
  package mutating func normal(
    _ shape: Shape, deviation: Float = 1, mean: Float = 0, on device: Device = .default
  ) -> Tensor {
    drawn(.normal, shape, scale: deviation, offset: mean, on: device)
  }

  private mutating func drawn(
    _ distribution: Distribution, _ shape: Shape, scale: Float, offset: Float, on device: Device
  ) -> Tensor {
    let start = self
    advance(shape.count)
    return Tensor(shape, on: device) {
      $0.backend.random(distribution, from: start, into: $0)
      $0.backend.apply(.affine(scale: scale, offset: offset), $0, into: $0)
    }
  }

  /// Independent standard Gumbel values, `-log(-log(u))`: the largest of logits plus these is a
  /// sample of their softmax.
  ///
  /// - Source: Jang et al. 2017, eq. 1.
  package mutating func gumbel(_ shape: Shape, on device: Device = .default) -> Tensor {
    let result = Tensor(uninitialized: shape, on: device)
    result.backend.random(.gumbel, from: self, into: result)
    advance(shape.count)
    return result
  }

  /// Independent uniform values in `range`; drawn when they are first used.
  package mutating func uniform(
    _ shape: Shape, in range: Range<Float> = 0..<1, on device: Device = .default
  ) -> Tensor {
    drawn(
      .uniform, shape, scale: range.upperBound - range.lowerBound, offset: range.lowerBound,
      on: device)
  }

  /// A random order of `0..<count` (Fisher–Yates).
  package mutating func permutation(_ count: Int) -> [Int] { (0..<count).shuffled(using: &self) }

  /// Bytes, one with probability `keep`, else zero.
  mutating func mask(_ count: Int, keep: Float, on device: Device) -> Storage {
    let mask = device.backend.makeStorage(count: (count + 3) / 4)
    device.backend.randomMask(count, keep: keep, from: self, into: mask)
    advance(count)
    return mask
  }

  /// Skips what a fill consumed, rounded up to whole Philox blocks.
  private mutating func advance(_ count: Int) { position += UInt64((count + 3) / 4 * 4) }
}
