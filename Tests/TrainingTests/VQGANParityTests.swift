// The VQGAN against the reference implementation on PyTorch: forward, losses, every gradient, and
// three steps.
//
// Adam's first step is the learning rate wherever a gradient is not zero, also where it is rounding
// alone, as of the keys' biases. What follows an update is therefore compared from the reference's
// own gradients, which its fixture holds.
import Checkpoints
import Foundation
import Models
import NN
import TensorCore
import TestSupport
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
    let h = model.encoder(.values(x), dropout: &none)
    let quantConv = try #require(model.quantConv)
    let z = quantConv(h)
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
    let metrics = try #require(try reference.steps().first)
    let result = trainer.generatorGradients([.values(x)], isAdversarial: true, using: &random)
    let ofDiscriminator: Set = ["disc_loss", "logits_real", "logits_fake"]
    for (name, value) in result.losses.named where !ofDiscriminator.contains(name) {
      let target = try #require(metrics["train/\(name)"])
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

  /// The gradients that the reference found, for the tensors of a layer.
  private func stored(
    _ prefix: String, of layer: some Layer, _ expected: SafetensorsFile
  ) throws -> Gradients {
    var gradients = Gradients()
    for (name, tensor) in layer.namedTensors where tensor.isTracked {
      gradients[tensor] = try expected.tensor(prefix + name, on: tensor.device).in(tensor.layout)
    }
    return gradients
  }

  private func expectLosses(
    _ losses: VQGANLosses, _ metrics: [String: Double], _ title: String
  ) throws {
    // Means of logits of both signs; the larger one tells their size.
    let logits = try ["train/logits_real", "train/logits_fake"].map { try #require(metrics[$0]) }
    let size = logits.reduce(0) { max($0, abs($1)) }
    for (name, value) in losses.named {
      let target = try #require(metrics["train/\(name)"])
      let scale = name.hasPrefix("logits_") ? size : abs(target)
      #expect(
        abs(Double(value) - target) <= 1e-4 * scale,
        "\(title) \(name): \(value), reference \(target)")
    }
  }

  /// Whether a parameter has no gradient but rounding, which later steps of Adam follow as well:
  /// the keys' biases alone.
  private static func isRounding(_ name: String, _ expected: SafetensorsFile) throws -> Bool {
    guard name.hasSuffix(".k.bias") else { return false }
    return try expected.floats(of: "grad_ae." + name).allSatisfy { abs($0) < 1e-6 }
  }

  @Test(arguments: Reference.all, Device.all)
  private func whatFollowsAnUpdateEqualsReference(_ reference: Reference, _ device: Device) throws {
    let expected = try reference.results()
    var trainer = try reference.trainer(on: device)
    let x = try expected.tensor("x", on: device)
    let steps = try reference.steps()
    let title = "\(reference.name) \(device.name)"
    let before = [
      "": trainer.model.values, "loss.discriminator.": trainer.discriminator.values,
    ]
    var random = RandomSource(seed: 0)

    // The first step, moved by the reference's gradients.
    let generator = trainer.generatorGradients([.values(x)], isAdversarial: true, using: &random)
    let ofGenerator = try stored("grad_ae.", of: trainer.model, expected)
    trainer.optimizer.update(&trainer.model, ofGenerator, learningRate: 1e-3)
    var losses = generator.losses
    let gradients = trainer.discriminatorGradients(
      [.values(x)], reconstructions: generator.reconstructions, &losses, using: &random)
    try expectLosses(losses, steps[0], "\(title) step 0")
    for (name, tensor) in trainer.discriminator.namedTensors where tensor.isTracked {
      let gradient = try #require(gradients[tensor], "no gradient for \(name)").elements()
      let target = try expected.floats(of: "grad_disc." + name)
      let distance = Distance(gradient, target)
      #expect(
        distance.relative < 1e-3 || distance.largest < 1e-6, "\(title) \(name): \(distance)")
    }
    let ofDiscriminator = try stored("grad_disc.", of: trainer.discriminator, expected)
    trainer.discriminatorOptimizer.update(
      &trainer.discriminator, ofDiscriminator, learningRate: 1e-3)

    for step in 1..<3 {
      let losses = try trainer.step([.values(x)], step: step, learningRate: 1e-3, using: &random)
      try expectLosses(losses, steps[step], "\(title) step \(step)")
    }
    var compared = 0
    for (prefix, values) in [
      ("", trainer.model.values), ("loss.discriminator.", trainer.discriminator.values),
    ] {
      for (name, found) in values where expected.contains("after3.\(prefix)\(name)") {
        let target = try expected.floats(of: "after3.\(prefix)\(name)")
        let start = try #require(before[prefix]?[name])
        let moved = zip(found, start).map { $0 - $1 }
        let wanted = zip(target, start).map { $0 - $1 }
        let distance = Distance(moved, wanted)
        #expect(
          try distance.relative < 1e-3 || Self.isRounding(name, expected),
          "\(title) \(prefix)\(name): \(distance)")
        compared += 1
      }
    }
    let names = expected.names.filter { $0.hasPrefix("after3.") }
    #expect(compared == names.count)
  }
}
