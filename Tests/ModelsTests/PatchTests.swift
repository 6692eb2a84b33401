// Squares of pixels as one position of the first level.
import Foundation
import Models
import NN
import RowMaps
import TensorCore
import TestSupport
import Testing

@Suite struct PatchTests {
  private static func config(_ patch: Int, labels: Int? = nil) -> VQGANConfig {
    var config = VQGANConfig.tiny
    config.patch = patch
    config.chMult = patch < 4 ? [1, 2] : [2]
    config.attnResolutions = [8]
    if let labels { (config.inChannels, config.outChannels) = (labels, labels) }
    return config
  }

  @Test(arguments: [1, 2, 4, 8]) func squaresBecomeChannelsAndAreSquaresAgain(p: Int) {
    let shape: Shape = [2, 3, 2 * p, 3 * p]
    let x = Tensor((0..<shape.count).map { Float($0) }, shape: shape)
    let y = x.positionsToChannels(p)
    #expect(y.shape == [2, 3 * p * p, 2, 3])
    #expect(y.channelsToPositions(p).plain().elements() == x.elements())
    // Row i and column j of the square of position (1, 2) of the second item.
    let all = y.plain().elements()
    for (i, j, c) in [(0, 0, 0), (p - 1, 0, 1), (p - 1, p - 1, 2), (0, p - 1, 1)] {
      let channel = (p * i + j) * 3 + c
      let found = all[((3 * p * p + channel) * 2 + 1) * 3 + 2]
      let expected = ((3 + c) * 2 * p + p + i) * 3 * p + 2 * p + j
      #expect(found == Float(expected))
    }
  }

  @Test(arguments: [2, 4]) func gradientsAreThoseOfTheOtherWay(p: Int) throws {
    var random = RandomSource(seed: 2)
    let weights = random.normal([1, 2, 2 * p, 2 * p])
    try checkGradient(at: [("x", random.normal([1, 2 * p * p, 2, 2]))]) {
      ($0[0].channelsToPositions(p) * weights).sum()
    }
    let others = random.normal([1, 2 * p * p, 2, 2])
    try checkGradient(at: [("x", random.normal([1, 2, 2 * p, 2 * p]))]) {
      ($0[0].positionsToChannels(p) * others).sum()
    }
  }

  @Test(arguments: [2, 4, 8]) func aModelKeepsItsSizes(patch: Int) throws {
    let config = Self.config(patch)
    #expect(config.problem == nil && config.downsampling == max(patch, 4))
    var random = RandomSource(seed: 3)
    let model = VQGAN(config, using: &random)
    let images = random.normal([2, 3, 16, 24])
    let f = config.downsampling
    #expect(model.encode(.values(images)).shape == [2, 16 / f, 24 / f])
    #expect(model.reconstruct(images).shape == images.shape)
    let shapes = Dictionary(
      uniqueKeysWithValues: model.namedTensors.map { ($0.name, $0.tensor.shape) })
    #expect(shapes["encoder.conv_in.weight"] == [config.ch * 1, 3 * patch * patch, 3, 3])
    #expect(shapes["decoder.conv_out.weight"]?[0] == 3 * patch * patch)
    let data = try JSONEncoder().encode(config)
    #expect(try JSONDecoder().decode(VQGANConfig.self, from: data) == config)
  }

  /// The maps of labels are read as one-hot channels would be.
  @Test(arguments: [1, 2, 4, 8]) func labelsAreOneHotChannels(patch: Int) {
    var random = RandomSource(seed: 5)
    let model = VQGAN(Self.config(patch, labels: 5), using: &random)
    let labels = (0..<2 * 8 * 16).map { _ in Int32.random(in: 0..<5, using: &random) }
    var channels = [Float](repeating: 0, count: 2 * 5 * 128)
    for (index, label) in labels.enumerated() {
      channels[(index / 128 * 5 + Int(label)) * 128 + index % 128] = 1
    }
    let ofLabels = model.latents(of: .labels(IndexTensor(labels, shape: [2, 8, 16])))
    let ofChannels = model.latents(of: .values(Tensor(channels, shape: [2, 5, 8, 16])))
    #expect(Distance(ofLabels, ofChannels).largest < 1e-5)
  }

  @Test func theOutputStartsAtOneColour() {
    var random = RandomSource(seed: 6)
    var model = VQGAN(Self.config(2), using: &random)
    let parameters = model.namedTensors
    model.visitParameters { name, tensor in
      if name == "decoder.conv_out.weight" { tensor.assign(tensor.scaled(by: 0)) }
    }
    #expect(parameters.count == model.namedTensors.count)
    model.decoder.startOutput(at: [0.25, -0.5, 1])
    let images = model.reconstruct(random.normal([1, 3, 8, 8])).elements()
    #expect(images[..<64].allSatisfy { $0 == 0.25 } && images[64..<128].allSatisfy { $0 == -0.5 })
    #expect(images[128...].allSatisfy { $0 == 1 })
  }

  @Test func whatDoesNotGoIsNamed() {
    var config = Self.config(2)
    config.patch = 3
    #expect(config.problem?.contains("patch is 3") == true)
    config.patch = 4
    config.chMult = [1, 1, 2]
    config.resolution = 40
    #expect(config.problem?.contains("multiple of 16") == true)
  }
}
