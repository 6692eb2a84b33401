// Three steps of the generator and the discriminator, and what they rest on, against PyTorch.
import Checkpoints
import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct ThreeStepParityTests {
  private static let cases = ["vqgan", "gumbel"].flatMap { name in
    Device.all.map { (name, $0) }
  }

  @Test(arguments: cases)
  private func forwardEqualsPyTorch(name: String, device: Device) throws {
    let fixture = try ParityFixture(name)
    let model = try fixture.model(on: device)
    let x = try fixture.images(ofStep: 0, on: device)
    var none: RandomSource?
    let h = model.encoder(.values(x), dropout: &none)
    let quantConv = try #require(model.quantConv)
    let z = quantConv(h)
    let quantized = model.quantize(z)
    let results: [(String, Tensor)] = [
      ("encoder_out", h), ("quant_conv_out", z), ("quant", quantized.latents),
      ("quant_loss", quantized.loss), ("reconstruction", model.reconstruct(x)),
    ]
    for (part, found) in results {
      let expected = try fixture.results.floats(of: part)
      let distance = Distance(found.elements(), expected)
      #expect(distance.relative < 1e-4, "\(part): \(distance)")
    }
    let entries = try fixture.results.indices("entries")
    #expect(quantized.indices == entries)
    // The numbering of the entries in use, both ways.
    let codes = try fixture.results.indices("indices")
    #expect(model.encode(.values(x)) == codes)
    let list = model.namedTensors.first { $0.name == "quantize.used" }?.tensor.elements()
    let shown = list.map { list in
      codes.elements.map { Int32(list[Int($0) < list.count ? Int($0) : 0]) }
    }
    #expect(model.entries(of: codes).elements == shown ?? entries.elements)
  }

  /// Adam's step is the learning rate wherever a gradient is more than rounding: moves agree to a
  /// hundredth of their length.
  @Test(arguments: cases)
  private func threeStepsEqualPyTorch(name: String, device: Device) throws {
    let fixture = try ParityFixture(name)
    var trainer = try fixture.trainer(on: device)
    let first = [trainer.model.values, trainer.discriminator.values]
    var random = fixture.random
    for (step, metrics) in fixture.record.per_step.enumerated() {
      let losses = try trainer.step(
        [.values(try fixture.images(ofStep: step, on: device))], step: step,
        learningRate: fixture.record.learning_rate, using: &random)
      for (metric, value) in losses.named {
        let target = try #require(metrics["train/\(metric)"])
        #expect(
          abs(Double(value) - target) <= 1e-4 * abs(target),
          "\(name) \(device.name) step \(step) \(metric): \(value), PyTorch \(target)")
      }
    }
    try expectMoves(
      trainer.model.values, from: first[0], fixture, "moved.", "grad_ae.", "\(name) \(device.name)")
    try expectMoves(
      trainer.discriminator.values, from: first[1], fixture, "moved.loss.discriminator.",
      "grad_disc.", "\(name) \(device.name)")
  }

  /// No processor's rounding turns a decision of the fixtures over.
  @Test(arguments: ["vqgan", "gumbel", "continued"])
  func decisionsAreFarFromTheirEdges(name: String) throws {
    let record = try JSONDecoder().decode(
      ParityFixture.Record.self, from: try Fixture.data("parity/\(name).json"))
    #expect(record.margins.count > 15)
    for (decision, distance) in record.margins {
      #expect(distance.margin >= 10 * distance.rounding, "\(decision)")
    }
  }

  @Test(arguments: cases)
  private func gradientsOfBothHalvesEqualPyTorch(name: String, device: Device) throws {
    let fixture = try ParityFixture(name)
    var trainer = try fixture.trainer(on: device)
    let x = try fixture.images(ofStep: 0, on: device)
    var random = fixture.random
    let generator = trainer.generatorGradients([.values(x)], isAdversarial: true, using: &random)
    try expectGradients(generator.gradients, of: trainer.model, fixture, "grad_ae.", device)
    trainer.optimizer.update(
      &trainer.model, generator.gradients, learningRate: fixture.record.learning_rate)
    var losses = generator.losses
    let gradients = trainer.discriminatorGradients(
      [.values(x)], reconstructions: generator.reconstructions, &losses, using: &random)
    try expectGradients(gradients, of: trainer.discriminator, fixture, "grad_disc.", device)
  }

  private func expectGradients(
    _ gradients: Gradients, of layer: some Layer, _ fixture: ParityFixture, _ prefix: String,
    _ device: Device
  ) throws {
    for (name, tensor) in layer.namedTensors where tensor.isTracked {
      let gradient = try #require(gradients[tensor], "no gradient for \(name)").elements()
      let expected = try fixture.results.floats(of: prefix + name)
      let distance = Distance(gradient, expected)
      #expect(
        distance.relative < 1e-3 || distance.largest < Self.rounding,
        "\(device.name) \(prefix)\(name): \(distance)")
    }
  }

  /// Gradients below this are rounding: a bias in front of a normalisation, or of keys, has none.
  private static let rounding: Float = 3e-7

  private func expectMoves(
    _ values: [String: [Float]], from first: [String: [Float]], _ fixture: ParityFixture,
    _ prefix: String, _ gradients: String, _ title: String
  ) throws {
    for (name, before) in first where fixture.results.contains(prefix + name) {
      let gradient = try fixture.results.floats(of: gradients + name)
      let expected = try fixture.results.floats(of: prefix + name)
      let after = try #require(values[name])
      let scale = gradient.reduce(Float(0)) { max($0, abs($1)) }
      guard scale > 3 * Self.rounding else { continue }
      let moved = zip(after, before).map { $0 - $1 }
      let distance = Distance(moved, expected)
      #expect(distance.relative < 1e-2, "\(title) \(prefix)\(name): \(distance)")
    }
  }
}

extension Layer {
  /// The values of every tensor by name.
  var values: [String: [Float]] {
    Dictionary(uniqueKeysWithValues: namedTensors.map { ($0.name, $0.tensor.elements()) })
  }
}
