// Everything that decides a VQGAN training run.
import Models

/// The configuration of a VQGAN training run, complete: `config.json` of the run folder.
package struct VQGANRunConfig: RunConfig {
  package static let kindName = "vqgan"

  package var kind: String = kindName
  package var toolVersion: String
  package var preset: String?  // where the run started from; it decides nothing any more
  package var model: VQGANConfig
  package var objective: VQGANObjective
  package var learningRate: LearningRate
  package var clip: Float?  // longest gradient of each optimizer; nil for no limit
  package var averaging: Float?  // decay of the moving average of the weights; nil for none
  package var steps: Int
  package var batchSize: Int
  package var accumulate: Int  // batches whose gradients are averaged for one step
  package var augmentation: Augmentation
  package var shuffles: Bool
  package var seed: UInt64
  package var threads: Int
  package var engine: String
  package var perceptual: String?  // weights of LPIPS; none without it
  package var initFrom: String?
  package var initOptimizer: Bool?  // whether the optimizers go on from there too
  package var shards: [String]
  package var validation: [String]
  package var checkpointEvery: Int  // steps
  package var keepCheckpoints: Int
  package var pictureEvery: Int  // steps
  package var logEvery: Int  // steps

  package init(
    toolVersion: String, preset: String? = nil, model: VQGANConfig, objective: VQGANObjective,
    learningRate: LearningRate,
    steps: Int, batchSize: Int, accumulate: Int, augmentation: Augmentation, shuffles: Bool,
    seed: UInt64, threads: Int, engine: String, perceptual: String?, initFrom: String?,
    shards: [String], validation: [String], checkpointEvery: Int, keepCheckpoints: Int,
    pictureEvery: Int, logEvery: Int
  ) {
    self.toolVersion = toolVersion
    self.preset = preset
    self.model = model
    self.objective = objective
    self.learningRate = learningRate
    self.steps = steps
    self.batchSize = batchSize
    self.accumulate = accumulate
    self.augmentation = augmentation
    self.shuffles = shuffles
    self.seed = seed
    self.threads = threads
    self.engine = engine
    self.perceptual = perceptual
    self.initFrom = initFrom
    self.shards = shards
    self.validation = validation
    self.checkpointEvery = checkpointEvery
    self.keepCheckpoints = keepCheckpoints
    self.pictureEvery = pictureEvery
    self.logEvery = logEvery
  }

  enum CodingKeys: String, CodingKey {
    case kind, preset, model, objective, clip, steps, accumulate, augmentation, shuffles, seed,
      threads,
      engine
    case perceptual, shards, validation
    case toolVersion = "tool_version"
    case learningRate = "learning_rate"
    case averaging = "ema"
    case batchSize = "batch_size"
    case initFrom = "init_from"
    case initOptimizer = "init_optimizer"
    case checkpointEvery = "checkpoint_every"
    case keepCheckpoints = "keep_checkpoints"
    case pictureEvery = "picture_every"
    case logEvery = "log_every"
  }
}

extension VQGANRunConfig {
  package var problem: String? {
    if let problem = problemOfTheLoop { return problem }
    if let problem = model.problem { return "model: \(problem)" }
    if let problem = objective.problem { return "objective: \(problem)" }
    if model.inChannels != model.outChannels
      || !model.input.modelChannels.contains(model.inChannels)
    {
      return "model: in_channels is \(model.inChannels) and out_ch \(model.outChannels); "
        + "images have 3 of both, depth 1, maps of labels one for each label, 256 at most"
    }
    if model.input.isLabels, objective.discFactor > 0 {
      return
        "objective.disc_factor is \(objective.discFactor); maps of labels have no discriminator"
    }
    if let problem = problem(ofClip: clip, averaging: averaging) { return problem }
    if !(1...1_000_000_000).contains(pictureEvery) {
      return "picture_every is \(pictureEvery); it must be positive"
    }
    if augmentation.crop < 0 {
      return "augmentation.crop is \(augmentation.crop); it must not be negative"
    }
    return nil
  }
}
