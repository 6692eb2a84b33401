// 20 steps are 7 steps and 13 more, whatever the run does besides.
import Models
import TestSupport
import Testing
import Training

/// The newest checkpoint's files, and the rows of metrics.csv without clock and memory.
func checkpointAndRows(_ path: String) throws -> [String: [UInt8]] {
  var result = try RunFolder(path).lastCheckpointFiles()
  for (number, row) in try RunFolder(path).untimedMetrics().enumerated() {
    result["row \(number)"] = Array(row.joined(separator: ",").utf8)
  }
  return result
}

@Suite struct ExactResumeTests {
  private static let vqgans: [(String, @Sendable (inout VQGANRunConfig) -> Void)] = [
    ("accumulation", { $0.accumulate = 3 }),
    (
      "EMA and a cosine with a warm-up",
      {
        $0.ema = 0.9
        $0.learningRate = LearningRate(peak: 1e-3, schedule: .cosine, warmup: 5)
      }
    ),
    ("dropout", { $0.model.dropout = 0.2 }),
    (
      "k-means, moving averages and revival",
      {
        $0.model.quantizer.kind = .movingAverage
        $0.model.quantizer.initialization = .kMeans
        $0.model.quantizer.restartAfter = 2
      }
    ),
    ("random crops and mirroring", { $0.augmentation = Augmentation(crop: 16, flips: true) }),
    ("clipping", { $0.clip = 0.01 }),
    (
      "Gumbel noise",
      {
        $0.model.quantizer.kind = .gumbel
        $0.model.embedDim = $0.model.zChannels
      }
    ),
    (
      "levels",
      {
        $0.model.quantizer = QuantizerConfig(kind: .fsq)
        $0.model.quantizer.levels = [5, 4, 3]
        ($0.model.nEmbed, $0.model.embedDim) = (60, 3)
      }
    ),
    (
      "bits",
      {
        $0.model.quantizer = QuantizerConfig(kind: .lfq)
        ($0.model.nEmbed, $0.model.embedDim) = (64, 6)
      }
    ),
    (
      "a map of frozen entries, rotation",
      {
        $0.model.quantizer = QuantizerConfig(kind: .simVQ)
        $0.model.quantizer.gradient = .rotation
      }
    ),
    (
      "directions, k-means and revival",
      {
        $0.model.quantizer = QuantizerConfig(
          kind: .movingAverage, restartAfter: 2, initialization: .kMeans)
        $0.model.quantizer.cosine = true
      }
    ),
    (
      "two levels, dropout, k-means and revival",
      {
        $0.model.quantizer = QuantizerConfig(
          kind: .movingAverage, restartAfter: 2, initialization: .kMeans)
        ($0.model.quantizer.depth, $0.model.quantizer.dropout) = (2, 0.4)
      }
    ),
    (
      "levels of two codebooks, dropout",
      {
        $0.model.quantizer = QuantizerConfig(kind: .fsq)
        $0.model.quantizer.levels = [5, 4, 3]
        ($0.model.nEmbed, $0.model.embedDim) = (60, 3)
        ($0.model.quantizer.depth, $0.model.quantizer.dropout) = (2, 0.4)
      }
    ),
    (
      "bits of two codebooks",
      {
        $0.model.quantizer = QuantizerConfig(kind: .lfq)
        ($0.model.nEmbed, $0.model.embedDim, $0.model.quantizer.depth) = (64, 6, 2)
      }
    ),
    (
      "directions of two codebooks, k-means and revival",
      {
        $0.model.quantizer = QuantizerConfig(
          kind: .movingAverage, restartAfter: 2, initialization: .kMeans)
        ($0.model.quantizer.depth, $0.model.quantizer.cosine) = (2, true)
      }
    ),
    (
      "a fresh pass, the best checkpoint kept",
      {
        $0.objective.discriminatorPass = .fresh
        $0.keepBest = true
      }
    ),
    ("an image shown as it is stored", { $0.shuffles = false }),
    (
      "a frozen encoder and codebook, EMA and dropout",
      {
        $0.objective.freeze = [.encoder, .codebook]
        ($0.model.dropout, $0.ema) = (0.2, 0.9)
      }
    ),
    (
      "a ramp, LeCAM, the non-saturating loss, group norms and the worst pixels",
      {
        ($0.objective.discRamp, $0.objective.lecamWeight) = (8, 0.01)
        ($0.objective.genLoss, $0.objective.worstWeight) = (.nonSaturating, 0.1)
        $0.objective.discriminator.normalization = .group
        $0.accumulate = 2
      }
    ),
  ]

  /// A tiny run of 20 steps on a shard that is made.
  static func config(on shard: String) throws -> VQGANRunConfig {
    try imageShard(shard, rows: 7, height: 24, width: 24) { row in
      (0..<24 * 24 * 3).map { UInt8(truncatingIfNeeded: $0 / 72 * (row + 3) + $0 * 5) }
    }
    var config = VQGANRunConfig.small(discStart: 4, steps: 20, threads: 2)
    (config.shards, config.validation) = ([shard], [shard])
    (config.logEvery, config.checkpointEvery, config.imageEvery) = (1, 10, 100)
    return config
  }

  @Test(arguments: vqgans.map(\.0))
  func twentyStepsOfAVQGANAreSevenAndThirteen(kind: String) throws {
    let folder = try TemporaryFolder()
    var config = try Self.config(on: folder("a.h5"))
    try #require(Self.vqgans.first { $0.0 == kind }).1(&config)
    try RunFolder(folder("whole")).train(config)
    try RunFolder(folder("parts")).train(config, .stopping(after: 7))
    try RunFolder(folder("parts")).train(config, resumed: true)
    let whole = try checkpointAndRows(folder("whole"))
    let parts = try checkpointAndRows(folder("parts"))
    #expect(whole.count >= 4 + 1 + 20 + 2)
    for name in Set(whole.keys).union(parts.keys).sorted() {
      #expect(whole[name] == parts[name], "\(name)")
    }
  }

  private static let gpts: [(String, @Sendable (inout GPTRunConfig) -> Void)] = [
    ("accumulation and dropout", { $0.accumulate = 3 }),
    ("EMA and clipping", { ($0.ema, $0.clip) = (0.9, 0.1) }),
    ("replaced tokens", { $0.keepProbability = 0.5 }),
    (
      "a cosine with a warm-up, unshuffled",
      {
        $0.learningRate = LearningRate(peak: 3e-3, schedule: .cosine, warmup: 10)
        $0.shuffles = false
      }
    ),
  ]

  @Test(arguments: gpts.map(\.0))
  func twentyStepsOfAGPTAreSevenAndThirteen(kind: String) throws {
    let folder = try TemporaryFolder()
    var config = try GPTRunTests.config(steps: 20)
    try #require(Self.gpts.first { $0.0 == kind }).1(&config)
    _ = try GPTRunTests.train(folder("whole"), config)
    _ = try GPTRunTests.train(folder("parts"), config, stopAfter: 7)
    _ = try GPTRunTests.train(folder("parts"), config, resumed: true)
    let whole = try checkpointAndRows(folder("whole"))
    let parts = try checkpointAndRows(folder("parts"))
    #expect(whole.count >= 4 + 1 + 20)
    for name in Set(whole.keys).union(parts.keys).sorted() {
      #expect(whole[name] == parts[name], "\(name)")
    }
  }

  /// The optimizer has taken more steps than the run then.
  @Test func anOptimizerThatWentOnFromAnotherRunIsResumed() throws {
    let folder = try TemporaryFolder()
    _ = try GPTRunTests.train(folder("first"), try GPTRunTests.config(steps: 5))
    var config = try GPTRunTests.config(steps: 20)
    (config.initFrom, config.initOptimizer) = (folder("first"), true)
    let run = try GPTRunTests.train(folder("whole"), config)
    #expect(run.trainer.optimizer.step == 25)
    _ = try GPTRunTests.train(folder("parts"), config, stopAfter: 7)
    _ = try GPTRunTests.train(folder("parts"), config, resumed: true)
    let whole = try checkpointAndRows(folder("whole"))
    let parts = try checkpointAndRows(folder("parts"))
    for name in Set(whole.keys).union(parts.keys).sorted() {
      #expect(whole[name] == parts[name], "\(name)")
    }
  }
}
