import Models
import NN
import TensorCore
import Testing

/// A quantizer with three entries of two values, and latents `[1, 2, 1, 4]` near them.
private struct Example {
  var quantizer: any Quantizer
  let latents: Tensor
  static let entries: [Float] = [0, 0, 1, 1, -1, 2]
  /// Position by position: (0.1, 0), (1, 0.8), (0.9, 1.1), (-1, 1).
  static let rows: [Float] = [0.1, 0, 1, 0.8, 0.9, 1.1, -1, 1]
  static let codes: [Int32] = [0, 1, 1, 2]

  init(_ config: QuantizerConfig, on device: Device) {
    quantizer = VQGAN.quantizer(config, entries: 3, dimension: 2, on: device)
    quantizer.replaceEntries(Tensor(Self.entries, shape: [3, 2], on: device))
    latents = Tensor([0.1, 1, 0.9, -1, 0, 0.8, 1.1, 1], shape: [1, 2, 1, 4], on: device)
  }
}

extension VQGAN {
  /// The codebook alone of a model with seed 1.
  static func quantizer(
    _ quantizer: QuantizerConfig, entries: Int, dimension: Int, on device: Device
  ) -> any Quantizer {
    var config = VQGANConfig.tiny
    (config.nEmbed, config.embedDim, config.zChannels) = (entries, dimension, dimension)
    config.quantizer = quantizer
    var random = RandomSource(seed: 1)
    return VQGAN(config, using: &random, on: device).quantizer
  }
}

extension Quantizer {
  /// As in evaluation.
  func callAsFunction(_ z: Tensor, among used: IndexTensor? = nil) -> Quantized {
    var none: RandomSource?
    return self(z, among: used, sampling: &none)
  }
}

private func isNear(_ a: [Float], _ b: [Float]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 }
}

/// Mean squared distance of the example's latents from their entries: (0.01 + 0.04 + 0.02 + 1) / 8.
private let distance: Float = 1.07 / 8

@Suite struct VQGANQuantizerTests {
  @Test(arguments: Device.all)
  func latentsBecomeTheirNearestEntries(device: Device) {
    let example = Example(.init(), on: device)
    let quantized = example.quantizer(example.latents)
    #expect(quantized.indices.elements == Example.codes)
    #expect(quantized.indices.shape == [1, 1, 4])
    #expect(isNear(quantized.latents.elements(), [0, 1, 1, -1, 0, 1, 1, 2]))
    #expect(
      isNear(
        example.quantizer.vectors(of: quantized.indices).elements(), [0, 1, 1, -1, 0, 1, 1, 2]))
  }

  /// Both terms are equal in value: only their weights and their gradients tell the placements
  /// apart.
  @Test(arguments: [true, false], Device.all)
  func betaStandsWhereThePlacementPutsIt(legacy: Bool, device: Device) throws {
    let example = Example(.init(beta: 0.25, legacy: legacy), on: device)
    let z = example.latents.trainable()
    let loss = example.quantizer(z).loss
    #expect(abs(loss.item() - 1.25 * distance) < 1e-6)
    let gradients = backward(loss)
    let (onLatents, onEntries): (Float, Float) = legacy ? (1, 0.25) : (0.25, 1)

    // d/dz mean (q - z)² = 2 (z - q) / 8
    let q: [Float] = [0, 1, 1, -1, 0, 1, 1, 2]
    let expected = zip(example.latents.elements(), q).map { onLatents * 2 * ($0 - $1) / 8 }
    #expect(isNear(try #require(gradients[z]).elements(), expected))

    var entries = [Float](repeating: 0, count: 6)
    for (position, code) in Example.codes.enumerated() {
      for i in 0..<2 {
        let slot = Int(code) * 2 + i
        entries[slot] +=
          onEntries * 2 * (Example.entries[slot] - Example.rows[position * 2 + i]) / 8
      }
    }
    let weight = example.quantizer.codebook
    #expect(isNear(try #require(gradients[weight]).elements(), entries))
  }

  @Test(arguments: [QuantizerConfig.Kind.gradient, .movingAverage], Device.all)
  func theGradientPassesStraightThrough(kind: QuantizerConfig.Kind, device: Device) throws {
    let example = Example(.init(kind: kind), on: device)
    let z = example.latents.trainable()
    let seed = Tensor([1, 2, 3, 4, 5, 6, 7, 8], shape: [1, 2, 1, 4], on: device)
    let gradients = backward([(example.quantizer(z).latents, seed)])
    #expect(try #require(gradients[z]).elements() == seed.elements())
    #expect(gradients[example.quantizer.codebook] == nil)
  }

  @Test(arguments: Device.all)
  func theLowestOfEqualEntriesWins(device: Device) {
    var random = RandomSource(seed: 1)
    var quantizer = VQGAN.quantizer(.init(), entries: 40, dimension: 3, on: device)
    quantizer.replaceEntries(Tensor(repeating: 0.5, shape: [40, 3], on: device))
    #expect(
      quantizer(random.normal([2, 3, 5, 5], on: device)).indices.elements
        == [Int32](repeating: 0, count: 50))
  }

  @Test(arguments: Device.all)
  func averagesMoveByTheirFormula(device: Device) {
    var example = Example(.init(kind: .movingAverage, decay: 0.9), on: device)
    let rows = Tensor(Example.rows, shape: [4, 2], on: device)
    var sizes: [Float] = [1, 1, 1]
    var sums = Example.entries
    for _ in 0..<3 {
      example.quantizer.moveEntries(towards: rows, at: IndexTensor(Example.codes, shape: [4]))
      sizes = sizes.map { 0.9 * $0 }
      sums = sums.map { 0.9 * $0 }
      for (position, code) in Example.codes.enumerated() {
        sizes[Int(code)] += 0.1
        for i in 0..<2 { sums[Int(code) * 2 + i] += 0.1 * Example.rows[position * 2 + i] }
      }
    }
    let total = sizes.reduce(0, +)
    let expected = sums.enumerated().map { index, sum in
      sum / ((sizes[index / 2] + 1e-5) / (total + 3e-5) * total)
    }
    #expect(isNear(example.quantizer.codebook.elements(), expected))
    let stored = Dictionary(
      uniqueKeysWithValues: example.quantizer.namedTensors.map { ($0.name, $0.tensor.elements()) })
    #expect(isNear(stored["cluster_size"] ?? [], sizes))
    #expect(isNear(stored["embed_avg"] ?? [], sums))
    #expect(example.quantizer.parameters.isEmpty)
  }

  @Test(arguments: Device.all)
  func aMovingAverageCodebookHasTheCommitmentLossAlone(device: Device) {
    let example = Example(.init(kind: .movingAverage, beta: 0.25), on: device)
    #expect(abs(example.quantizer(example.latents).loss.item() - 0.25 * distance) < 1e-6)
  }

  @Test(arguments: [QuantizerConfig.Kind.gradient, .movingAverage], Device.all)
  func revivedEntriesTakeTheVectorsGiven(kind: QuantizerConfig.Kind, device: Device) {
    var example = Example(.init(kind: kind), on: device)
    example.quantizer.setEntries([2, 0], to: Tensor([7, 8, 9, 10], shape: [2, 2], on: device))
    #expect(example.quantizer.codebook.elements() == [9, 10, 1, 1, 7, 8])
    let stored = example.quantizer.namedTensors.first { $0.name == "embed_avg" }
    #expect(stored?.tensor.elements() == (kind == .gradient ? nil : [9, 10, 1, 1, 7, 8]))
    #expect(example.quantizer.codebook.isTracked == (kind == .gradient))
  }

  /// One vector in a hundred lies elsewhere: random first centres would nearly always miss all of
  /// these.
  @Test(arguments: [1, 2, 3] as [UInt64], Device.all)
  func kMeansFindsRareVectors(seed: UInt64, device: Device) {
    var random = RandomSource(seed: seed)
    let rare: [Float] = [10, 10, -10, 10, 10, -10, -10, -10]
    var rows = random.normal([400, 2], deviation: 0.1, on: device).elements()
    for index in 0..<8 { rows[index] += rare[index] }
    let found = kMeans(
      Tensor(rows, shape: [400, 2], on: device), clusters: 6, using: &random)
    let distances = Tensor(rare, shape: [4, 2], on: device).nearestRows(in: found).distances
    #expect(distances.elements().allSatisfy { $0 < 1 })
  }

  @Test(arguments: [1, 2, 3] as [UInt64], Device.all)
  func kMeansFindsTheMeansOfSeparatedClusters(seed: UInt64, device: Device) {
    var random = RandomSource(seed: seed)
    let centres: [Float] = [10, 10, -10, 10, 10, -10, -10, -10]
    let noise = random.normal([400, 2], deviation: 0.1, on: device).elements()
    let rows = noise.enumerated().map { index, value in
      centres[(index / 2 % 4) * 2 + index % 2] + value
    }
    let found = kMeans(Tensor(rows, shape: [400, 2], on: device), clusters: 4, using: &random)
    let distances = Tensor(centres, shape: [4, 2], on: device).nearestRows(in: found).distances
    #expect(distances.elements().allSatisfy { $0 < 0.01 })
  }

  @Test(arguments: Device.all)
  func kMeansTakesFewerRowsThanClusters(device: Device) {
    var random = RandomSource(seed: 1)
    let rows = Tensor([0, 0, 5, 5], shape: [2, 2], on: device)
    let found = kMeans(rows, clusters: 6, using: &random)
    #expect(found.shape == [6, 2] && found.isFinite)
    #expect(rows.nearestRows(in: found).distances.elements().allSatisfy { $0 < 1e-4 })
  }
}
