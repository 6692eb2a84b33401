// Whole runs of the smallest model, with everything that a run can have: k-means, a moving-average
// codebook, restart of dead codes, accumulation, crops, validation, an adversarial phase.
import Checkpoints
import DurableFiles
import Foundation
import Models
import TensorCore
import TestSupport
import Testing
import Training

/// A shard of images of `side` pixels; `isUniform` makes them all one colour.
private func makeShard(_ path: String, rows: Int, side: Int, isUniform: Bool = false) throws {
  var random = RandomSource(seed: 12)
  try imageShard(path, rows: rows, height: side, width: side) { row in
    let colour = (0..<3).map { _ in UInt8(random.next() & 255) }
    return (0..<side * side * 3).map { index -> UInt8 in
      isUniform ? 128 : index / 3 % 4 < row % 4 + 1 ? colour[index % 3] : UInt8(index & 255)
    }
  }
}

private func config(_ shards: [String], validation: [String] = [], steps: Int) -> VQGANRunConfig {
  var model = VQGANConfig.tiny
  model.dropout = 0.1
  model.quantizer = QuantizerConfig(
    kind: .movingAverage, decay: 0.8, restartAfter: 2, initialization: .kMeans)
  var config = VQGANRunConfig.small(
    model, discStart: 4, layers: 2, steps: steps,
    learningRate: LearningRate(peak: 1e-3, schedule: .cosine, warmup: 3))
  config.augmentation = Augmentation(crop: 16, flips: true)
  config.imageEvery = 100
  (config.shards, config.validation) = (shards, validation)
  (config.accumulate, config.seed, config.logEvery) = (2, 5, 1)
  (config.checkpointEvery, config.keepCheckpoints) = (5, 2)
  return config
}

/// Trains and returns the warnings.
@discardableResult
private func train(
  _ config: VQGANRunConfig, in folder: RunFolder, resumed: Bool = false, stopAfter: Int = .max,
  on device: Device = .default
) throws -> [String] {
  var warnings: [String] = []
  try folder.train(
    config, resumed: resumed, on: device,
    .stopping(after: stopAfter) { warnings.append($0) })
  return warnings
}

@Suite struct VQGANRunTests {
  @Test(arguments: Device.all)
  func twelveStepsEqualFiveAndSevenMore(device: Device) throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"), rows: 7, side: 20)
    try makeShard(folder("v.h5"), rows: 3, side: 20)
    let config = config([folder("a.h5")], validation: [folder("v.h5")], steps: 12)
    let (whole, parts) = (RunFolder(folder("whole")), RunFolder(folder("parts")))
    try train(config, in: whole, on: device)
    // Between two checkpoints of the plan: stopping saves one more.
    try train(config, in: parts, stopAfter: 7, on: device)
    #expect(try parts.lastCheckpoint().hasSuffix("step-000007"))
    try train(config, in: parts, resumed: true, on: device)

    let (expected, found) = (try whole.lastCheckpoint(), try parts.lastCheckpoint())
    let names = try FileManager.default.contentsOfDirectory(atPath: expected).sorted()
    #expect(
      names == ["model.json", "model.safetensors", "optimizer.safetensors", "state.json"])
    for name in names {
      #expect(
        try DurableFile.read("\(expected)/\(name)") == DurableFile.read("\(found)/\(name)"),
        "\(name)")
    }
    #expect(
      try DurableFile.read(whole.imagePath(step: 12))
        == DurableFile.read(parts.imagePath(step: 12)))

    let rows = try whole.metricsByColumn()
    let resumed = try parts.metricsByColumn()
    let timing: Set = ["images_per_second", "peak_memory_mib"]
    // The stopped run has validated one time less or more; steps are compared one by one.
    for step in 1...12 {
      let a = rows.first { $0["step"] == "\(step)" && $0["train/rec_loss"] != "" }
      let b = resumed.first { $0["step"] == "\(step)" && $0["train/rec_loss"] != "" }
      #expect(a?.filter { !timing.contains($0.key) } == b?.filter { !timing.contains($0.key) })
      #expect(a != nil)
    }
    #expect(rows.last?["val/psnr"] == resumed.last?["val/psnr"])
    #expect(rows.last?["val/psnr"] != "")
    // The discriminator took part from its step on.
    let adversarial = rows.filter { ($0["train/d_weight"].flatMap { Double($0) } ?? 0) > 0 }
    #expect(adversarial.compactMap { $0["step"] } == (5...12).map(String.init))
  }

  /// Who takes half a second between two steps does not slow the steps: the speed is theirs alone.
  @Test func theSpeedIsThatOfSteps() throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"), rows: 4, side: 16)
    let run = RunFolder(folder("run"))
    let reporter = TrainingReporter(
      step: { _ in }, warn: { _ in },
      shouldStop: {
        Thread.sleep(forTimeInterval: 0.5)
        return false
      })
    try run.train(config([folder("a.h5")], steps: 3), reporter)
    let rate = try run.metricsByColumn().last?["images_per_second"].flatMap { Double($0) }
    // A step has two batches of two images.
    #expect(try #require(rate) > 4 / 0.5)
  }

  /// Stopped before, at and inside evaluations, a run that goes on has the rows of one that was
  /// never stopped; the features are those of the VQGAN that is trained.
  @Test func evaluationsAreTheSameInAResumedRun() throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"), rows: 5, side: 20)
    try makeShard(folder("v.h5"), rows: 11, side: 20)
    var config = config([folder("a.h5")], validation: [folder("v.h5")], steps: 7)
    config.ema = 0.9
    config.evaluation = EvaluationSettings(every: 3)
    config.evaluation?.count = 10
    let whole = RunFolder(folder("whole"))
    try train(config, in: whole)
    func rows(_ run: RunFolder) throws -> [[String: String]] {
      try run.metricsByColumn().map { row in
        row.filter { !["images_per_second", "peak_memory_mib"].contains($0.key) }
      }
    }
    let expected = try rows(whole)
    let evaluated = expected.filter { $0["val/mind"] != "" }
    #expect(evaluated.map { $0["step"] } == ["3", "6", "7"])
    for row in evaluated {
      #expect(["val/fd_latents", "val/kd_latents", "val/mind"].allSatisfy { row[$0] != "" })
    }
    for tag in ["val/fd_latents", "val/kd_latents", "val/mind"] {
      let shown = try scalars(tag, of: whole)
      #expect(shown.map(\.step) == [3, 6, 7], "\(tag)")
      for (row, value) in zip(evaluated, shown.map(\.value)) {
        let written = try #require(row[tag].flatMap { Double($0) })
        #expect(abs(Double(value) - written) <= 1e-6 * abs(written), "\(tag)")
      }
    }
    // Asked behind each step and before each batch, of evaluations at 3, 4, 14, 15, 23 and 24, of
    // validations at 7 to 12 and 17 to 22.
    for asked in [1, 2, 3, 4, 5, 7, 10, 13, 14, 15, 16, 17, 22, 23, 24] {
      let run = RunFolder(folder("stopped-\(asked)"))
      try run.train(config, .stopping(atQuestion: asked + 1))
      try run.train(config, resumed: true)
      #expect(try rows(run) == expected, "after \(asked) questions")
    }
  }

  @Test func runsWithoutEvaluationsHaveTheColumnsOfBefore() throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"), rows: 4, side: 16)
    let config = config([folder("a.h5")], validation: [folder("a.h5")], steps: 1)
    let run = RunFolder(folder("run"))
    try train(config, in: run)
    let header = try String(contentsOfFile: run.metricsPath, encoding: .utf8).prefix { $0 != "\n" }
    #expect(header.hasSuffix("val/psnr,val/pixel_agreement,val/codes_used"), "\(header)")
    let stored = try String(contentsOfFile: run.configPath, encoding: .utf8)
    #expect(!stored.contains("evaluation"))
  }

  /// The values that TensorBoard shows under a tag.
  private func scalars(
    _ tag: String, of run: RunFolder
  ) throws -> [(step: Int, value: Float)] {
    let file = try #require(
      DurableFile.names(in: run.path).first { $0.hasPrefix("events.out.tfevents.") })
    return try EventRecords.events("\(run.path)/\(file)").flatMap { event in
      event.values.compactMap { value in
        guard value[1] == [.bytes(Array(tag.utf8))], case .word(let number)? = value[2]?.first
        else { return nil }
        return (event.step, number)
      }
    }
  }

  @Test func onlyTheNewestCheckpointsAreKept() throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"), rows: 4, side: 16)
    var config = config([folder("a.h5")], steps: 9)
    config.checkpointEvery = 2
    let run = RunFolder(folder("run"))
    try train(config, in: run)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder("run/checkpoints"))
    #expect(names.sorted() == ["last", "step-000008", "step-000009"])
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder("run/checkpoints/last"))
        == "step-000009")
    #expect(throws: RunError.alreadyARun(path: run.path)) { try train(config, in: run) }
  }

  @Test func aCheckpointThatFailsLeavesTheOneBefore() throws {
    struct DiskFull: Error {}
    let folder = try TemporaryFolder()
    let run = RunFolder(folder.path)
    try run.create(config: config([], steps: 1))
    try run.saveCheckpoint(step: 1, keeping: 3) {
      try RunFolder.write(TrainingState(seed: 1), to: "\($0)/state.json")
    }
    #expect(throws: DiskFull.self) {
      try run.saveCheckpoint(step: 2, keeping: 3) {
        try RunFolder.write(TrainingState(seed: 1), to: "\($0)/state.json")
        throw DiskFull()
      }
    }
    #expect(try run.lastCheckpoint().hasSuffix("step-000001"))
    let names = try FileManager.default.contentsOfDirectory(atPath: folder("checkpoints"))
    #expect(names.sorted() == ["last", "step-000001"])
  }

  /// Images of steps that a killed run was at are made again; any other is not the run's.
  @Test func anotherImageOfAStepsNameIsPutAside() throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"), rows: 4, side: 16)
    var config = config([folder("a.h5")], steps: 4)
    (config.imageEvery, config.checkpointEvery) = (1, 2)
    let run = RunFolder(folder("run"))
    try train(config, in: run)
    let own = try (1...4).map { try DurableFile.read(run.imagePath(step: $0)) }
    // As after a kill at step 4, and somebody's own file.
    DurableFile.remove(folder("run/checkpoints/step-000004"))
    try DurableFile.write(Array("mine".utf8), to: run.imagePath(step: 3))
    let warnings = try train(config, in: run, resumed: true)
    let aside = "\(run.imagePath(step: 3)).old-1"
    #expect(warnings.count == 1 && warnings[0].hasSuffix("it is kept as \(aside)"), "\(warnings)")
    #expect(try DurableFile.read(aside) == Array("mine".utf8))
    #expect(try (1...4).map { try DurableFile.read(run.imagePath(step: $0)) } == own)
    #expect(DurableFile.names(in: run.imagesPath).count == 5)
  }

  @Test func useOfCodesThatCannotBeIsRefusedOrBounded() throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"), rows: 4, side: 16)
    var config = config([folder("a.h5")], steps: 1)
    config.augmentation = Augmentation()
    let run = RunFolder(folder("run"))
    try train(config, in: run)
    config.steps = 2
    let path = "\(try run.lastCheckpoint())/optimizer.safetensors"
    try removeChecksums(ofCheckpoint: try run.lastCheckpoint())  // or it ends before
    let file = try SafetensorsFile(path)
    func put(_ name: String, _ values: [Float]) throws {
      try SafetensorsWriter.write(
        try file.names.map {
          $0 == name
            ? SafetensorsEntry(name, shape: [values.count], floats: values)
            : try file.entry(of: $0, as: $0)
        }, to: path)
    }
    for name in ["codebook.shares", "codebook.idle_steps"] {
      try put(name, [1, 2])
      let error = #expect(throws: ModelMismatchError.self) {
        try train(config, in: run, resumed: true)
      }
      #expect(error?.misshapen == ["\(name) [2] instead of [64]"])
    }
    try put("codebook.idle_steps", [Float](repeating: 3e38, count: 64))
    try train(config, in: run, resumed: true)
    #expect(run.steps() == [1, 2])
  }

  @Test func aLossThatIsNoNumberEndsTheRun() throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"), rows: 4, side: 16)
    var config = config([folder("a.h5")], steps: 50)
    config.learningRate = LearningRate(peak: 1e30)
    let error = #expect(throws: RunError.self) { try train(config, in: RunFolder(folder("run"))) }
    #expect(error?.description.contains("not finite") == true)
    #expect(error?.description.contains("--learning-rate") == true)
  }

  @Test func aCollapsedCodebookIsReported() throws {
    let folder = try TemporaryFolder()
    // One latent an image, and all images the same: one code is ever used.
    try makeShard(folder("a.h5"), rows: 4, side: 4, isUniform: true)
    var config = config([folder("a.h5")], steps: 201)
    config.model.dropout = 0
    config.model.quantizer = QuantizerConfig()
    config.objective.discStart = 1000
    config.augmentation = Augmentation()
    config.accumulate = 1
    config.learningRate = LearningRate(peak: 0)
    config.checkpointEvery = 1000
    let warnings = try train(config, in: RunFolder(folder("run")))
    #expect(warnings.count == 1)
    #expect(warnings.first?.contains("1 of 64 codes in use") == true)
  }
}
