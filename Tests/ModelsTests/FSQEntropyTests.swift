// The entropy loss that draws the latents of finite scalar quantization to codes not in use.
import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Testing

@Suite struct FSQEntropyTests {
  private static func config(_ levels: [Int], weight: Float = 0.3) -> VQGANConfig {
    var config = VQGANConfig.tiny
    config.quantizer = QuantizerConfig(kind: .fsq)
    config.quantizer.levels = levels
    config.quantizer.entropyWeight = weight
    config.quantizer.diversity = 1.5
    (config.nEmbed, config.embedDim) = (levels.reduce(1, *), levels.count)
    return config
  }

  private static func quantizer(_ config: VQGANConfig) -> FSQuantizer {
    var random = RandomSource(seed: 1)
    return FSQuantizer(config, using: &random, on: .default)
  }

  private static func latents(_ channels: Int) -> Tensor {
    var random = RandomSource(seed: 2)
    return random.normal([12, channels])
  }

  /// `mean H(p) - 1.5 H(mean p)` of some channels, by its definition in double precision.
  private static func expected(_ z: [[Double]], _ levels: [Int]) -> Double {
    let entries = levels.reduce(1, *)
    func entropy(_ p: [Double]) -> Double { -p.reduce(0) { $0 + ($1 > 0 ? $1 * log($1) : 0) } }
    let assignments = z.map { row -> [Double] in
      let weights = (0..<entries).map { entry -> Double in
        var (left, distance) = (entry, 0.0)
        for (value, level) in zip(row, levels) {
          let half = Double(level - 1) * 1.001 / 2
          let offset = level.isMultiple(of: 2) ? 0.5 : 0
          let y = tanh(value + atanh(offset / half)) * half - offset
          distance += pow(y - Double(left % level - level / 2), 2)
          left /= level
        }
        return exp(-4 * distance)
      }
      return weights.map { $0 / weights.reduce(0, +) }
    }
    let mean = (0..<entries).map { entry in
      assignments.reduce(0) { $0 + $1[entry] } / Double(z.count)
    }
    return assignments.reduce(0) { $0 + entropy($1) } / Double(z.count) - 1.5 * entropy(mean)
  }

  /// Of one group of channels and of two: 8 · 8 · 8 entries, and 8 more.
  @Test(arguments: [([8, 5, 4], [0..<3]), ([8, 8, 8, 8], [0..<3, 3..<4])])
  func isThatOfItsDefinition(levels: [Int], groups: [Range<Int>]) {
    let z = Self.latents(levels.count)
    let quantizer = Self.quantizer(Self.config(levels))
    let loss = quantizer(z.imageOfRows).loss.elements()[0]
    let rows = z.elements().map(Double.init)
    let expected = groups.reduce(0.0) { sum, group in
      let part = (0..<12).map { row in group.map { rows[row * levels.count + $0] } }
      return sum + Self.expected(part, Array(levels[group]))
    }
    #expect(abs(Double(loss) - 0.3 * expected) < 1e-4, "\(loss), expected \(0.3 * expected)")
  }

  @Test func movesTheLatentsByItsDifferences() throws {
    let quantizer = Self.quantizer(Self.config([8, 5, 4]))
    try checkGradient(at: [("z", Self.latents(3))], step: 1e-3) {
      quantizer($0[0].imageOfRows).loss
    }
  }

  @Test func isOffUnlessItIsAskedFor() throws {
    let written = try JSONSerialization.jsonObject(
      with: JSONEncoder().encode(Self.config([8, 5, 4]).quantizer))
    var old = try #require(written as? [String: Any])
    #expect(old.removeValue(forKey: "entropy_weight") != nil)
    let data = try JSONSerialization.data(withJSONObject: old)
    #expect(try JSONDecoder().decode(QuantizerConfig.self, from: data).entropyWeight == 0)
    let some = Self.config([8, 5, 4]).quantizer
    #expect(
      try JSONDecoder().decode(QuantizerConfig.self, from: JSONEncoder().encode(some)) == some)
    let quantizer = Self.quantizer(Self.config([8, 5, 4], weight: 0))
    #expect(quantizer(Self.latents(3).imageOfRows).loss.elements() == [0])
    var several = Self.config([8, 5, 4])
    several.quantizer.depth = 2
    #expect(several.problem?.contains("entropy_weight") == true)
  }
}
