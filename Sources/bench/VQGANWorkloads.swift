// Training steps and encoding of the first stage.
import Models
import NN
import TensorCore
import Training

extension Workload {
  static let vqgan: [Workload] = [
    Workload(
      name: "vqgan_f16_256_b1_train",
      summary: "one training step of the f16 VQGAN on a 256×256 image, discriminator and LPIPS on",
      unit: .seconds, tellsMemory: true, keepsBF16: true
    ) { device in
      var random = RandomSource(seed: 1)
      return trainingStep(
        .f16, batch: 1, perceptual: randomLPIPS(using: &random, on: device), using: &random,
        on: device)
    },
    Workload(
      name: "vqgan_small_64_b8_train",
      summary: "one training step of a small VQGAN on eight 64×64 images, without LPIPS",
      unit: .perSecond("images", 8), tellsMemory: true, keepsBF16: true
    ) { device in
      var random = RandomSource(seed: 1)
      let config = VQGANConfig(
        resolution: 64, ch: 32, chMult: [1, 2, 4], numResBlocks: 2, attnResolutions: [16],
        zChannels: 256, embedDim: 256, nEmbed: 1024)
      return trainingStep(config, batch: 8, perceptual: nil, using: &random, on: device)
    },
    Workload(
      name: "vqgan_f16_256_encode", summary: "codes of a 256×256 image by the f16 VQGAN",
      unit: .perSecond("images", 1), tellsMemory: true, keepsBF16: true
    ) { device in
      var random = RandomSource(seed: 1)
      let model = VQGAN(.f16, using: &random, on: device).frozen()
      let images = random.uniform([1, 3, 256, 256], in: -1..<1, on: device)
      return { _ = model.encode(.values(images)) }
    },
  ]

  /// A whole step with the discriminator active from the start.
  private static func trainingStep(
    _ config: VQGANConfig, batch: Int, perceptual: LPIPS?, using random: inout RandomSource,
    on device: Device
  ) -> () throws -> Void {
    var trainer = VQGANTrainer(
      model: VQGAN(config, using: &random, on: device),
      discriminator: Discriminator(.init(), using: &random, on: device), perceptual: perceptual,
      objective: VQGANObjective(discStart: 0))
    let side = config.resolution
    let images = random.uniform([batch, 3, side, side], in: -1..<1, on: device)
    var source = random
    var step = 0
    return {
      _ = try trainer.step([.values(images)], step: step, learningRate: 4.5e-6, using: &source)
      step += 1
    }
  }

  /// LPIPS at its true size; random weights cost the same time as trained ones.
  private static func randomLPIPS(using random: inout RandomSource, on device: Device) -> LPIPS {
    var network = LPIPS(on: device)
    network.visitParameters { name, tensor in
      let fanIn = Float(max(tensor.count / tensor.shape[0], 1))
      tensor.assign(
        name.hasPrefix("lin")
          ? random.uniform(tensor.shape, in: 0..<0.1, on: device)
          : random.normal(tensor.shape, deviation: (2 / fanIn).squareRoot(), on: device))
    }
    return network
  }
}
