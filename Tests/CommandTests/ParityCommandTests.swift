import Checkpoints
import Foundation
import Images
import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

/// The commands give the numbers that PyTorch computed for the models of `Tests/Fixtures/parity`.
@Suite("Numbers of the commands")
struct ParityCommandTests {
  private let folder: TemporaryFolder
  private let environment: [String: String]

  init() throws {
    folder = try TemporaryFolder()
    environment = ["F": Fixture.path("parity")]
  }

  private struct Record: Decodable {
    let per_step: [[String: Double]]?
    let per_step_loss: [Double]?
  }

  private func record(_ name: String) throws -> Record {
    try JSONDecoder().decode(Record.self, from: try Fixture.data("parity/\(name).json"))
  }

  /// The metrics of each step of a run.
  private func metrics(_ run: String) throws -> [[String: Double]] {
    try RunFolder(folder(run)).metricsByColumn().map { $0.compactMapValues { Double($0) } }
  }

  /// Trains and compares every metric of every step, to 10⁻³ of it.
  private func expectTraining(_ script: String, like name: String) throws {
    let outcome = try shell("set -e\n" + script, in: folder, environment: environment)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let steps = try metrics("run")
    let expected = try #require(try record(name).per_step)
    #expect(steps.count == expected.count)
    for (step, (found, wanted)) in zip(steps, expected).enumerated() {
      for (metric, target) in wanted {
        let value = found[metric] ?? .nan
        #expect(
          abs(value - target) <= 1e-3 * abs(target),
          "\(name) step \(step) \(metric): \(value), PyTorch \(target)")
      }
    }
  }

  @Test func trainVQGAN() throws {
    try expectTraining(
      """
      mkdir in && cp $F/vqgan-0?.png in
      prep-images in --size 16 --out shards --quiet
      train-vqgan shards --preset f16 --init-from $F/vqgan.ckpt --perceptual $F/vqgan.ckpt \
        --no-shuffle --discriminator-pass fresh --disc-start 0 --steps 3 --batch-size 2 \
        --learning-rate 1e-4 --log-every 1 --out run --quiet
      """, like: "vqgan")
  }

  @Test func trainAGumbelVQGAN() throws {
    let results = try Fixture.tensors("parity/gumbel.safetensors")
    try writeImages(of: results)
    try expectTraining(
      """
      prep-images images --size 16 --out shards --quiet
      train-vqgan shards --preset f16 --init-from $F/gumbel.ckpt --perceptual $F/gumbel.ckpt \
        --set model.quantizer.kl_weight=0.01 --set model.quantizer.temperature.end=0.1 \
        --set model.quantizer.temperature.steps=4 --set objective.disc_loss=vanilla \
        --no-shuffle --discriminator-pass fresh --disc-start 0 --steps 3 --batch-size 2 \
        --learning-rate 1e-4 --log-every 1 --seed 6 --out run --quiet
      """, like: "gumbel")
  }

  /// The images of a fixture as PNG files, in their order.
  private func writeImages(of results: SafetensorsFile) throws {
    let shape = try results.shape(of: "x")
    let (count, height, width) = (shape[0], shape[2], shape[3])
    let values = try results.floats(of: "x")
    try FileManager.default.createDirectory(
      atPath: folder("images"), withIntermediateDirectories: true)
    for item in 0..<count {
      var pixels: [UInt8] = []
      for position in 0..<height * width {
        for channel in 0..<3 {
          pixels.append(UInt8(values[(item * 3 + channel) * height * width + position]))
        }
      }
      let image = RGBImage(width: width, height: height, pixels: pixels)
      try Data(image.encodedPNG()).write(
        to: URL(fileURLWithPath: folder("images/\(item).png")))
    }
  }

  /// Two steps were taken before by PyTorch; its optimizers' states come along, converted or as
  /// they are.
  @Test(arguments: ["$F/continued.ckpt", "converted"])
  func trainingGoesOn(from: String) throws {
    try expectTraining(
      """
      convert-checkpoint $F/continued.ckpt --optimizer --out converted --quiet
      mkdir in && cp $F/continued-0[4-9].png in
      prep-images in --size 16 --out shards --quiet
      train-vqgan shards --preset f16 --init-from \(from) --init-optimizer \
        --perceptual $F/continued.ckpt --no-shuffle --discriminator-pass fresh --disc-start 0 \
        --steps 3 --batch-size 2 --learning-rate 1e-4 --log-every 1 --out run --quiet
      """, like: "continued")
  }

  @Test func trainGPT() throws {
    let expected = try Fixture.tensors("parity/gpt.safetensors").indices("codes")
    // The first four rows were PyTorch's.
    try codeShard(
      folder("codes.h5"), rows: expected.shape[0] - 4, grid: (4, 4), codebook: 32,
      fingerprint: "f"
    ) { row in (Array(expected.elements[(row + 4) * 16..<(row + 5) * 16]), nil) }
    let outcome = try shell(
      """
      train-gpt codes.h5 --init-from $F/gpt.ckpt --heads 2 --init-optimizer --no-shuffle --steps 3 \
        --batch-size 2 --learning-rate 1e-3 --schedule constant --warmup 0 --log-every 1 \
        --out run --quiet
      """, in: folder, environment: environment)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let losses = try metrics("run").compactMap { $0["train/loss"] }
    let wanted = try #require(try record("gpt").per_step_loss)
    #expect(losses.count == wanted.count)
    for (loss, target) in zip(losses, wanted) {
      #expect(abs(loss - target) <= 1e-3 * target, "\(loss), PyTorch \(target)")
    }
  }

  /// Codes in the numbering of the entries in use, by a converted model.
  @Test func encodeDataset() throws {
    let outcome = try shell(
      """
      set -e
      convert-checkpoint $F/vqgan.ckpt --unknown-index extra --out vqgan --quiet
      mkdir in && cp $F/vqgan-0[01].png in
      prep-images in --size 16 --out shards --quiet
      encode-dataset shards --vqgan vqgan --out codes --quiet
      reconstruct $F/vqgan-00.png --vqgan vqgan --out seen --quiet
      convert-checkpoint vqgan --to taming --out back.ckpt --quiet
      convert-checkpoint back.ckpt --unknown-index 3 --out other --quiet
      """, in: folder, environment: environment)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let expected = try Fixture.tensors("parity/vqgan.safetensors").indices("indices")
    let codes = try CodeShardReader(folder("codes/images-00000.h5"))
    #expect(codes.header.grid.codebookSize == 13)
    let found = try (0..<2).flatMap { try codes.codes($0) }
    #expect(found == expected.elements)
    // The list goes back as integers, and another code for the rest can be given.
    let back = try PyTorchFile(folder("back.ckpt"))
    let original = try PyTorchFile(Fixture.path("parity/vqgan.ckpt"))
    #expect(try back.type(of: "quantize.used") == .int64)
    #expect(try back.integers(of: "quantize.used") == original.integers(of: "quantize.used"))
    let other = try FirstStageFile.open(folder("other"))
    #expect(other.config.quantizer.remap == CodeRemap.Config(used: 12, unknownIndex: .code(3)))
  }

  @Test func aListOfEntriesInUse() throws {
    // numpy.save(…, numpy.array([3, 1, 2], dtype="uint8"))
    var header = "{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }"
    header += String(repeating: " ", count: 117 - header.utf8.count) + "\n"
    let bytes = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8) + [3, 1, 2]
    try Data(bytes).write(to: URL(fileURLWithPath: folder("used.npy")))
    let outcome = try shell(
      """
      convert-checkpoint $F/continued.ckpt --remap used.npy --unknown-index extra --out a --quiet
      convert-checkpoint $F/continued.ckpt --remap used.npy --unknown-index 3 --out b --quiet
      """, in: folder, environment: environment)
    #expect(outcome.status == 65 && outcome.errors.contains("unknown_index is 3"))
    let file = try FirstStageFile.open(folder("a"))
    #expect(file.config.codes == 4)
    #expect(try file.tensors.integers(of: "quantize.used") == [3, 1, 2])
  }

  /// A Gumbel VQGAN is converted, encodes, draws images and goes back.
  @Test func gumbelBothWays() throws {
    let results = try Fixture.tensors("parity/gumbel.safetensors")
    try writeImages(of: results)
    let outcome = try shell(
      """
      set -e
      convert-checkpoint $F/gumbel.ckpt --out vqgan --quiet
      prep-images images --size 16 --out shards --quiet
      encode-dataset shards --vqgan vqgan --out codes --quiet
      codebook-report codes --vqgan vqgan --out report --quiet
      reconstruct images/0.png --vqgan $F/gumbel.ckpt --out seen --quiet
      convert-checkpoint vqgan --to taming --out back.ckpt --quiet
      """, in: folder, environment: environment)
    #expect(outcome.status == 0, "\(outcome.errors)")
    let codes = try CodeShardReader(folder("codes/images-00000.h5"))
    let found = try (0..<2).flatMap { try codes.codes($0) }
    let expected = try results.indices("indices")
    #expect(found == expected.elements)
    let back = try PyTorchFile(folder("back.ckpt"))
    let original = try PyTorchFile(Fixture.path("parity/gumbel.ckpt"))
    #expect(back.names == original.names)
    for name in back.names {
      #expect(try back.floats(of: name) == original.floats(of: name), "\(name)")
    }
  }
}
