import Models
import NN
import TamingCheckpoints
import TensorCore
import Testing

/// The lists that files are checked against are those of the models themselves.
struct TensorShapesTests {
  private func list(_ layer: some Layer) -> [String] {
    layer.namedTensors.map { "\($0.name) \($0.tensor.shape.extents)" }
  }

  private func list(_ shapes: TensorShapes) -> [String] {
    shapes.list.map { "\($0.name) \($0.shape)" }
  }

  private static let configs: [VQGANConfig] = [
    .tiny, .small,
    VQGANConfig(
      resolution: 64, inChannels: 183, outChannels: 183, ch: 32, chMult: [2, 1, 1, 3],
      numResBlocks: 2, attnResolutions: [64, 8], zChannels: 8, embedDim: 4, nEmbed: 10),
    VQGANConfig(
      resolution: 16, inChannels: 1, outChannels: 1, ch: 32, chMult: [1], numResBlocks: 1,
      attnResolutions: [], zChannels: 3, embedDim: 3, nEmbed: 2),
  ]

  @Test(arguments: configs)
  func vqgan(config: VQGANConfig) {
    var random = RandomSource(seed: 1)
    #expect(list(.vqgan(config)) == list(VQGAN(config, using: &random)))
  }

  @Test func discriminator() {
    var random = RandomSource(seed: 1)
    for normalization in DiscriminatorConfig.Normalization.allCases {
      for layers in 1...5 {
        let config = DiscriminatorConfig(ndf: 8, nLayers: layers, normalization: normalization)
        let model = Discriminator(config, channels: 4, using: &random, on: .default)
        #expect(list(.discriminator(config, channels: 4)) == list(model))
      }
    }
  }

  @Test func perceptualNetwork() {
    let channels = [4, 8, 16, 32, 32]
    #expect(
      list(.lpips(channels: channels)) == list(LPIPS(channels: channels, on: .default)))
  }

  @Test func gpt() throws {
    let config = try GPTConfig(vocabSize: 11, blockSize: 7, layers: 2, heads: 2, width: 6)
    var random = RandomSource(seed: 1)
    #expect(list(.gpt(config)) == list(GPT(config, using: &random)))
  }

  /// The published sizes, as counts of values.
  @Test func publishedSizes() throws {
    func count(_ shapes: TensorShapes, _ prefix: String = "") -> Int {
      shapes.list.filter { $0.name.hasPrefix(prefix) }.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }
    let f16 = TensorShapes.vqgan(.f16)
    #expect(count(f16, "encoder.") == 29_298_176)
    #expect(count(f16, "decoder.") == 42_449_795)
    #expect(count(f16, "quantize.") == 262_144)
    #expect(count(.lpips(), "net.") == 14_714_688)
    let coco = try GPTConfig(vocabSize: 8192, blockSize: 512, layers: 32, heads: 16, width: 1280)
    #expect(count(.gpt(coco)) / 100_000 == 6513)
  }
}
