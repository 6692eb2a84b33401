import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Testing

@Suite struct ResidualQuantizerTests {
  private static func quantizer(
    _ kind: QuantizerConfig.Kind, depth: Int = 3, dropout: Float = 0,
    gradient: QuantizerConfig.LatentGradient = .straight
  ) -> any Quantizer {
    var config = QuantizerConfig(kind: kind)
    (config.depth, config.dropout, config.gradient) = (depth, dropout, gradient)
    return VQGAN.quantizer(config, entries: 5, dimension: 4, on: .default)
  }

  /// Each level takes the nearest entry to what those before it leave; codes stand level by level.
  @Test(arguments: [QuantizerConfig.Kind.gradient, .movingAverage, .simVQ])
  func codesAreThoseOfTheRemainders(kind: QuantizerConfig.Kind) {
    var quantizer = Self.quantizer(kind)
    var random = RandomSource(seed: 2)
    let z = random.normal([2, 4, 2, 3])
    if kind != .simVQ {
      quantizer.startEntries(from: random.normal([90, 4]), using: &random)
    }
    let quantized = quantizer(z)
    #expect(quantized.indices.shape == [2, 2, 9])
    var rest = z.vectors()
    var lengths = [rest.norm().item()]
    for level in 0..<3 {
      let rows = IndexTensor(Array(level * 5..<level * 5 + 5), shape: [5])
      let table = quantizer.codebook.detached().gathered(at: rows)
      let codes = rest.nearestRows(in: table).indices
      #expect(quantized.levels[level].indices == codes)
      #expect(quantized.levels[level].firstEntry == level * 5)
      let own = stride(from: level, to: 36, by: 3).map { quantized.indices.elements[$0] }
      #expect(own == codes.elements)
      rest = rest - table.gathered(at: codes)
      lengths.append(rest.norm().item())
    }
    if kind != .simVQ { #expect(lengths[3] < lengths[1] && lengths[1] < lengths[0]) }
    #expect(Distance(quantized.latents, quantizer.vectors(of: quantized.indices)).largest < 1e-5)
    #expect(Distance((z.vectors() - quantized.latents.vectors()), rest).largest < 1e-5)
  }

  @Test func theLatentsGetTheGradientOfTheSumOnce() throws {
    let quantizer = Self.quantizer(.movingAverage)
    var random = RandomSource(seed: 3)
    let z = random.normal([1, 4, 2, 2]).trainable()
    let seed = random.normal([1, 4, 2, 2])
    let gradient = try #require(backward([(quantizer(z).latents, seed)])[z])
    #expect(Distance(gradient, seed).largest < 1e-6)
  }

  @Test func theCommitmentLossHasTheGradientOfItsDifferences() throws {
    let quantizer = Self.quantizer(.movingAverage)
    var random = RandomSource(seed: 3)
    try checkGradient(at: [("z", random.normal([1, 4, 2, 2]))], step: 1e-3) {
      quantizer($0[0]).loss
    }
  }

  /// What d codebooks of L levels leave of a channel is at most half a step of the last one.
  @Test(arguments: [2, 3, 4])
  func levelsOfEachCodebookAreFiner(depth: Int) {
    var config = VQGANConfig.tiny
    config.quantizer = QuantizerConfig(kind: .fsq)
    (config.quantizer.levels, config.quantizer.depth) = ([8, 5, 3], depth)
    (config.nEmbed, config.embedDim) = (120, 3)
    var random = RandomSource(seed: 2)
    let quantizer = VQGAN(config, using: &random).quantizer
    let z = random.normal([2, 3, 5, 4], deviation: 2)
    let quantized = quantizer(z)
    #expect(quantized.indices.shape == [2, 5, 4 * depth])
    let found = quantizer.vectors(of: quantized.indices).vectors().elements()
    for (index, value) in z.vectors().elements().enumerated() {
      let level = [8, 5, 3][index % 3] as Float
      let bound: Float = level / (level - 1)
      let bounded: Float = Float(tanh(Double(value / bound))) * bound
      let halfStep: Float = pow(level, Float(1 - depth)) / (level - 1)
      let rest: Float = abs(bounded - found[index])
      #expect(rest < halfStep + 1e-5)
    }
    // A code of the first codebook alone is its entry, with the least values of all others.
    let all = IndexTensor(
      (0..<120).flatMap { [Int32($0)] + Array(repeating: 0, count: depth - 1) },
      shape: [1, 120, depth])
    let first = quantizer.vectors(of: all).vectors().elements()
    let table = Array(quantizer.codebook.elements().prefix(360))
    for (index, value) in table.enumerated() {
      let level = [8, 5, 3][index % 3] as Float
      let others: Float = (1..<depth).reduce(0) { $0 + pow(level, Float(-$1)) }
      let difference: Float = value - others - first[index]
      #expect(abs(difference) < 1e-5)
    }
    let entries = Set(stride(from: 0, to: 360, by: 3).map { table[$0..<$0 + 3] })
    #expect(entries.count == 120)
  }

  /// Signs of what is left, each codebook's of half the size of the one before.
  @Test(arguments: QuantizerConfig.SignConvention.allCases)
  func signsOfEachCodebookAreSmaller(signs: QuantizerConfig.SignConvention) {
    var config = VQGANConfig.tiny
    config.quantizer = QuantizerConfig(kind: .lfq)
    (config.quantizer.depth, config.quantizer.signs) = (3, signs)
    (config.nEmbed, config.embedDim) = (16, 4)
    #expect(config.problem == nil)
    var random = RandomSource(seed: 2)
    let quantizer = VQGAN(config, using: &random).quantizer
    let z = random.normal([1, 4, 40, 3])
    let quantized = quantizer(z)
    let values = quantizer.vectors(of: quantized.indices).vectors().elements()
    #expect(Distance(quantized.latents.vectors().elements(), values).largest < 1e-5)
    let known = Set(stride(from: -1.75, through: 1.75, by: 0.5).map { Float($0) })
    #expect(Set(values) == known)
    guard signs == .openMAGVIT2 else { return }
    // The nearest of the eight values, to latents that are taken as they are.
    for (value, latent) in zip(values, z.vectors().elements()) {
      let nearest: Float = max(-1.75, min(1.75, latent))
      #expect(abs(value - nearest) < 0.2501)
    }
  }

  /// The second codebook sees the direction of what the first one's entry leaves of the latent.
  @Test func directionsOfWhatIsLeftAreCompared() {
    var config = QuantizerConfig(kind: .movingAverage)
    (config.depth, config.cosine) = (2, true)
    var quantizer = VQGAN.quantizer(config, entries: 6, dimension: 4, on: .default)
    var random = RandomSource(seed: 4)
    let rows = random.normal([80, 4])
    quantizer.startEntries(from: rows, using: &random)
    let table = quantizer.codebook
    #expect(table.isFinite && table.shape == [12, 4])
    let quantized = quantizer(rows.imageOfRows)
    let left = (rows - table.gathered(at: quantized.levels[0].indices)).elements()
    let seen = quantized.levels[1].vectors.elements()
    for start in stride(from: 0, to: 320, by: 4) {
      let length: Float = left[start..<start + 4].reduce(0) { $0 + $1 * $1 }.squareRoot()
      for index in start..<start + 4 {
        let direction: Float = left[index] / length
        #expect(abs(seen[index] - direction) < 1e-4)
      }
    }
  }

  /// Entries 1, 6 and 14 are one of each level.
  @Test func entriesOfEachLevelAreSet() {
    var quantizer = Self.quantizer(.movingAverage)
    let before = quantizer.codebook.elements()
    let new = Tensor((0..<12).map { Float($0) }, shape: [3, 4])
    quantizer.setEntries([14, 1, 6], to: new)
    var expected = before
    for (row, entry) in [14, 1, 6].enumerated() {
      for i in 0..<4 { expected[entry * 4 + i] = Float(row * 4 + i) }
    }
    #expect(quantizer.codebook.elements() == expected)
    #expect(
      quantizer.namedTensors.map(\.name).prefix(4) == [
        "layers.0.embedding.weight", "layers.0.cluster_size", "layers.0.embed_avg",
        "layers.1.embedding.weight",
      ])
  }

  /// About three of ten steps leave out levels, and of these about half only the last one.
  @Test func dropoutLeavesOutTheLastLevels() {
    let quantizer = Self.quantizer(.movingAverage, dropout: 0.3)
    var random = RandomSource(seed: 3)
    let z = random.normal([1, 4, 1, 1])
    var sampling: RandomSource? = random
    var counts = [0, 0, 0, 0]
    for _ in 0..<1000 {
      counts[quantizer(z, among: nil, sampling: &sampling).levels.count] += 1
    }
    #expect(counts[0] == 0 && (90...210).contains(counts[1]) && (90...210).contains(counts[2]))
    #expect(quantizer(z).levels.count == 3)
  }

  @Test func windowsMoveByWholePositions() {
    let (grid, trained) = (GridSize(height: 4, width: 16), GridSize(height: 2, width: 8))
    for column in 0..<16 {
      let window = GridWindow(around: 1, column, of: grid, seenBy: trained, depth: 2)
      let single = GridWindow(
        around: 1, column / 2, of: GridSize(height: 4, width: 8),
        seenBy: GridSize(height: 2, width: 4))
      #expect(window.column == 2 * single.column && window.size == trained)
    }
  }

  @Test func configurationsWithAProblem() {
    func problem(_ change: (inout QuantizerConfig) -> Void) -> String? {
      var config = VQGANConfig.tiny
      config.quantizer.depth = 2
      change(&config.quantizer)
      return config.problem
    }
    #expect(problem { _ in } == nil)
    #expect(problem { $0.cosine = true } == nil)
    #expect(problem { $0.kind = .ibq }?.contains("longer than the latent") == true)
    #expect(problem { $0.kind = .gumbel }?.contains("need not be near") == true)
    var fsq = VQGANConfig.tiny
    fsq.quantizer = QuantizerConfig(kind: .fsq)
    (fsq.quantizer.levels, fsq.quantizer.depth) = ([8, 5, 3], 6)
    (fsq.nEmbed, fsq.embedDim) = (120, 3)
    #expect(fsq.problem == nil)
    fsq.quantizer.depth = 7
    #expect(fsq.problem?.contains("float32") == true)
    fsq.quantizer.depth = 2
    fsq.quantizer.gradient = .rotation
    #expect(fsq.problem?.contains("rotation") == true)
    #expect(problem { $0.depth = 9 }?.contains("depth") == true)
    #expect(problem { $0.remap = .init(used: 3) }?.contains("remap") == true)
    #expect(problem { ($0.depth, $0.dropout) = (1, 0.5) }?.contains("dropout") == true)
  }
}
