import Checkpoints
import Foundation
import Models
import TamingCheckpoints
import TensorCore
import TestSupport
import Testing
import Training

/// An agent of IRIS gives PyTorch's codes, images, logits and dreams; see Tools/pytorch_iris.py.
///
/// `IRIS` in the environment names the folder of another agent, as of the published shape.
@Suite struct IRISParityTests {
  private static let folder =
    ProcessInfo.processInfo.environment["IRIS"] ?? Fixture.path("iris")

  private struct Agent {
    let folder: TemporaryFolder
    let world: WorldStage
    let expected: SafetensorsFile

    init() throws {
      folder = try TemporaryFolder()
      let path = "\(IRISParityTests.folder)/last.pt"
      guard case .iris(let weights) = try TamingCheckpoint(try CheckpointFile.open(path)) else {
        throw ArchitectureError.unknownModel(path: path, names: [])
      }
      let description = WorldDescription(
        of: weights, fingerprints: try FirstStageFile(weights.tokenizer).fingerprints(),
        vqgan: folder("agent/first-stage"))
      try CheckpointImport {}.write(weights, description, withStage: true, to: folder("agent"))
      world = try WorldStage.load(folder("agent"))
      expected = try SafetensorsFile("\(IRISParityTests.folder)/expected.safetensors")
    }
  }

  @Test func codesAndImagesArePyTorchs() throws {
    let agent = try Agent()
    let stage = try FirstStage.load(agent.folder("agent/first-stage"))
    let images = try agent.expected.tensor("x")
    let (reconstruction, codes) = stage.model.reconstructWithCodes(images)
    #expect(codes.elements == (try agent.expected.indices("codes")).elements)
    let wanted = try agent.expected.tensor("reconstruction")
    // Norms of nearly equal values amplify rounding: what PyTorch computes in float32 is 5.6e-5
    // away from what it computes in float64, 2.3e-4 at most.
    #expect(Distance(reconstruction, wanted).relative < 2e-4)
    #expect(Distance(reconstruction, wanted).largest < 1e-3)
    #expect(stage.fingerprint == agent.world.codes.fingerprint)
    let direct = try FirstStage.load("\(Self.folder)/last.pt")
    #expect(direct.fingerprint == stage.fingerprint, "the agent's file as it is")
  }

  @Test func logitsArePyTorchs() throws {
    let agent = try Agent()
    let (model, expected) = (agent.world.model, agent.expected)
    let config = model.config
    let codes = try expected.indices("steps").elements
    let actions = try expected.indices("actions").elements
    let (length, size) = (config.context, config.context * config.codes)
    let none = [Int32](repeating: 0, count: length)
    let logits = model(
      WorldSteps(
        (0..<2).map { item in
          WorldSteps.Sequence(
            codes: Array(codes[item * size..<(item + 1) * size]),
            actions: Array(actions[item * length..<(item + 1) * length]), rewards: none, ends: none)
        }, of: config))
    // PyTorch's head of codes does not read the last code of an image.
    let all = logits.codes.elements()
    let read = (0..<2 * config.window).filter { $0 % config.step != config.step - 2 }
    let rows = read.flatMap {
      all[$0 * config.codebookSize..<($0 + 1) * config.codebookSize]
    }
    #expect(Distance(rows, try expected.floats(of: "logits.codes")).largest < 1e-4)
    let (rewards, ends) = (logits.rewards.elements(), logits.ends.elements())
    #expect(Distance(rewards, try expected.floats(of: "logits.rewards")).largest < 1e-4)
    #expect(Distance(ends, try expected.floats(of: "logits.ends")).largest < 1e-4)
  }

  /// Beyond the window too, where the cache is refilled with the last image.
  @Test func greedyDreamsArePyTorchs() throws {
    let agent = try Agent()
    let (model, expected) = (agent.world.model, agent.expected)
    let count = model.config.codes
    let images = try expected.indices("rollout.images").elements
    let rewards = try expected.floats(of: "rollout.rewards")
    let ends = try expected.floats(of: "rollout.ends")
    var rollout = WorldRollout(of: model, items: 1)
    rollout.show([Array(try expected.indices("codes").elements.prefix(count))])
    var streams = [RandomSource(seed: 0)]
    let played = try expected.indices("played").elements
    #expect(played.count > model.config.context)
    for (step, action) in played.enumerated() {
      let outcome = rollout.act([action])
      let reward = Array(rewards[step * 3..<(step + 1) * 3])
      let end = Array(ends[step * 2..<(step + 1) * 2])
      #expect(Distance(outcome.rewards[0], reward).largest < 1e-4, "step \(step)")
      #expect(Distance(outcome.ends[0], end).largest < 1e-4, "step \(step)")
      try rollout.imagine(SamplingOptions(isGreedy: true), using: &streams)
      #expect(rollout.codes[0] == Array(images[step * count..<(step + 1) * count]), "step \(step)")
    }
  }
}
