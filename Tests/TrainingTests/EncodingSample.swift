// A small VQGAN on the disk and image shards to encode.
import Checkpoints
import Foundation
import Models
import Shards
import TensorCore
import TestSupport
import Training

/// A folder with a VQGAN's checkpoint `vqgan` and image shards `a.h5`, `b.h5`.
struct EncodingSample {
  let folder: TemporaryFolder
  let stage: FirstStage

  static let height = 8
  static let width = 12
  static let rows = ["a.h5": 5, "b.h5": 3]

  init(seed: UInt64 = 1) throws {
    folder = try TemporaryFolder()
    stage = try Self.writeVQGAN(in: folder("vqgan"), seed: seed)
    for (name, rows) in Self.rows { try Self.writeImages(folder(name), rows: rows) }
  }

  var paths: [String] { ["a.h5", "b.h5"].map { folder($0) } }

  /// A VQGAN of f = 2 with random weights whose 48 codes lie among its latents of noise.
  static func writeVQGAN(in path: String, seed: UInt64) throws -> FirstStage {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    let config = VQGANConfig(
      resolution: 16, ch: 32, chMult: [1, 1], numResBlocks: 1, attnResolutions: [],
      zChannels: 32, embedDim: 8, nEmbed: 48)
    var random = RandomSource(seed: seed)
    var model = VQGAN(config, using: &random)
    let noise = random.uniform([8, 3, height, width], in: -1..<1)
    let vectors = withoutGradients { () -> Tensor in
      var none: RandomSource?
      return model.latents(of: .values(noise), dropout: &none).vectors()
    }
    model.quantizer.replaceEntries(kMeans(vectors, clusters: 48, using: &random))
    try RunFolder.write(config, to: "\(path)/model.json")
    try SafetensorsWriter.write(ModelFiles.entries(model), to: "\(path)/model.safetensors")
    return try FirstStage.load(path)
  }

  /// Noise, so that neighbouring codes differ.
  ///
  /// - Parameter seed: of the noise; the number of rows if left out.
  static func writeImages(_ path: String, rows: Int, seed: UInt64? = nil) throws {
    let writer = try ImageShardWriter(
      path,
      header: ImageShardHeader(
        height: height, width: width, source: "test", split: "train", preprocessing: "{}",
        toolVersion: "1"), compression: .none)
    var random = RandomSource(seed: seed ?? UInt64(rows))
    for row in 0..<rows {
      let pixels = (0..<height * width * 3).map { _ in UInt8(random.uniform() * 255) }
      try writer.append(pixels, id: Int64(100 - row), name: "row ü \(row)")
    }
    writer.setLabels("action", .uint8((0..<rows).map { UInt8($0) }))
    writer.setLabels("room", .string((0..<rows).map { "room \($0)" }))
    try writer.finish()
  }

  func encode(batchSize: Int = 1, progress: (EncodingEvent) throws -> Void = { _ in }) throws
    -> EncodingOutcome
  {
    let plan = try EncodingPlan(paths, for: stage)
    return try DatasetEncoder(
      plan, stage: stage, on: .default, batchSize: batchSize, toolVersion: "1"
    ).run(in: folder("codes"), progress: progress)
  }
}
