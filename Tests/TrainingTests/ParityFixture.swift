import Checkpoints
import Foundation
import Models
import NN
import TensorCore
import TestSupport
import Training

/// What PyTorch computed for a model of `Tests/Fixtures/parity`; its make.sh says how.
struct ParityFixture {
  struct Record: Decodable {
    let config: VQGANConfig
    let discriminator: DiscriminatorConfig
    let disc_loss: DiscriminatorLoss
    let learning_rate: Float
    let batch: Int
    let seed: UInt64
    let per_step: [[String: Double]]
    /// How far the decisions of the steps are from their edges, and what single precision moves.
    let margins: [String: Margin]
  }

  struct Margin: Decodable {
    let margin, rounding: Double
  }

  let record: Record
  let results: SafetensorsFile
  private let file: PyTorchFile
  private let checkpoint: String

  init(_ name: String) throws {
    record = try JSONDecoder().decode(Record.self, from: try Fixture.data("parity/\(name).json"))
    results = try Fixture.tensors("parity/\(name).safetensors")
    checkpoint = Fixture.path("parity/\(name).ckpt")
    file = try PyTorchFile(checkpoint)
  }

  func model(on device: Device) throws -> VQGAN {
    var random = RandomSource(seed: 0)
    var model = VQGAN(record.config, using: &random, on: device)
    try ModelFiles.load(&model, from: file, ignoring: { $0.hasPrefix("loss.") })
    return model
  }

  func trainer(on device: Device) throws -> VQGANTrainer {
    var random = RandomSource(seed: 0)
    var discriminator = Discriminator(record.discriminator, using: &random, on: device)
    try ModelFiles.load(
      &discriminator, from: file, prefix: "loss.discriminator.",
      ignoring: { $0.hasSuffix(".num_batches_tracked") })
    return VQGANTrainer(
      model: try model(on: device), discriminator: discriminator,
      perceptual: try LPIPS.load(checkpoint, on: device),
      objective: VQGANObjective(
        discStart: 0, discLoss: record.disc_loss, discriminator: record.discriminator,
        discriminatorPass: .fresh))
  }

  /// What a training run of the fixture's seed draws from.
  var random: RandomSource { TrainingState(seed: record.seed).random }

  /// The images of a step, `[batch, 3, H, W]` in [-1, 1].
  func images(ofStep step: Int, on device: Device) throws -> Tensor {
    let shape = try results.shape(of: "x")
    let size = shape[1...].reduce(1, *) * record.batch
    let pixels = try results.floats(of: "x")[step * size..<(step + 1) * size]
    return Tensor(
      pixels.map { $0 / 127.5 - 1 }, shape: Shape([record.batch] + shape[1...]), on: device)
  }
}
