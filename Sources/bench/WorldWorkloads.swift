// Training steps and dreams of a world model.
import Models
import NN
import Shards
import TensorCore
import Training

extension Workload {
  static let world: [Workload] = [worldTraining, dreaming]

  /// That of IRIS as published, without dropout.
  private static func iris(using random: inout RandomSource, on device: Device) -> WorldModel {
    let codes = CodeGrid(height: 4, width: 4, codebookSize: 512, fingerprint: "")
    var config = WorldPreset.iris.model(of: codes, actions: 4)
    (config.embeddingDropout, config.residualDropout, config.attentionDropout) = (0, 0, 0)
    return WorldModel(config, using: &random, on: device)
  }

  private static let description =
    "the world model of IRIS, 10 layers, 4 heads, width 256, 16 codes and an action in a step"

  private static let worldTraining = Workload(
    name: "world_iris_b4_train",
    summary: "one training step of \(description), on 4×20 steps",
    unit: .perSecond("tokens", 4 * 20 * 17), tellsMemory: true
  ) { device in
    var random = RandomSource(seed: 1)
    var trainer = WorldTrainer(of: iris(using: &random, on: device), weightDecay: 0.01)
    let config = trainer.model.config
    func numbers(_ count: Int, below limit: Int) -> [Int32] {
      (0..<count).map { _ in Int32.random(in: 0..<Int32(limit), using: &random) }
    }
    let sequences = (0..<4).map { _ in
      WorldSteps.Sequence(
        codes: numbers(20 * config.codes, below: config.codebookSize),
        actions: numbers(20, below: config.actions),
        rewards: numbers(20, below: WorldConfig.rewards), ends: numbers(20, below: 2))
    }
    let steps = WorldSteps(sequences, of: config)
    var source = random
    return { _ = try trainer.step([steps], learningRate: 1e-4, using: &source) }
  }

  /// As many images as the window has behind the first.
  private static let dreaming = Workload(
    name: "world_iris_dream",
    summary: "a dream of 19 images by \(description), one code after the other",
    unit: .perSecond("images", 19), tellsMemory: true
  ) { device in
    var random = RandomSource(seed: 1)
    let model = iris(using: &random, on: device).frozen()
    let image = (0..<Int32(model.config.codes)).map { $0 * 7 }
    return {
      var streams = [RandomSource(seed: 1)]
      var rollout = WorldRollout(of: model, items: 1)
      rollout.show([image])
      for step in 0..<19 {
        _ = rollout.act([Int32(step % model.config.actions)])
        try rollout.imagine(SamplingOptions(), using: &streams)
      }
    }
  }
}
