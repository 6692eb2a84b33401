import Foundation
import Models
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite struct DreamTests {
  static func model(seed: UInt64 = 3) -> WorldModel {
    var random = RandomSource(seed: seed)
    var model = WorldModel(RingGame.config(steps: 1).model, using: &random)
    model.visitParameters { _, tensor in
      let noise = random.normal(tensor.shape, deviation: 0.3)
      tensor = (tensor.detached() + noise).trainable()
    }
    return model.frozen()
  }

  /// One recording of 30 steps without an end.
  static let data: WorldData = {
    let places = (0..<30).map { $0 % 7 }
    return WorldData(
      codes: CodeTable(places.flatMap(RingGame.image), rowLength: 4, codebookSize: 8),
      actions: Array(repeating: 2, count: 30), rewards: Array(repeating: 1, count: 30),
      ends: Array(repeating: 0, count: 30), frames: (0..<30).map { (trajectory: 4, frame: $0) },
      segment: 4)
  }()

  static func dreamer(batchSize: Int = 8, seed: UInt64 = 5) -> Dreamer {
    Dreamer(of: model(), from: data, seed: seed, batchSize: batchSize)
  }

  static func dreams(
    _ dreamer: Dreamer = Self.dreamer(), from rows: [Int] = [1, 8, 15], steps: Int = 6,
    _ actions: DreamActions = .recorded, greedy: Bool = false
  ) throws -> [Dream] {
    try dreamer.dreams(
      from: rows, steps: steps, actions, SamplingOptions(isGreedy: greedy), progress: { _ in })
  }

  @Test func aDreamIsAFunctionOfSeedAndNumber() throws {
    let dreams = try Self.dreams()
    #expect(dreams.map(\.number) == [0, 1, 2])
    #expect(dreams.allSatisfy { $0.images.count == 6 && $0.actions.count == 7 })
    #expect(try Self.dreams() == dreams)
    #expect(try Self.dreams(Self.dreamer(batchSize: 2)) == dreams, "in other batches")
    #expect(try Self.dreams(Self.dreamer(seed: 6)) != dreams)
    #expect(try Self.dreams(greedy: true) == Self.dreams(Self.dreamer(seed: 6), greedy: true))
  }

  @Test func actionsAreThoseThatWereAskedFor() throws {
    #expect(try Self.dreams()[0].actions == Array(repeating: 2, count: 7))
    let listed = try Self.dreams(Self.dreamer(), .listed([1, 0]))
    #expect(listed[1].actions == [1, 0, 0, 0, 0, 0, 0])
    let random = try Self.dreams(Self.dreamer(), steps: 20, .random)
    #expect(Set(random.flatMap(\.actions)) == [0, 1, 2])
    #expect(random[0].actions != random[1].actions)
    // The last image of a listed dream may lie behind the recording.
    #expect(try Self.dreams(Self.dreamer(), from: [29], .listed([1])).count == 1)
  }

  @Test func whatIsDreamtDependsOnTheActions() throws {
    let held = try Self.dreams(Self.dreamer(), .listed([0]), greedy: true)
    let other = try Self.dreams(Self.dreamer(), .listed([1]), greedy: true)
    #expect(held.map(\.images) != other.map(\.images))
  }

  @Test func dreamsAreCodesForOtherCommands() throws {
    let folder = try TemporaryFolder()
    let dreams = try Self.dreams(steps: 12)
    let rows = try Dream.write(
      dreams, of: RingGame.grid, actions: 3, downsampling: 8, toolVersion: "test",
      to: folder("dreams.h5"))
    #expect(rows == dreams.reduce(0) { $0 + $1.length })
    try #require(rows > 0, "every dream ends at once; choose another seed")
    let shards = try CodeShardSet([folder("dreams.h5")])
    #expect(shards.count == rows)
    #expect(shards.header.split == "samples")
    let first = try #require(dreams.first { $0.length > 0 })
    #expect(try shards.codes(0) == first.images[0])
    #expect(try shards.labels("action").integers?.first == Int(first.actions[1]))
    #expect(try shards.labels("reward").integers?.allSatisfy { (-1...1).contains($0) } == true)
    let ends = try shards.labels("terminal").integers?.reduce(0, +)
    #expect(ends == dreams.count { $0.length > 0 && $0.ends[$0.length] })
  }

  @Test func behindTheEndTheLastImageStays() throws {
    let dreams = try Self.dreams(from: Array(1..<20), steps: 8)
    for dream in dreams {
      #expect(dream.length == dream.ends.firstIndex(of: true) ?? 8)
      #expect(dream.image(0) == nil)
      #expect(dream.image(8) == dream.image(dream.length))
    }
  }

  // MARK: Scores

  @Test func scoresAreCountedByHand() {
    let model = Self.model()
    let steps = WorldSteps([Self.data.sequence(0..<3)], of: model.config)
    var scores = WorldScores()
    scores.add(steps, under: model)
    #expect(scores.codes == 8, "those of the second and the third image")
    #expect(scores.changed == 6, "the last code of an image never changes")
    #expect(scores.steps == 3)
    #expect(scores.rewards.joined().reduce(0, +) == 3 && scores.rewards[1].reduce(0, +) == 3)
    let logits = model(steps)
    let loss = logits.codes.crossEntropy(steps.codeTargets).item()
    #expect(abs(scores.nats - Double(loss)) < 1e-5)
    #expect(abs(scores.bitsPerFrame(codes: 4) - 4 * Double(loss) / log(2)) < 1e-4)
  }

  @Test func horizonsDouble() {
    #expect(DreamReport.horizons(upTo: 1) == [1])
    #expect(DreamReport.horizons(upTo: 8) == [1, 2, 4, 8])
    #expect(DreamReport.horizons(upTo: 32) == [1, 2, 4, 8, 16, 32])
    #expect(DreamReport.horizons(upTo: 20) == [1, 2, 4, 8, 16, 20])
  }
}
