// Guards of the models against the defects that `Docs/Why-the-rewrite-collapsed.md` lists; the test
// names stand there.
import Checkpoints
import Foundation
import Models
import NN
import TensorCore
import Testing

@Suite struct ModelCollapseGuardTests {
  /// R5: an upsampling at another position changes the number of parameters.
  @Test func partsHaveThePublishedNumberOfParameters() {
    var random = RandomSource(seed: 0)
    #expect(Encoder(.f16, using: &random, on: .default).parameterCount == 29_298_176)
    #expect(Decoder(.f16, using: &random, on: .default).parameterCount == 42_449_795)
    let discriminator = Discriminator(DiscriminatorConfig(), using: &random, on: .default)
    #expect(discriminator.parameterCount == 2_765_633)
  }

  /// R5: full resolution (`up.0`) has residual blocks behind the last upsampling.
  @Test func theDecoderUpsamplesBehindEveryLevelButTheFullResolution() {
    var random = RandomSource(seed: 0)
    let names = Decoder(.tiny, using: &random, on: .default).namedTensors.map(\.name)
    let upsampled = (0..<3).filter { names.contains("up.\($0).upsample.conv.weight") }
    #expect(upsampled == [1, 2])
    #expect(names.contains("up.0.block.1.conv2.weight"))
  }

  /// R6: with a projection of zero, attention adds nothing; with any other, something.
  @Test(arguments: Device.all)
  func attentionAppliesItsProjection(device: Device) {
    var random = RandomSource(seed: 1)
    var block = AttentionBlock(32, using: &random, on: device)
    let x = random.normal([2, 32, 4, 5], on: device)
    #expect(block(x).elements() != x.elements())
    block.visitParameters { name, tensor in
      if name.hasPrefix("proj_out.") { tensor.assign(Tensor(zerosLike: tensor.plain())) }
    }
    #expect(block(x).elements() == x.elements())
  }

  /// R17: a block that changes channels computes each branch once, on the way there and on the way
  /// back.
  @Test(arguments: Device.all)
  func blocksComputeEachBranchOnce(device: Device) {
    let (watched, profile) = device.profiled()
    var random = RandomSource(seed: 6)
    let block = ResidualBlock(32, 64, dropout: 0, using: &random, on: watched)
    let x = random.normal([1, 32, 8, 8], on: watched)
    func calls(_ beginning: String) -> Int {
      profile.entries.filter { $0.name.hasPrefix(beginning) }.reduce(0) { $0 + $1.calls }
    }
    var none: RandomSource?
    let y = block(x, dropout: &none)
    #expect(calls("convolution ") == 3, "conv1, conv2 and the shortcut")
    #expect(calls("group norm") == 2)
    _ = backward(y.sum())
    #expect(calls("convolution, weight gradient") == 3)
    #expect(calls("convolution, data gradient") == 2, "none towards the input")
    #expect(calls("convolution ") == 3)
  }

  /// R7: every convolution of the discriminator pads by 1.
  @Test func theDiscriminatorJudges30x30PatchesOf256Pixels() {
    var random = RandomSource(seed: 2)
    var discriminator = Discriminator(
      DiscriminatorConfig(ndf: 8), using: &random, on: .default)
    let x = random.normal([1, 3, 256, 256])
    #expect(discriminator(x, training: true).shape == [1, 1, 30, 30])
  }

  /// R13: with ActNorm an image's logits do not depend on the others of its batch.
  @Test func actNormNormalisesEachImageAlone() {
    var random = RandomSource(seed: 3)
    var discriminator = Discriminator(
      DiscriminatorConfig(ndf: 8, nLayers: 2, normalization: .activation), using: &random,
      on: .default)
    let x = random.normal([3, 3, 32, 32])
    let all = discriminator(x, training: true)
    let alone = discriminator(x.items(1..<2), training: true)
    let difference = zip(all.items(1..<2).elements(), alone.elements()).map { abs($0 - $1) }.max()
    #expect((difference ?? 1) < 1e-5)
  }

  /// R4: a pixel at the shift, -0.188 for blue, is zero to the network.
  @Test(arguments: Device.all)
  func blueIsShiftedByPoint188(device: Device) {
    // Features of level 0: (blue, 1) after shift and scale; only this level counts.
    var network = LPIPS(channels: [2, 2, 2, 2, 2], on: device)
    func centre(_ values: [Float], outputs: Int, inputs: Int) -> Tensor {
      var elements = [Float](repeating: 0, count: outputs * inputs * 9)
      for (index, value) in values.enumerated() { elements[index * 9 + 4] = value }
      return Tensor(elements, shape: [outputs, inputs, 3, 3], on: device)
    }
    network.visitParameters { name, tensor in
      switch name {
      case "net.slice1.0.weight":
        tensor.assign(centre([0, 0, 1, 0, 0, 0], outputs: 2, inputs: 3))
      case "net.slice1.0.bias": tensor.assign(Tensor([0, 1], shape: [2], on: device))
      case "net.slice1.2.weight": tensor.assign(centre([1, 0, 0, 1], outputs: 2, inputs: 2))
      case "lin0.model.1.weight":
        tensor.assign(Tensor([1, 0], shape: [1, 2, 1, 1], on: device))
      default: break
      }
    }
    func image(blue: Float) -> Tensor {
      let plane = 16 * 16
      return Tensor(
        Array(repeating: 0, count: 2 * plane) + Array(repeating: blue, count: plane),
        shape: [1, 3, 16, 16], on: device)
    }
    // Blue one standard deviation above the shift: features (1, 1)/√2 against (0, 1).
    let distance = network(image(blue: -0.188), image(blue: -0.188 + 0.450)).item()
    #expect(abs(distance - 0.5) < 1e-4)
  }

  /// R14, R20: any size that f divides, and codes alone give the image back.
  @Test(arguments: [(32, 32), (48, 32), (16, 64)])
  func codesAloneGiveTheImage(height: Int, width: Int) {
    var random = RandomSource(seed: 4)
    let model = VQGAN(.tiny, using: &random)
    let images = random.uniform([2, 3, height, width], in: -1..<1)
    let codes = model.encode(.values(images))
    #expect(codes.shape == [2, height / 4, width / 4])
    #expect(codes.elements.allSatisfy { (0..<64).contains($0) })
    let decoded = model.decode(indices: codes)
    #expect(decoded.shape == images.shape)
    #expect(decoded.elements() == model.reconstruct(images).elements())
  }

  /// R19, R3: our names are those of the files that the reference's code wrote, none more and none
  /// less.
  @Test func namesAreThoseOfTheReference() throws {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/vqgan-tiny.weights.safetensors").path
    var random = RandomSource(seed: 0)
    let model = VQGAN(
      VQGANConfig(
        resolution: 32, ch: 32, chMult: [1, 2], numResBlocks: 1, attnResolutions: [16],
        zChannels: 32, embedDim: 32, nEmbed: 64), using: &random)
    let discriminator = Discriminator(
      DiscriminatorConfig(ndf: 8, nLayers: 2), using: &random, on: .default)
    let perceptual = LPIPS(channels: [4, 8, 16, 32, 32], on: .default)
    let ours =
      model.namedTensors.map(\.name)
      + discriminator.namedTensors.map { "loss.discriminator.\($0.name)" }
      + perceptual.namedTensors.map { "loss.perceptual_loss.\($0.name)" }
    // Constants and a counter that nothing reads.
    let constants = ["scaling_layer.scale", "scaling_layer.shift", "num_batches_tracked"]
    let theirs = try SafetensorsFile(path).names.filter { name in
      !constants.contains { name.hasSuffix($0) }
    }
    #expect(Set(ours) == Set(theirs))
    #expect(Set(ours).count == ours.count)
  }
}
