import Models
import NN
import TensorCore
import Testing

private let config = VQGANConfig(
  resolution: 32, ch: 32, chMult: [1, 1, 2], numResBlocks: 1, attnResolutions: [8], zChannels: 32,
  embedDim: 16, nEmbed: 64)

@Suite struct VQGANShapeTests {
  @Test(arguments: [(32, 32), (104, 104), (40, 24), (4, 8)], Device.all)
  func anyMultipleOfTheDownsamplingGoesThrough(size: (height: Int, width: Int), device: Device) {
    var random = RandomSource(seed: 1)
    let model = VQGAN(config, using: &random, on: device)
    let images = random.uniform([2, 3, size.height, size.width], in: -1..<1, on: device)
    let codes = model.encode(.values(images))
    #expect(codes.shape == [2, size.height / 4, size.width / 4])
    #expect(codes.elements.allSatisfy { (0..<64).contains($0) })
    let decoded = model.decode(indices: codes)
    #expect(decoded.shape == images.shape)
    #expect(decoded.isFinite && decoded.layout == .plain)
    #expect(model.reconstruct(images).elements() == decoded.elements())
  }

  @Test(arguments: Device.all)
  func itemsOfABatchDoNotMeet(device: Device) {
    var random = RandomSource(seed: 2)
    let model = VQGAN(config, using: &random, on: device)
    let images = random.uniform([3, 3, 16, 16], in: -1..<1, on: device)
    let together = model.encode(.values(images)).elements
    let alone = (0..<3).flatMap { model.encode(.values(images.items($0..<$0 + 1))).elements }
    #expect(together == alone)
  }

  @Test(arguments: [(64, 6), (256, 30), (128, 14)])
  func patchesOfTheDiscriminator(side: Int, logits: Int) {
    var random = RandomSource(seed: 4)
    var discriminator = Discriminator(.init(ndf: 8), using: &random, on: .default)
    let images = random.uniform([1, 3, side, side], in: -1..<1)
    #expect(discriminator(images, training: false).shape == [1, 1, logits, logits])
  }

  @Test(arguments: DiscriminatorConfig.Normalization.allCases, Device.all)
  func theDiscriminatorTrainsEveryParameter(
    normalization: DiscriminatorConfig.Normalization, device: Device
  ) throws {
    var random = RandomSource(seed: 5)
    var discriminator = Discriminator(
      .init(ndf: 8, nLayers: 2, normalization: normalization), using: &random, on: device)
    let images = random.uniform([2, 3, 32, 32], in: -1..<1, on: device)
    let logits = discriminator(images, training: true)
    let gradients = backward((logits * logits).sum())
    for (name, tensor) in discriminator.namedTensors where tensor.isTracked {
      let gradient = try #require(gradients[tensor], "\(name)")
      #expect(gradient.isFinite && gradient.norm().item() > 0, "\(name)")
    }
  }

  @Test(arguments: Device.all)
  func dropoutActsInTrainingAlone(device: Device) {
    var random = RandomSource(seed: 6)
    var dropping = config
    dropping.dropout = 0.5
    let model = VQGAN(dropping, using: &random, on: device)
    let images = random.uniform([1, 3, 16, 16], in: -1..<1, on: device)
    var none: RandomSource?
    var source: RandomSource? = RandomSource(seed: 1)
    let evaluated = model.latents(of: .values(images), dropout: &none).elements()
    #expect(evaluated == model.latents(of: .values(images), dropout: &none).elements())
    #expect(evaluated != model.latents(of: .values(images), dropout: &source).elements())
    #expect(source != RandomSource(seed: 1))
  }
}
