// What trainings and reconstructions of recorded games report of sprites.
import DurableFiles
import Foundation
import Images
import Metrics
import Shards
import TestSupport
import Testing
import Training

/// Frames of a black room of 24×24 pixels with a red sprite of five, which moves; three pixels of
/// another red blink.
private func frame(_ row: Int) -> [UInt8] {
  var pixels = [UInt8](repeating: 0, count: 24 * 24 * 3)
  for column in row + 2..<row + 7 {
    let start = 3 * (24 * (2 * row + 3) + column)
    pixels.replaceSubrange(start..<start + 3, with: [200, 72, 72])
  }
  if row % 2 == 1 {
    for column in 2..<5 { pixels[3 * (24 * 20 + column)] = 255 }
  }
  return pixels
}

private func shard(_ path: String, ofGame: Bool = true) throws {
  try imageShard(
    path, rows: 7, height: 24, width: 24,
    labels: ofGame ? [("trajectory", .int64([Int64](repeating: 1, count: 7)))] : [], pixels: frame)
}

private func config(_ shard: String) -> VQGANRunConfig {
  var config = VQGANRunConfig.small(discStart: 10_000, steps: 4, threads: 2)
  (config.shards, config.validation) = ([shard], [shard])
  (config.logEvery, config.checkpointEvery, config.imageEvery) = (1, 1, 100)
  return config
}

private func train(
  _ path: String, _ config: VQGANRunConfig, resumed: Bool = false, stopAfter: Int = .max
) throws -> [[Substring]] {
  let folder = RunFolder(path)
  try folder.train(config, resumed: resumed, .stopping(after: stopAfter))
  return try folder.metrics()
}

@Suite struct SpriteRunTests {
  @Test func validationsOfGamesReportSprites() throws {
    let folder = try TemporaryFolder()
    try shard(folder("a.h5"))
    let whole = try train(folder("whole"), config(folder("a.h5")))
    #expect(whole[0].suffix(2) == ["val/rare_iou", "val/moving_recovered"])
    let values = whole.filter { $0.last != "" }.dropFirst()
    #expect(values.count == 4, "one for each validation")
    for row in values {
      for cell in row.suffix(2) { #expect((0...1).contains(Double(cell) ?? -1), "\(cell)") }
    }
    // Resumed, it has the same ones.
    _ = try train(folder("parts"), config(folder("a.h5")), stopAfter: 2)
    let parts = try train(folder("parts"), config(folder("a.h5")), resumed: true)
    #expect(parts.map { $0.suffix(2) } == whole.map { $0.suffix(2) })
  }

  @Test func otherImagesHaveTheColumnsOfBefore() throws {
    let folder = try TemporaryFolder()
    try shard(folder("a.h5"), ofGame: false)
    let rows = try train(folder("run"), config(folder("a.h5")))
    #expect(rows[0].last == "val/codes_used")
  }

  @Test func aRunOfAnEarlierVersionKeepsItsColumns() throws {
    let folder = try TemporaryFolder()
    try shard(folder("a.h5"))
    let before = try train(folder("run"), config(folder("a.h5")), stopAfter: 2)
    let lines = before.map { $0.dropLast(2).joined(separator: ",") + "\n" }
    try DurableFile.write(
      Array(lines.joined().utf8), to: RunFolder(folder("run")).metricsPath)
    let rows = try train(folder("run"), config(folder("a.h5")), resumed: true)
    #expect(rows[0].last == "val/codes_used")
    #expect(rows.last?.first == "4")
  }

  @Test func batchesKnowWhatHasChanged() throws {
    let folder = try TemporaryFolder()
    try shard(folder("a.h5"))
    let shards = try ImageShardSet([folder("a.h5")])
    let scenes = try #require(try shards.scenes())
    func changed(_ augmentation: Augmentation, _ scenes: FrameScenes?) throws -> ImageBatch {
      try ImageBatches(
        shards, batchSize: 7, from: DataPosition(), seed: 3, shuffled: false,
        augmentation: augmentation, scenes: scenes
      ).next()
    }
    for augmentation in [Augmentation(), Augmentation(crop: 20, flips: true)] {
      let batch = try changed(augmentation, scenes)
      guard case .bytes(let pixels) = batch.values else { return }
      let isRed = stride(from: 0, to: pixels.count, by: 3).map { pixels[$0] > 0 ? UInt8(1) : 0 }
      #expect(batch.changed == isRed, "the background is black")
      #expect(try changed(augmentation, nil).changed == nil)
    }
    try shard(folder("b.h5"), ofGame: false)
    let others = try ImageShardSet([folder("b.h5")])
    #expect(try others.scenes() == nil)
    var config = config(folder("b.h5"))
    try config.checkChanges(in: others)
    config.objective.changeWeight = 10
    try config.checkChanges(in: shards)
    #expect(throws: RunError.self) { try config.checkChanges(in: others) }
  }

  /// The weight moves the training, and neither it nor larger batches move a resumed run.
  @Test func recipesOfGamesAreResumed() throws {
    let folder = try TemporaryFolder()
    try shard(folder("a.h5"))
    func weights(_ name: String) throws -> [UInt8] {
      let last = try RunFolder(folder(name)).lastCheckpoint()
      return try DurableFile.read("\(last)/model.safetensors")
    }
    _ = try train(folder("plain"), config(folder("a.h5")))
    for (name, change) in [
      ("weight", { $0.objective.changeWeight = 10 }),
      ("batches", { ($0.lateBatchSize, $0.lateBatchFrom) = (3, 2) }),
      (
        "both",
        {
          ($0.lateBatchSize, $0.lateBatchFrom) = (5, 1)
          ($0.objective.changeWeight, $0.objective.l2Weight) = (10, 1)
          ($0.accumulate, $0.augmentation) = (2, Augmentation(crop: 16, flips: true))
        }
      ),
    ] as [(String, (inout VQGANRunConfig) -> Void)] {
      var config = config(folder("a.h5"))
      change(&config)
      let whole = try train(folder(name), config)
      #expect(try weights(name) != weights("plain"), "\(name)")
      for stop in 1...3 {
        _ = try train(folder("\(name)\(stop)"), config, stopAfter: stop)
        let parts = try train(folder("\(name)\(stop)"), config, resumed: true)
        #expect(try weights("\(name)\(stop)") == weights(name), "\(name), \(stop) steps")
        #expect(parts.map { $0.suffix(7) } == whole.map { $0.suffix(7) })
      }
    }
  }

  @Test func batchesGrowAtTheirStep() throws {
    var config = config("a.h5")
    #expect((0...3).map { config.imagesPerBatch(at: $0) } == [2, 2, 2, 2])
    (config.lateBatchSize, config.lateBatchFrom) = (6, 2)
    #expect((0...3).map { config.imagesPerBatch(at: $0) } == [2, 2, 6, 6])
    #expect(config.problem == nil)
    config.lateBatchSize = nil
    #expect(config.problem?.contains("late_batch_from") == true)
    (config.lateBatchSize, config.lateBatchFrom) = (0, 2)
    #expect(config.problem?.contains("late_batch_size") == true)
  }

  /// A model that gives its input back would have all of it.
  @Test func reconstructionsOfGamesAreMeasured() throws {
    let folder = try TemporaryFolder()
    try shard(folder("a.h5"))
    try shard(folder("b.h5"), ofGame: false)
    let inputs = try ImageInputs([folder("a.h5")], count: 7)
    let input = try inputs.image(3)
    let background = try #require(inputs.background(of: 3, input)).image
    let black = RGBImage(width: 24, height: 24, filledWith: .black)
    #expect(background.pixels == black.pixels)
    let whole = ReconstructionMetrics(
      of: input.image, against: input.image, background: background)
    #expect((whole.rareIoU, whole.movingIoU) == (1, 1))
    let empty = ReconstructionMetrics(of: black, against: input.image, background: background)
    #expect((empty.rareIoU, empty.movingIoU) == (0, 0))
    let photo = RGBImage(
      width: 24, height: 24,
      pixels: (0..<24 * 24 * 3).map { UInt8(truncatingIfNeeded: $0 * $0 / 7) })
    let none = ReconstructionMetrics(of: photo, against: photo)
    #expect(none.rareIoU == nil)
    let mean = ReconstructionMetrics(meanOf: [whole, empty, none])
    #expect((mean.rareIoU, mean.movingRecovered) == (0.5, 0.5))
    #expect((mean.rareFrames, mean.movingFrames) == (2, 2))
    let json = String(decoding: try JSONEncoder().encode(none), as: UTF8.self)
    #expect(!json.contains("rare") && !json.contains("moving"), "as before: \(json)")

    let other = try ImageInputs([folder("b.h5")], count: 7)
    #expect(other.background(of: 3, try other.image(3)) == nil)
  }
}
