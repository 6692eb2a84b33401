// The VQGAN against the reference implementation on PyTorch: forward, the losses and every gradient of the generator.
//
// Where its discriminator is judged, Adam has moved each parameter by about 1e-3, also those whose gradient is rounding, and
// a latent that lies nearly between two entries then takes another one. What comes behind an update is compared in
// `ThreeStepParityTests`, on models without such latents.
import Checkpoints
import Foundation
import Models
import NN
import TensorCore
import Testing
import Training

/// One stored run of the reference.
private struct Reference: Sendable {
  let name: String
  let config: VQGANConfig
  let objective: VQGANObjective

  static let all: [Reference] = [
    Reference(
      name: "vqgan-tiny",
      config: VQGANConfig(
        resolution: 32, ch: 32, chMult: [1, 2], numResBlocks: 1, attnResolutions: [16],
        zChannels: 32, embedDim: 32, nEmbed: 64),
      objective: VQGANObjective(
        discStart: 0, discLoss: .hinge, discriminator: .init(ndf: 8, nLayers: 2),
        discriminatorPass: .fresh)),
    Reference(
      name: "vqgan-tiny-actnorm",
      config: VQGANConfig(
        resolution: 32, ch: 32, chMult: [1, 1, 2], numResBlocks: 1, attnResolutions: [8],
        zChannels: 64, embedDim: 16, nEmbed: 48),
      objective: VQGANObjective(
        discStart: 0, discLoss: .vanilla,
        discriminator: .init(ndf: 8, nLayers: 2, normalization: .activation),
        discriminatorPass: .fresh)),
  ]

  private func path(_ file: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../Fixtures/\(file)").path
  }

  func results() throws -> SafetensorsFile { try SafetensorsFile(path("\(name).safetensors")) }

  func trainer(on device: Device) throws -> VQGANTrainer {
    let weights = try SafetensorsFile(path("\(name).weights.safetensors"))
    var random = RandomSource(seed: 0)
    var model = VQGAN(config, using: &random, on: device)
    try fill(&model, from: weights, prefix: "")
    var discriminator = Discriminator(objective.discriminator, using: &random, on: device)
    try fill(&discriminator, from: weights, prefix: "loss.discriminator.")
    var perceptual = LPIPS(channels: [4, 8, 16, 32, 32], on: device)
    try fill(&perceptual, from: weights, prefix: "loss.perceptual_loss.")
    return VQGANTrainer(
      model: model, discriminator: discriminator, perceptual: perceptual, objective: objective)
  }

  private func fill(_ layer: inout some Layer, from file: SafetensorsFile, prefix: String) throws {
    try layer.visitParameters { name, tensor in
      tensor.assign(try file.tensor(prefix + name, on: tensor.device))
    }
  }

  /// The losses of each step, by name.
  func steps() throws -> [[String: Double]] {
    struct Run: Decodable { let per_step: [[String: Double]] }
    return try JSONDecoder().decode(
      Run.self, from: Data(contentsOf: URL(fileURLWithPath: path("\(name).json")))
    )
    .per_step
  }
}

/// The relative distance ‖a - b‖ / ‖b‖.
private func relativeError(_ a: [Float], _ b: [Float]) -> Float {
  let difference = zip(a, b).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  let norm = b.reduce(Float(0)) { $0 + $1 * $1 }
  return (difference / max(norm, 1e-30)).squareRoot()
}

@Suite struct VQGANParityTests {
  @Test(arguments: Reference.all, Device.all)
  private func forwardEqualsReference(_ reference: Reference, _ device: Device) throws {
    let expected = try reference.results()
    let trainer = try reference.trainer(on: device)
    let model = trainer.model
    let x = try expected.tensor("x", on: device)
    var none: RandomSource?
    let h = model.encoder(x, dropout: &none)
    let z = model.quantConv(h)
    let quantized = model.quantize(z)
    let image = model.decode(quantized.latents, dropout: &none)
    let stored = try expected.tensor("reconstruction", on: device)
    let perceptual = try #require(trainer.perceptual)
    let distance = perceptual(x, stored)
    let results: [(String, [Float])] = [
      ("encoder_out", h.elements()), ("quant_conv_out", z.elements()),
      ("quant_loss", [quantized.loss.item()]), ("reconstruction", image.elements()),
      ("lpips", distance.elements()),
    ]
    for (name, values) in results {
      let error = relativeError(values, try expected.floats(of: name))
      #expect(error < 1e-4, "\(name): \(error)")
    }
    let indices = try expected.floats(of: "indices")
    #expect(quantized.indices.elements.map { Float($0) } == indices)
  }

  @Test(arguments: Reference.all, Device.all)
  private func firstStepEqualsReference(_ reference: Reference, _ device: Device) throws {
    let expected = try reference.results()
    var trainer = try reference.trainer(on: device)
    let x = try expected.tensor("x", on: device)
    var random = RandomSource(seed: 0)
    let figures = try #require(try reference.steps().first)
    let result = trainer.generatorGradients([x], isAdversarial: true, using: &random)
    let ofDiscriminator: Set = ["disc_loss", "logits_real", "logits_fake"]
    for (name, value) in result.losses.named where !ofDiscriminator.contains(name) {
      let target = try #require(figures["train/\(name)"])
      #expect(
        abs(Double(value) - target) < 1e-4 * abs(target),
        "\(reference.name) \(device.name) \(name): \(value), reference \(target)")
    }
    for (name, tensor) in trainer.model.namedTensors where tensor.isTracked {
      let gradient = try #require(result.gradients[tensor], "no gradient for \(name)").elements()
      let target = try expected.floats(of: "grad_ae." + name)
      // Some gradients are zero but for rounding: the keys' biases do not change a softmax.
      let norm = target.reduce(Float(0)) { $0 + $1 * $1 }.squareRoot()
      let difference = zip(gradient, target).reduce(Float(0)) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
        .squareRoot()
      #expect(
        difference < 1e-3 * norm + 1e-6,
        "\(reference.name) \(device.name) \(name): \(difference) of \(norm)")
    }
  }
}
