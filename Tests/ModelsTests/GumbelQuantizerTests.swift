import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Testing

@Suite struct GumbelQuantizerTests {
  /// Of vectors of length 5, with one temperature for all steps.
  private static func quantizer(
    entries: Int = 7, temperature: Float = 0.9, klWeight: Float = 1e-8, on device: Device
  ) -> any Quantizer {
    VQGAN.quantizer(
      QuantizerConfig(
        kind: .gumbel, klWeight: klWeight,
        temperature: TemperatureSchedule(start: temperature, end: temperature)),
      entries: entries, dimension: 5, on: device)
  }

  /// The first entries of the codebook; nil for all.
  private static func first(_ count: Int?) -> IndexTensor? {
    count.map { IndexTensor((0..<$0).map { Int32($0) }, shape: [$0]) }
  }

  /// Results are entries of the codebook, whatever the temperature; the noise decides which.
  @Test(arguments: Device.all)
  func theDrawnEntryAloneIsTheResult(device: Device) {
    let quantizer = Self.quantizer(temperature: 0.1, on: device)
    var random = RandomSource(seed: 4)
    let z = random.normal([2, 5, 3, 2], on: device)
    let calm = quantizer(z)
    var sampling: RandomSource? = random
    let drawn = quantizer(z, among: nil, sampling: &sampling)
    for quantized in [calm, drawn] {
      let expected = quantizer.vectors(of: quantized.indices)
      #expect(Distance(quantized.latents, expected).largest == 0)
    }
    #expect(calm.indices != drawn.indices)
  }

  /// Ten thousand draws from the same logits: each entry comes as often as its fraction says,
  /// within five deviations.
  @Test func entriesComeAsOftenAsTheirShares() {
    let device = Device.default
    let quantizer = Self.quantizer(entries: 4, on: device)
    let z = Tensor(repeating: 0.5, shape: [1, 5, 100, 100], on: device)
    var random: RandomSource? = RandomSource(seed: 5)
    let drawn = quantizer(z, among: nil, sampling: &random).indices
    var counts = [Double](repeating: 0, count: 4)
    for entry in drawn.elements { counts[Int(entry)] += 1 }
    let named = Dictionary(
      uniqueKeysWithValues: quantizer.namedTensors.map { ($0.name, $0.tensor) })
    let (weight, bias) = (named["proj.weight"]?.elements() ?? [], named["proj.bias"]?.elements())
    let powers = (bias ?? []).enumerated().map { k, bias in
      exp(Double(bias) + weight[k * 5..<k * 5 + 5].reduce(0.0) { $0 + 0.5 * Double($1) })
    }
    for (count, power) in zip(counts, powers) {
      let fraction = power / powers.reduce(0, +)
      let deviation = (10_000 * fraction * (1 - fraction)).squareRoot()
      #expect(abs(count - 10_000 * fraction) < 5 * deviation)
    }
  }

  /// Latents and logits get the gradient of the entries' mean in the relaxed fractions, the entries
  /// that of the drawn ones.
  @Test(arguments: [nil, 4], Device.all)
  func theGradientIsThatOfTheRelaxedSample(used: Int?, device: Device) throws {
    let quantizer = Self.quantizer(temperature: 0.7, on: device)
    var random = RandomSource(seed: 6)
    let z = random.normal([1, 5, 2, 2], on: device)
    var sampling: RandomSource? = random
    let noise = random.gumbel([4, used ?? 7], on: device)
    let named = Dictionary(
      uniqueKeysWithValues: quantizer.namedTensors.map { ($0.name, $0.tensor) })
    let weight = try #require(named["proj.weight"])
    let bias = try #require(named["proj.bias"])
    let table = try #require(named["embed.weight"])
    let rows = z.vectors().detached().trainable()
    let seed = random.normal([1, 5, 2, 2], on: device)

    func parts(_ count: Int) -> (Tensor, Tensor, Tensor) {
      let all = (0..<count).map { Int32($0) }
      let list = IndexTensor(all, shape: [count])
      return (
        weight.plain().reshaped([7, 5]).gathered(at: list),
        bias.reshaped([7, 1]).gathered(at: list).reshaped([count]),
        table.detached().gathered(at: list)
      )
    }
    let (w, b, entries) = parts(used ?? 7)
    let relaxed = (rows.linear(w, bias: b) + noise).scaled(by: 1 / 0.7).softmax().matmul(entries)
    let expected = backward([(relaxed, seed.vectors())])

    let input = rows.detached().reshaped([1, 4, 5]).image(height: 2, width: 2).trainable()
    let quantized = quantizer(input, among: Self.first(used), sampling: &sampling)
    let found = backward([(quantized.latents, seed)])
    for (a, b) in [(input, rows), (weight, weight), (bias, bias)] {
      let gradient = try #require(found[a])
      let wanted = try #require(expected[b])
      let values = a.rank == 4 && a.shape == input.shape ? gradient.vectors() : gradient
      #expect(Distance(values.elements(), wanted.elements()).relative < 1e-5)
    }
    let sums = seed.vectors().scatteredSums(
      at: quantized.indices.reshaped([4]), rows: 7)
    let gradient = try #require(found[table])
    #expect(Distance(gradient, sums).relative < 1e-6)
  }

  @Test(arguments: Device.all)
  func theLossHasTheGradientOfItsDifferences(device: Device) throws {
    for used in [nil, 3] {
      let quantizer = Self.quantizer(klWeight: 2, on: device)
      var random = RandomSource(seed: 8)
      try checkGradient(at: [("z", random.normal([1, 5, 2, 3], on: device))]) {
        quantizer($0[0], among: Self.first(used)).loss
      }
    }
  }

  /// Logits that favour one entry: log K nats from even use; that of the whole codebook, also where
  /// a part is left out.
  @Test(arguments: [nil, 3])
  func theLossIsTheDivergenceFromEvenUse(used: Int?) {
    var quantizer = Self.quantizer(klWeight: 1, on: .default)
    quantizer.visitParameters { name, tensor in
      if name == "proj.weight" { tensor.assign(Tensor(repeating: 0, shape: tensor.shape)) }
      if name == "proj.bias" {
        tensor.assign(Tensor([0, 60, 0, 0, 0, 0, 0], shape: [7]))
      }
    }
    let quantized = quantizer(Tensor(repeating: 1, shape: [1, 5, 1, 2]), among: Self.first(used))
    #expect(abs(quantized.loss.item() - log(7 as Float)) < 1e-5)
    #expect(quantized.indices.elements == [1, 1])
  }

  @Test func temperaturesFallAlongTheirCosine() {
    let published = TemperatureSchedule()
    #expect(published(0) == 0.9)
    #expect(abs(published(500_000) - 0.45) < 1e-5)
    #expect(published(1_000_001) == 1e-6 && published(5_000_000) == 1e-6)
    let short = TemperatureSchedule(start: 1, end: 0.5, steps: 4)
    #expect([0, 1, 2, 4].map { (short($0) * 1000).rounded() } == [1000, 927, 750, 500])
  }

  @Test func configurationsWithAProblem() throws {
    var config = VQGANConfig.tiny
    config.quantizer.kind = .gumbel
    #expect(config.problem?.contains("z_channels") == true)
    config.embedDim = config.zChannels
    #expect(config.problem == nil)
    config.quantizer.restartAfter = 5
    #expect(config.problem?.contains("revive_after") == true)
    config.quantizer.restartAfter = 0
    config.quantizer.temperature.end = 0
    #expect(config.problem?.contains("temperature") == true)
    config = .tiny
    config.quantizer.remap = CodeRemap.Config(used: 65)
    #expect(config.problem?.contains("remap.used is 65") == true)
    config.quantizer.remap = CodeRemap.Config(used: 8, unknownIndex: .code(8))
    #expect(config.problem?.contains("unknown_index") == true)
    config.quantizer.remap = CodeRemap.Config(used: 8, unknownIndex: .code(7))
    #expect(config.problem == nil)
  }
}
