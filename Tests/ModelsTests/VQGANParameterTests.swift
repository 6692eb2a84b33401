import Models
import NN
import TensorCore
import Testing

/// The f16 model, built once for all tests.
private let model: VQGAN = {
  var random = RandomSource(seed: 1)
  return VQGAN(.f16, using: &random)
}()

/// Trainable values under a prefix of names.
private func count(_ layer: some Layer, under prefix: String) -> Int {
  layer.namedTensors.filter { $0.name.hasPrefix(prefix) && $0.tensor.isTracked }
    .reduce(0) { $0 + $1.tensor.count }
}

@Suite struct VQGANParameterTests {
  @Test(arguments: [
    ("encoder.", 29_298_176), ("decoder.", 42_449_795), ("quant_conv.", 65_792),
    ("post_quant_conv.", 65_792), ("quantize.", 262_144),
  ])
  func partsOfTheF16ModelHaveThePublishedSize(prefix: String, expected: Int) {
    #expect(count(model, under: prefix) == expected)
  }

  @Test(arguments: Device.all)
  func discriminatorAndFeaturesHaveThePublishedSize(device: Device) {
    var random = RandomSource(seed: 1)
    let discriminator = Discriminator(.init(), using: &random, on: device)
    #expect(discriminator.parameterCount == 2_765_633)
    #expect(count(LPIPS(on: device), under: "net.") == 14_714_688)
  }

  /// 651 million weights, 2.6 GB if they were used.
  @Test func theTransformerOfCOCOHasThePublishedSize() throws {
    let config = try GPTConfig(vocabSize: 8192, blockSize: 512, layers: 32, heads: 16, width: 1280)
    let values = GPT(config).shapes().reduce(0) { $0 + $1.shape.reduce(1, *) }
    #expect(values / 100_000 == 6513)
  }

  @Test func namesAreThoseOfTheReference() {
    func block(_ prefix: String, shortcut: Bool = false) -> [String] {
      let parts = ["norm1", "conv1", "norm2", "conv2"] + (shortcut ? ["nin_shortcut"] : [])
      return parts.map { "\(prefix).\($0)" }
    }
    func attention(_ prefix: String) -> [String] {
      ["norm", "q", "k", "v", "proj_out"].map { "\(prefix).\($0)" }
    }
    func middle(_ part: String) -> [String] {
      block("\(part).mid.block_1") + attention("\(part).mid.attn_1")
        + block("\(part).mid.block_2")
    }
    let ends = { (part: String) in ["conv_in", "norm_out", "conv_out"].map { "\(part).\($0)" } }
    var layers = ends("encoder") + ends("decoder") + middle("encoder") + middle("decoder")
    for level in 0..<5 {
      for index in 0..<2 {
        // Channels change at the first block of levels 2 and 4: 128 → 256, 256 → 512.
        layers += block(
          "encoder.down.\(level).block.\(index)", shortcut: index == 0 && [2, 4].contains(level))
        if level == 4 { layers += attention("encoder.down.4.attn.\(index)") }
      }
      for index in 0..<3 {
        // The decoder comes down from level 4: 512 → 256 at level 3, 256 → 128 at level 1.
        layers += block(
          "decoder.up.\(level).block.\(index)", shortcut: index == 0 && [3, 1].contains(level))
        if level == 4 { layers += attention("decoder.up.4.attn.\(index)") }
      }
      if level < 4 { layers.append("encoder.down.\(level).downsample.conv") }
      if level > 0 { layers.append("decoder.up.\(level).upsample.conv") }
    }
    layers += ["quant_conv", "post_quant_conv"]
    let expected =
      layers.flatMap { ["\($0).weight", "\($0).bias"] } + ["quantize.embedding.weight"]
    #expect(model.namedTensors.map(\.name).sorted() == expected.sorted())
  }

  @Test func namesOfTheLossPartsAreThoseOfTheReference() {
    var random = RandomSource(seed: 1)
    let discriminator = Discriminator(.init(ndf: 8), using: &random, on: .default)
    var expected = [0, 11].flatMap { ["main.\($0).weight", "main.\($0).bias"] }
    expected += [2, 5, 8].map { "main.\($0).weight" }
    expected += [3, 6, 9].flatMap { index in
      ["weight", "bias", "running_mean", "running_var"].map { "main.\(index).\($0)" }
    }
    #expect(discriminator.namedTensors.map(\.name).sorted() == expected.sorted())

    let slices = [[0, 2], [5, 7], [10, 12, 14], [17, 19, 21], [24, 26, 28]]
    var features: [String] = []
    for (slice, indices) in slices.enumerated() {
      for index in indices {
        features += ["weight", "bias"].map { "net.slice\(slice + 1).\(index).\($0)" }
      }
    }
    features += (0..<5).map { "lin\($0).model.1.weight" }
    #expect(
      LPIPS(channels: [4, 4, 8, 8, 8], on: .default).namedTensors.map(\.name).sorted()
        == features.sorted())
  }
}
