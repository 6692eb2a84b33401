// Runs, their configurations and their checkpoints.
import Checkpoints
import CommandSupport
import DurableFiles
import Foundation
import Models
import Shards
import TensorCore
import TestSupport
import Training

extension SweepKind {
  static let vqganConfig = SweepKind(
    name: "VQGAN configuration", files: ["config.json"], share: 1.5,
    make: { folder in
      try makeImages(folder)
      try RunFolder.write(try newConfig(of: folder), to: "\(folder)/config.json")
    },
    read: { path, _ in "\(try RunFolder.runConfig(VQGANRunConfig.self, from: path))" },
    commands: [
      "train-vqgan images.h5 --config @ --steps 1 --batch-size 1 --accumulate 1 --out ../out "
        + "--quiet"
    ])

  static let gptConfig = SweepKind(
    name: "GPT configuration", files: ["run/config.json"], make: makeGPT,
    read: { path, _ in "\(try RunFolder.runConfig(GPTRunConfig.self, from: path))" },
    commands: ["train-gpt --out run --resume --steps 2 --quiet"])

  static let worldConfig = SweepKind(
    name: "world model configuration", files: ["run/config.json"], make: makeWorld,
    read: { path, _ in "\(try RunFolder.runConfig(WorldRunConfig.self, from: path))" },
    commands: ["train-world --out run --resume --steps 2 --quiet"])

  static let vqganModel = SweepKind(
    name: "VQGAN model.json", files: ["vqgan/model.json"], share: 0.5,
    make: { folder in
      try makeImages(folder)
      try makeVQGAN(folder)
    },
    read: { _, folder in "\(try FirstStage.load("\(folder)/vqgan").fingerprint)" },
    commands: ["reconstruct images.h5 --vqgan vqgan --count 1 --out ../out --quiet"])

  static let gptModel = SweepKind(
    name: "GPT model.json", files: ["run/checkpoints/step-000002/model.json"],
    make: makeUnsealedGPT,
    read: { _, folder in
      let gpt = try SecondStage.load("\(folder)/run")
      return "\(gpt.codes) \(gpt.trainedGrid)"
    },
    commands: ["sample-gpt --gpt run --count 1 --out ../out --quiet"])

  static let worldModel = SweepKind(
    name: "world model model.json", files: ["run/checkpoints/step-000001/model.json"],
    make: { folder in
      try makeWorld(folder)
      try removeChecksums(ofCheckpoint: "\(folder)/run/checkpoints/step-000001")
    },
    read: { _, folder in "\(try WorldStage.load("\(folder)/run").codes)" },
    commands: [
      "dream --world run --vqgan vqgan --from-codes games.h5 --steps 1 --count 1 --out ../out "
        + "--quiet"
    ])

  /// What a training that goes on reads, of an earlier version: without checksums.
  static let checkpoint = SweepKind(
    name: "checkpoint without checksums",
    files: ["state.json", "state.json", "model.safetensors", "optimizer.safetensors"].map {
      "run/checkpoints/step-000002/\($0)"
    } + ["run/metrics.csv", "run/metrics.csv"],
    writes: true, make: makeUnsealedGPT,
    read: { _, folder in "\(try train("\(folder)/run", to: 3, resumed: true).state.step)" },
    commands: ["train-gpt --out run --resume --steps 3 --quiet"])

  /// Any change of any file is found, or changes nothing.
  static let sealedCheckpoint = SweepKind(
    name: "checkpoint",
    files: ["state.json", "model.json", "model.safetensors", "optimizer.safetensors"].map {
      "run/checkpoints/step-000002/\($0)"
    },
    isChecked: true, writes: true, make: makeGPT,
    read: { _, folder in
      let run = try train("\(folder)/run", to: 3, resumed: true)
      let state = run.state
      return "\(state.step) \(state.position) \(state.random) \(run.trainer.model.fingerprint)"
    },
    commands: [
      "train-gpt --out run --resume --steps 3 --quiet",
      "train-gpt codes.h5 --init-from run --init-optimizer --steps 1 --out ../out --quiet",
      "sample-gpt --gpt run --count 1 --out ../out --quiet",
    ])

  // MARK: Making

  static let makeImages: @Sendable (String) throws -> Void = { folder in
    try TestSupport.imageShard("\(folder)/images.h5", rows: 2) { row in
      (0..<768).map { UInt8(($0 * 3 + row * 40) % 256) }
    }
  }

  private static func newConfig(of folder: String) throws -> VQGANRunConfig {
    var config = VQGANRunConfig.small(discStart: 1, steps: 1)
    (config.batchSize, config.shards) = (1, ["\(folder)/images.h5"])
    return config
  }

  @discardableResult
  static func makeVQGAN(_ folder: String) throws -> String {
    var random = RandomSource(seed: 1)
    let model = VQGAN(.tiny, using: &random)
    try DurableFile.createFolder("\(folder)/vqgan")
    try RunFolder.write(model.config, to: "\(folder)/vqgan/model.json")
    try SafetensorsWriter.write(
      ModelFiles.entries(model), to: "\(folder)/vqgan/model.safetensors")
    return model.fingerprint
  }

  /// A run of two steps on codes of a VQGAN.
  private static let makeGPT: @Sendable (String) throws -> Void = { folder in
    let fingerprint = try makeVQGAN(folder)
    let shard = "\(folder)/codes.h5"
    try TestSupport.codeShard(
      shard, rows: 5, grid: (2, 3), fingerprint: fingerprint, vqgan: "\(folder)/vqgan"
    ) { row in ((0..<6).map { Int32((row + $0 * 7) % 64) }, nil) }
    var config = GPTRunConfig(
      GPTSettings(
        model: try GPTConfig(
          vocabSize: 64, blockSize: 6, layers: 1, heads: 1, width: 4, embeddingDropout: 0.1,
          residualDropout: 0.1),
        codes: try CodeShardSet([shard]).grid),
      loop: LoopSettings(steps: 2, batchSize: 2, learningRate: LearningRate(peak: 1e-3)),
      in: Environment(toolVersion: "test", threads: 1))
    (config.shards, config.validation, config.validateEvery) = ([shard], [shard], 2)
    (config.logEvery, config.keepBest) = (1, true)
    try RunFolder("\(folder)/run").create(config: config)
    _ = try train("\(folder)/run", to: 2, resumed: false)
  }

  private static let makeUnsealedGPT: @Sendable (String) throws -> Void = { folder in
    try makeGPT(folder)
    try removeChecksums(ofCheckpoint: "\(folder)/run/checkpoints/step-000002")
  }

  /// A run of a step on a recorded game in codes of a VQGAN.
  private static let makeWorld: @Sendable (String) throws -> Void = { folder in
    let fingerprint = try makeVQGAN(folder)
    let shard = "\(folder)/games.h5"
    try TestSupport.codeShard(
      shard, rows: 6, grid: (2, 3), fingerprint: fingerprint, vqgan: "\(folder)/vqgan",
      labels: [
        ("action", .uint8([0, 1, 2, 0, 1, 2])), ("reward", .int64([0, 1, 0, -1, 0, 0])),
        ("terminal", .bool((0..<6).map { $0 == 5 })),
        ("trajectory", .int64([0, 0, 0, 0, 0, 0])), ("frame", .int64([0, 1, 2, 3, 4, 5])),
      ]
    ) { row in ((0..<6).map { Int32((row + $0 * 7) % 64) }, nil) }
    let shards = try CodeShardSet([shard])
    var config = WorldRunConfig(
      WorldSettings(
        model: WorldConfig(
          gridHeight: 2, gridWidth: 3, codebookSize: 64, actions: 3, context: 2, layers: 1,
          heads: 1, width: 6),
        codes: shards.grid, segment: 4),
      loop: LoopSettings(steps: 1, batchSize: 2, learningRate: LearningRate(peak: 1e-3)),
      in: Environment(toolVersion: "test", threads: 1))
    config.shards = [shard]
    let run = RunFolder("\(folder)/run")
    try run.create(config: config)
    var training = try WorldRun(config, in: run, resumed: false, on: .default)
    try training.train(
      on: try WorldData(shards, segment: 4, actionsBelow: 3) {}, validation: nil,
      TrainingReporter(step: { _ in }, warn: { _ in }, shouldStop: { false }))
  }

  /// Trains as `train-gpt --resume` does.
  private static func train(_ path: String, to steps: Int, resumed: Bool) throws -> GPTRun {
    let folder = RunFolder(path)
    var config = try folder.config(GPTRunConfig.self)
    config.steps = steps
    let shards = try CodeShardSet(config.shards)
    let data = GPTData(codes: try CodeTable(shards) {})
    var run = try GPTRun(config, in: folder, resumed: resumed, on: .default)
    guard run.state.step <= steps else { throw CommandError(.usage, "the run is past its end") }
    try run.train(
      on: data, validation: data, .stopping(after: .max))
    return run
  }
}
