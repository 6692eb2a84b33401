import CKernels
import Foundation
import Testing

@Suite struct RowsRandomTests {
  /// Known answers of Random123 1.14 (kat_vectors, philox4x32 10).
  @Test func philoxGivesThePublishedWords() {
    let cases: [(seed: UInt64, stream: UInt64, counter: UInt64, words: [UInt32])] = [
      (0, 0, 0, [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
      (.max, .max, .max, [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
      (
        0x299f_31d0_a409_3822, 0x0370_7344_1319_8a2e, 0x85a3_08d3_243f_6a88,
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
      ),
    ]
    for known in cases {
      var words = [UInt32](repeating: 0, count: 4)
      ck_philox(known.seed, known.stream, known.counter, &words)
      #expect(words == known.words)
    }
  }

  static func uniform(_ count: Int, seed: UInt64, stream: UInt64, offset: UInt64) -> [Float] {
    var y = [Float](repeating: .nan, count: count)
    ck_random_uniform(&y, count, seed, stream, offset)
    return y
  }

  static func normal(_ count: Int, seed: UInt64, stream: UInt64, offset: UInt64) -> [Float] {
    var y = [Float](repeating: .nan, count: count)
    ck_random_normal(&y, count, seed, stream, offset)
    return y
  }

  static func gumbel(_ count: Int, seed: UInt64, stream: UInt64, offset: UInt64) -> [Float] {
    var y = [Float](repeating: .nan, count: count)
    ck_random_gumbel(&y, count, seed, stream, offset)
    return y
  }

  static func mask(_ count: Int, seed: UInt64, stream: UInt64, offset: UInt64) -> [Float] {
    var y = [UInt8](repeating: 7, count: count)
    ck_random_mask(&y, count, 0.75, seed, stream, offset)
    return y.map(Float.init)
  }

  @Test func anyPartOfAStreamIsThatPart() {
    for (name, draw) in [
      ("uniform", Self.uniform), ("normal", Self.normal), ("mask", Self.mask),
      ("gumbel", Self.gumbel),
    ] {
      let offset: UInt64 = (1 << 34) + 3  // block numbers beyond 32 bits
      let all = Rows.sameOnAnyThreads("\(name)") { draw(40_000, 5, 9, offset) }
      for (skip, count) in [(0, 1), (1, 1), (2, 7), (63, 130), (16_383, 20_000), (39_999, 1)] {
        #expect(
          draw(count, 5, 9, offset + UInt64(skip)) == Array(all[skip..<skip + count]),
          "\(name) \(skip) \(count)")
      }
      #expect(draw(100, 6, 9, offset) != Array(all[..<100]), "\(name): the seed matters")
      #expect(draw(100, 5, 10, offset) != Array(all[..<100]), "\(name): the stream matters")
    }
  }

  @Test func valuesComeFromTheWords() {
    let uniform = Self.uniform(400, seed: 1, stream: 2, offset: 0)
    let normal = Self.normal(400, seed: 1, stream: 2, offset: 0)
    let mask = Self.mask(400, seed: 1, stream: 2, offset: 0)
    let gumbel = Self.gumbel(400, seed: 1, stream: 2, offset: 0)
    var expected: [Double] = []
    var expectedGumbel: [Double] = []
    for block in 0..<100 {
      var words = [UInt32](repeating: 0, count: 4)
      ck_philox(1, 2, UInt64(block), &words)
      let u = words.map { Double($0 >> 8) / Double(1 << 24) }
      for lane in 0..<4 {
        #expect(Double(uniform[4 * block + lane]) == u[lane])
        #expect(mask[4 * block + lane] == (u[lane] < 0.75 ? 1 : 0))
      }
      expectedGumbel += u.map { -log(-log($0 + 0x1p-25)) }
      for pair in [0, 2] {
        let radius = (-2 * log(1 - u[pair])).squareRoot()
        expected.append(radius * cos(2 * .pi * u[pair + 1]))
        expected.append(radius * sin(2 * .pi * u[pair + 1]))
      }
    }
    Rows.expectClose(normal, expected, tolerance: 2e-6, "normal")
    Rows.expectClose(gumbel, expectedGumbel, tolerance: 2e-6, "gumbel")
  }

  /// A fixed seed: the moments lie within four standard errors.
  @Test func momentsAreThoseOfTheDistributions() {
    let count = 1 << 20
    let root = Double(count).squareRoot()
    let normal = Self.normal(count, seed: 11, stream: 0, offset: 0).map(Double.init)
    #expect(normal.allSatisfy { $0.isFinite })
    #expect(abs(normal.reduce(0, +)) < 4 * root)
    #expect(abs(normal.reduce(0) { $0 + $1 * $1 - 1 }) < 4 * 2.0.squareRoot() * root)
    #expect(abs(normal.reduce(0) { $0 + $1 * $1 * $1 }) < 4 * 15.0.squareRoot() * root)
    // Mean γ, variance π²/6.
    let gumbel = Self.gumbel(count, seed: 11, stream: 0, offset: 0).map(Double.init)
    #expect(gumbel.allSatisfy { $0.isFinite })
    let deviation = Double.pi / 6.0.squareRoot()
    #expect(abs(gumbel.reduce(0) { $0 + $1 - 0.5772156649 }) < 4 * deviation * root)
    let uniform = Self.uniform(count, seed: 11, stream: 0, offset: 0)
    #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
    let mean = uniform.reduce(0) { $0 + Double($1) } / Double(count)
    #expect(abs(mean - 0.5) < 4 / 12.0.squareRoot() / root)
  }
}
