// Terms of the objective that the reference does not have, against PyTorch and finite differences.
import Checkpoints
import Models
import NN
import TensorCore
import TestSupport
import Testing

/// What make_adversarial.py has written.
private func golden() throws -> SafetensorsFile { try Fixture.tensors("adversarial.safetensors") }

@Suite struct AdversarialTermTests {
  private func expect(
    _ loss: Tensor, _ name: String, _ leaves: [(String, Tensor)], _ golden: SafetensorsFile
  ) throws {
    #expect(abs(loss.item() - (try golden.tensor("\(name).loss").item())) < 1e-5, "\(name)")
    let gradients = backward(loss)
    for (key, leaf) in leaves {
      let found = try #require(gradients[leaf], "\(name).\(key)")
      #expect(
        Distance(found, try golden.tensor("\(name).d_\(key)")).relative < 1e-4, "\(name).\(key)")
    }
  }

  @Test func theHistoryOfTheDiscriminatorIsPyTorchs() throws {
    let golden = try golden()
    var lecam = LeCAM()
    for step in 1...3 {
      let name = "lecam\(step)"
      let (real, fake) = (
        try golden.tensor("\(name).real").trainable(), try golden.tensor("\(name).fake").trainable()
      )
      lecam.update(real: real.detached().mean().item(), fake: fake.detached().mean().item())
      if step == 1 {  // the averages are those of the first batch
        #expect(abs(lecam.real - real.detached().mean().item()) < 1e-4)
      }
      try expect(
        lecam.loss(real: real, fake: fake), name, [("real", real), ("fake", fake)], golden)
    }
    // What a checkpoint holds is all there is.
    #expect(LeCAM(sums: lecam.sums) == lecam)
  }

  @Test(arguments: Device.all)
  func gradientsAreThoseOfFiniteDifferences(device: Device) throws {
    var random = RandomSource(seed: 3)
    let (real, fake) = (
      random.normal([2, 1, 3, 2], on: device), random.normal([2, 1, 3, 2], on: device)
    )
    var lecam = LeCAM()
    lecam.update(real: 0.3, fake: -0.2)
    try checkGradient(at: [("real", real), ("fake", fake)], step: 1e-3) {
      lecam.loss(real: $0[0], fake: $0[1])
    }
    for loss in GeneratorLoss.allCases {
      try checkGradient(at: [("fake", fake)], step: 1e-3) { loss(fake: $0[0]) }
    }
    let (x, y) = (
      random.uniform([2, 3, 4, 3], in: -1..<1, on: device),
      random.uniform([2, 3, 4, 3], in: -1..<1, on: device)
    )
    for fraction in [0, 0.1, 1] as [Float] {
      try checkGradient(at: [("y", y)], step: 1e-3) {
        $0[0].worstPixelLoss(from: x, fraction: fraction)
      }
    }
    let all = y.worstPixelLoss(from: x, fraction: 1).item()
    #expect(abs(all - y.meanSquaredDifference(from: x).item()) < 1e-6)
  }

  @Test(arguments: Device.all)
  func weightsOfWhatHasChanged(device: Device) throws {
    var random = RandomSource(seed: 6)
    let shape: Shape = [2, 3, 2, 4]
    let (x, y) = (
      random.uniform(shape, in: -1..<1, on: device), random.uniform(shape, in: -1..<1, on: device)
    )
    // Two of eight pixels of the first image, none of the second.
    let changed: [UInt8] = [0, 1, 0, 0, 0, 0, 1, 0] + [UInt8](repeating: 0, count: 8)
    let weights = Tensor(weighing: changed, by: 4, of: shape, on: device)
    let elements = weights.elements()
    #expect(elements[..<8].map { $0 } == [0.5, 2.5, 0.5, 0.5, 0.5, 0.5, 2.5, 0.5])
    #expect(elements[8..<24].map { $0 } == Array(elements[..<8]) + Array(elements[..<8]))
    #expect(elements[24...].allSatisfy { $0 == 1 })
    let (a, b) = (x.elements(), y.elements())
    var (absolute, squared): (Float, Float) = (0, 0)
    for (index, weight) in elements.enumerated() {
      absolute += weight * abs(a[index] - b[index]) / 48
      squared += weight * (a[index] - b[index]) * (a[index] - b[index]) / 48
    }
    #expect(abs(y.meanAbsoluteDifference(from: x, weights: weights).item() - absolute) < 1e-5)
    #expect(abs(y.meanSquaredDifference(from: x, weights: weights).item() - squared) < 1e-5)
    try checkGradient(at: [("y", y)], step: 1e-3) {
      $0[0].meanAbsoluteDifference(from: x, weights: weights)
    }
    try checkGradient(at: [("y", y)], step: 1e-3) {
      $0[0].meanSquaredDifference(from: x, weights: weights)
    }
  }

  @Test func theNonSaturatingLossIsPyTorchs() throws {
    let golden = try golden()
    let fake = try golden.tensor("non_saturating.fake").trainable()
    try expect(
      GeneratorLoss.nonSaturating(fake: fake), "non_saturating", [("fake", fake)], golden)
  }

  @Test(arguments: [("worst", 0), ("worst_tenth", 0.1)] as [(String, Float)])
  func theWorstPixelsArePyTorchs(name: String, fraction: Float) throws {
    let golden = try golden()
    let (x, y) = (try golden.tensor("\(name).x"), try golden.tensor("\(name).y").trainable())
    try expect(y.worstPixelLoss(from: x, fraction: fraction), name, [("y", y)], golden)
  }

  /// As many values as are asked for count where several are equally wrong, and what is not a
  /// number is found.
  @Test func equalAndImpossiblePixels() throws {
    let black = Tensor(repeating: 0, shape: [1, 3, 4, 4])
    let white = Tensor(repeating: 1, shape: [1, 3, 4, 4]).trainable()
    let loss = white.worstPixelLoss(from: black, fraction: 0.25)
    #expect(abs(loss.item() - 1) < 1e-6)
    let moved = try #require(backward(loss)[white]).elements()
    #expect(moved.count { $0 != 0 } == 12)
    var values = [Float](repeating: 0, count: 48)
    values[7] = .nan
    let broken = Tensor(values, shape: [1, 3, 4, 4])
    #expect(broken.worstPixelLoss(from: black, fraction: 0).item().isNaN)
  }

  @Test(arguments: Device.all)
  func groupNormsOfTheDiscriminatorArePyTorchs(device: Device) throws {
    let golden = try golden()
    var discriminator = Discriminator(
      DiscriminatorConfig(ndf: 20, nLayers: 1, normalization: .group), channels: 3, on: device)
    try discriminator.visitParameters { name, tensor in
      tensor.assign(try golden.tensor("group.\(name)", on: device))
    }
    let x = try golden.tensor("group.x", on: device).trainable()
    let logits = discriminator(x, training: true)
    #expect(Distance(logits, try golden.tensor("group.logits")).relative < 1e-5)
    // An image's answers are its own.
    let first = discriminator(x.detached().items(0..<1), training: true)
    #expect(Distance(first.elements(), Array(logits.elements()[..<first.count])).largest < 1e-5)
    let gradients = backward([(logits, try golden.tensor("group.seed", on: device))])
    #expect(
      Distance(try #require(gradients[x]), try golden.tensor("group.d_x")).relative < 1e-4)
    for (name, tensor) in discriminator.namedTensors {
      let gradient = try #require(gradients[tensor], "\(name)")
      guard golden.contains("group.d_\(name)") else {
        let norm = try golden.tensor("group.norm_\(name)").item()
        #expect(abs(gradient.norm().item() / norm - 1) < 1e-4, "\(name)")
        continue
      }
      let distance = Distance(gradient, try golden.tensor("group.d_\(name)"))
      #expect(distance.relative < 1e-4 || distance.largest < 1e-4, "\(name): \(distance)")
    }
  }

  @Test func groupsDivideTheChannels() {
    for ndf in [1, 3, 8, 24, 40, 64] {
      var random = RandomSource(seed: 2)
      var discriminator = Discriminator(
        DiscriminatorConfig(ndf: ndf, nLayers: 1, normalization: .group), using: &random,
        on: .default)
      #expect(discriminator(random.uniform([1, 3, 8, 8]), training: true).isFinite, "\(ndf)")
    }
  }
}
