import Foundation
import Images
import Models
import Playing
import Shards
import TensorCore
import TestSupport
import Testing
import Training

@Suite("A world model that is played")
struct PlaySessionTests {
  // MARK: The dream

  @Test func playingIsDreamingWithTheSameActions() throws {
    let actions: [Int32] = [3, 3, 0, 11, 5, 1]
    let dreams = try TestGame.dreamer().dreams(
      from: [1, 11], steps: 5, .listed(actions), SamplingOptions(), progress: { _ in })
    var session = try TestGame.session()
    for start in 0..<2 {
      #expect(session.now.codes == TestGame.data.image([1, 11][start]))
      for (step, action) in actions.dropLast().enumerated() {
        try session.step(action)
        #expect(session.now.codes == dreams[start].images[step], "step \(step)")
        #expect(session.now.reward == Int(dreams[start].rewards[step]) - 1)
        #expect(session.now.action == action)
        #expect(session.now.image == TestGame.Pixels().decoded(session.now.codes))
      }
      #expect(session.now.step == 5)
      try session.reset(by: 1)
    }
    #expect(session.startName == "row 1", "behind the last start comes the first")
  }

  @Test func theActionDecides() throws {
    var (one, other) = (try TestGame.session(greedy: true), try TestGame.session(greedy: true))
    for _ in 0..<6 {
      try one.step(2)
      try other.step(9)
    }
    #expect(one.now.codes != other.now.codes)
  }

  @Test func behindTheEndNothingComes() throws {
    var session = try TestGame.session(ends: true)
    let before = session.now.image
    try session.step(1)
    #expect(session.now.isEnd && !session.canStep && session.now.step == 0)
    #expect(session.now.image == before && session.now.bits == nil)
    try session.step(1)
    #expect(session.rewindable == 1)
    try session.reset()
    #expect(session.canStep)
  }

  // MARK: Surprise

  /// `-log₂ p` of the last of some images, from one pass over all of them.
  private func bits(_ images: [[Int32]], actions: [Int32]) -> Double {
    let steps = WorldSteps(
      [
        WorldSteps.Sequence(
          codes: images.flatMap { $0 }, actions: actions + [0],
          rewards: Array(repeating: 1, count: images.count),
          ends: Array(repeating: 0, count: images.count))
      ], of: TestGame.config)
    let model = TestGame.model()
    let losses = model(steps).codes.reshaped([steps.codeTargets.count, 8])
      .crossEntropies(steps.codeTargets).elements()
    // The last image is foreseen from the action before it, and from its own codes but the last.
    let step = TestGame.config.step
    let first = (images.count - 1) * step - 1
    return losses[first..<first + 4].reduce(0) { $0 + Double($1) } / log(2)
  }

  @Test func surpriseIsThatOfTheModel() throws {
    var session = try TestGame.session()
    #expect(session.now.bits == nil)
    var images = [TestGame.data.image(0), TestGame.data.image(1)]
    var actions = [TestGame.data.actions[0]]
    for action: Int32 in [4, 17, 2] {
      try session.step(action)
      images.append(session.now.codes)
      actions.append(action)
      let found = try #require(session.now.bits)
      #expect(abs(found - bits(images, actions: actions)) < 1e-3)
    }
  }

  @Test func surpriseOfTheRecordingIsThatOfItsCodes() throws {
    var session = try TestGame.session(mode: .recording)
    for row in 1..<4 {
      try session.step(0)
      let images = (0...row + 1).map(TestGame.data.image)
      let found = try #require(session.now.bits)
      #expect(abs(found - bits(images, actions: Array(TestGame.data.actions[...row]))) < 1e-3)
    }
  }

  // MARK: The recording

  @Test func theRecordingGoesOnByItself() throws {
    var session = try TestGame.session(mode: .recording)
    #expect(session.now.image == TestGame.Pixels().image(1))
    for row in 2..<10 {
      try session.step(17)
      #expect(session.now.codes == TestGame.data.image(row))
      #expect(session.now.image == TestGame.Pixels().image(row))
      #expect(session.now.action == TestGame.data.actions[row - 1])
    }
    #expect(session.now.score == 2, "of the rows 3 and 7")
    #expect(session.canStep)
    try session.step(17)
    #expect(session.now.isEnd && !session.canStep)
  }

  @Test func aRecordingThatStopsIsNoEnd() throws {
    var session = try TestGame.session(mode: .recording)
    try session.reset(by: 1)
    for _ in 0..<20 { try session.step(0) }
    #expect(session.now.step == 8)
    #expect(!session.now.isEnd && !session.canStep)
    try session.switchMode()
    #expect(session.canStep, "the dream goes on")
    try session.step(3)
    #expect(session.now.step == 9 && session.now.mode == .dream)
  }

  @Test func oneSwitchesAtTheSameStep() throws {
    var session = try TestGame.session()
    for _ in 0..<3 { try session.step(2) }
    try session.switchMode()
    #expect(session.now.mode == .recording && session.now.step == 3)
    #expect(session.now.image == TestGame.Pixels().image(4))
    try session.step(0)
    #expect(session.now.codes == TestGame.data.image(5))
    try session.switchMode()
    for _ in 0..<20 { try session.step(2) }
    try session.switchMode()
    #expect(session.now.codes == TestGame.data.image(9), "the recording has no more")
    session.rewind(1)
    #expect(session.now.mode == .dream && session.now.step == 24)
  }

  // MARK: Rewind

  @Test func rewoundStepsComeAgain() throws {
    var session = try TestGame.session()
    var seen: [[Int32]] = []
    for step in 0..<8 {
      try session.step(Int32(step))
      seen.append(session.now.codes)
    }
    session.rewind(5)
    #expect(session.now.codes == seen[2] && session.now.step == 3)
    for step in 3..<8 {
      try session.step(Int32(step))
      #expect(session.now.codes == seen[step], "step \(step)")
    }
    session.rewind(100)
    #expect(session.now.step == 0 && session.rewindable == 0)
  }

  @Test func aThousandMomentsAreKept() throws {
    var session = try TestGame.session()
    for _ in 0..<1010 { try session.step(0) }
    #expect(session.rewindable == 1000)
  }

  // MARK: Takes

  @Test func aTakeIsWhatWasPlayed() throws {
    let folder = try TemporaryFolder()
    var session = try TestGame.session()
    try session.step(1)
    session.beginTake()
    #expect(session.take?.steps.count == 0)
    var seen = [session.now.codes]
    for action: Int32 in [2, 3, 4, 5, 6] {
      try session.step(action)
      seen.append(session.now.codes)
    }
    session.rewind(2)
    #expect(session.take?.steps.map(\.action) == [2, 3, 4], "what was rewound is gone")
    try session.reset()
    try session.step(7)
    try session.step(8)
    let ended = session.endTake()
    let take = try #require(ended)
    #expect(session.take == nil)
    #expect(take.steps.map(\.follows) == [false, true, true, false, true])
    let paths = try take.write(
      to: folder("take"), fps: 10, of: TestGame.grid, actions: 18, downsampling: 1,
      toolVersion: "test")
    #expect(paths == [folder("take.png"), folder("take.h5")])
    let shards = try CodeShardSet([folder("take.h5")])
    #expect(shards.count == 3, "each stretch without its first image")
    #expect(try shards.codes(0) == seen[1])
    #expect(try shards.labels("action").integers == [3, 4, 8])
    #expect(try shards.labels("trajectory").integers == [0, 0, 1])
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: folder("take.png"))))
    let control = try #require(bytes.firstRange(of: Array("acTL".utf8)))
    #expect(Array(bytes[control.upperBound..<control.upperBound + 4]) == [0, 0, 0, 6])
  }

  @Test func aTakeWithoutAStepIsNone() throws {
    var session = try TestGame.session()
    session.beginTake()
    var take = session.endTake()
    #expect(take == nil)
    session.beginTake()
    try session.step(0)
    session.rewind(1)
    take = session.endTake()
    #expect(take == nil)
  }

  /// What was rewound past the beginning of a take belongs to no earlier one.
  @Test func takesDoNotMix() throws {
    var session = try TestGame.session()
    session.beginTake()
    for _ in 0..<4 { try session.step(1) }
    _ = session.endTake()
    session.beginTake()
    try session.step(2)
    session.rewind(3)
    #expect(session.take?.steps.count == 0)
    try session.step(3)
    let take = session.endTake()
    #expect(take?.steps.map(\.action) == [3])
  }

  // MARK: Keys

  @Test(
    arguments: [
      ([], 0), ([.up], 2), ([.left], 4), ([.fire], 1), ([.up, .right], 6),
      ([.down, .left, .fire], 17),
      ([.left, .right], 0), ([.left, .right, .down], 5), ([.up, .down, .fire], 1),
    ] as [(PlayKeys, Int32)])
  func keysAreActionsOfTheGame(keys: PlayKeys, action: Int32) {
    #expect(keys.action(of: 18) == action)
    #expect(keys.action(of: Int(action)) == 0, "what a model does not know is no action")
  }
}
