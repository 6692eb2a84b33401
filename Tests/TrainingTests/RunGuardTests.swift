// Guards of a whole run: what it keeps, where it continues, what its images show.
import Checkpoints
import Foundation
import Images
import Models
import TestSupport
import Testing
import Training

/// A colour that no label of an image has.
private let marker: [UInt8] = [37, 201, 94]

private func makeShard(_ path: String) throws {
  try imageShard(path, rows: 6, height: 32, width: 32) { row in
    var pixels: [UInt8] = []
    for y in 0..<32 {
      for x in 0..<32 { pixels += x < 16 ? marker : [UInt8(row * 40), UInt8(y * 8), UInt8(x * 8)] }
    }
    return pixels
  }
}

private func config(shard: String, steps: Int) -> VQGANRunConfig {
  var model = VQGANConfig.tiny
  model.dropout = 0.1
  model.quantizer.restartAfter = 2
  var config = VQGANRunConfig.small(model, discStart: 1, layers: 2, steps: steps)
  config.augmentation = Augmentation(flips: true)
  config.imageEvery = 100
  (config.shards, config.seed, config.logEvery) = ([shard], 3, 1)
  (config.checkpointEvery, config.keepCheckpoints) = (2, 5)
  return config
}

@Suite struct RunGuardTests {
  /// R15: a checkpoint every so many steps, with the discriminator and both optimizers.
  @Test func checkpointsHoldEverythingAtTheirOwnPace() throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"))
    let run = RunFolder(folder("run"))
    try run.train(config(shard: folder("a.h5"), steps: 5))
    let checkpoints = try FileManager.default.contentsOfDirectory(atPath: folder("run/checkpoints"))
    #expect(
      checkpoints.sorted() == ["last", "step-000002", "step-000004", "step-000005"])
    let last = try run.lastCheckpoint()
    #expect(last.hasSuffix("step-000005"))
    let weights = try SafetensorsFile("\(last)/model.safetensors").names
    #expect(weights.contains("encoder.conv_in.weight"))
    #expect(weights.contains("loss.discriminator.main.0.weight"))
    let moments = try SafetensorsFile("\(last)/optimizer.safetensors").names
    for name in ["generator.m.", "generator.v.", "discriminator.m.", "discriminator.v."] {
      #expect(moments.contains { $0.hasPrefix(name) }, "\(name)")
    }
  }

  /// R15: a run that was stopped and continued is the run that was not.
  @Test(arguments: [1, 2, 4])
  func aContinuedRunEqualsAnUninterruptedOne(stopAfter: Int) throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"))
    let config = config(shard: folder("a.h5"), steps: 6)
    let whole = RunFolder(folder("whole"))
    let parts = RunFolder(folder("parts"))
    try whole.train(config)
    try parts.train(config, .stopping(after: stopAfter))
    try parts.train(config, resumed: true)
    for name in ["model.safetensors", "optimizer.safetensors", "state.json"] {
      let expected = try Data(
        contentsOf: URL(fileURLWithPath: "\(try whole.lastCheckpoint())/\(name)"))
      let found = try Data(
        contentsOf: URL(fileURLWithPath: "\(try parts.lastCheckpoint())/\(name)"))
      #expect(found == expected, "\(name)")
    }
    func losses(_ run: RunFolder) throws -> [[Substring]] {
      try run.metrics().map { Array($0.prefix(14)) }
    }
    #expect(try losses(parts) == losses(whole))
  }

  /// A run that was killed before its first checkpoint starts again at its first step.
  @Test func aRunWithoutACheckpointIsContinuedFromItsBeginning() throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"))
    let config = config(shard: folder("a.h5"), steps: 2)
    let (whole, killed) = (RunFolder(folder("whole")), RunFolder(folder("killed")))
    try whole.train(config)
    try killed.train(config, .stopping(after: 1))
    try FileManager.default.removeItem(atPath: folder("killed/checkpoints"))
    try killed.train(config, resumed: true)
    for name in ["model.safetensors", "optimizer.safetensors", "state.json"] {
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: "\(try whole.lastCheckpoint())/\(name)"))
          == Data(contentsOf: URL(fileURLWithPath: "\(try killed.lastCheckpoint())/\(name)")),
        "\(name)")
    }
    let rows = try String(contentsOfFile: killed.metricsPath, encoding: .utf8)
    #expect(rows.split(separator: "\n").count == 3, "a row of the killed run was kept")
  }

  /// R16: the inputs in an image are the pixels that went in.
  @Test func imagesShowTheInputsAsTheyAre() throws {
    let folder = try TemporaryFolder()
    try makeShard(folder("a.h5"))
    let run = RunFolder(folder("run"))
    try run.train(config(shard: folder("a.h5"), steps: 1))
    let image = try ImageDecoder.decode(contentsOf: run.imagePath(step: 1))
    let marked = stride(from: 0, to: image.pixels.count, by: 3).count {
      Array(image.pixels[$0..<$0 + 3]) == marker
    }
    // Half of each of four inputs, perhaps enlarged.
    #expect(marked >= 4 * 512)
  }
}
