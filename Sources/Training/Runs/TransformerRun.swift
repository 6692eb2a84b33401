// The training run of a transformer: load, step, log, sometimes save.
import Foundation
import Models
import NN
import TensorCore

/// What a transformer is trained on.
package protocol TransformerData: Sendable {
  /// A digest of everything.
  var identity: String { get }
  /// Items of an epoch.
  var count: Int { get }
  /// Tokens of an item.
  var itemLength: Int { get }
  /// The entropy of a code that knows nothing of its neighbours, in nats.
  var unigramEntropy: Double { get }
}

/// What the training of one kind of transformer has of its own beside the loop.
package protocol TransformerTask {
  associatedtype Settings: RunSettings
  associatedtype Model: TransformerModel
  associatedtype Description: Codable, Equatable
  associatedtype Data: TransformerData
  typealias Config = RunConfig<Settings>

  /// Steps between validations.
  static func validateEvery(_ config: Config) -> Int
  /// What a checkpoint's `model.json` says.
  static func description(_ config: Config) -> Description
  /// A trainer with first weights.
  static func trainer(
    _ config: Config, using random: inout RandomSource, on device: Device
  ) throws -> TransformerTrainer<Model>
  /// Takes the weights of `init_from`, and the states of its optimizer where they are wanted.
  static func load(
    _ trainer: inout TransformerTrainer<Model>, from path: String, _ config: Config
  ) throws
  /// The batch of some items of the data.
  static func batch(
    _ items: [Int], of data: Data, _ config: Config, using random: inout RandomSource
  ) -> Model.Batch

  /// What is logged of the loss of a step and its parts beside the loss; none of a skipped step.
  static func metrics(_ losses: [Double]) -> [Metric]
  /// Items that a validation looks at, at most.
  static var validationItems: Int { get }
  /// The columns of a validation, the loss by which the best is chosen first.
  static var validationColumns: [String] { get }
  /// The metrics of a validation, the same items every time, without dropout; `nil` if asked to
  /// stop.
  static func validate(
    _ trainer: TransformerTrainer<Model>, on data: Data, _ config: Config,
    unless shouldStop: () -> Bool
  ) -> [Metric]?
}

/// The training run of a transformer in its folder.
package struct TransformerRun<Task: TransformerTask>: TrainingRun {
  package let config: RunConfig<Task.Settings>
  package private(set) var trainer: TransformerTrainer<Task.Model>
  package internal(set) var state: TrainingState
  let folder: RunFolder
  private let device: Device
  private let isResumed: Bool
  /// The last validation loss, for the notes.
  private var validationLoss: Double?
  var lastTaken: TrainingState?

  /// A new run, or with `resumed` the continuation of the one in the folder, from its beginning if
  /// it has no checkpoint yet.
  ///
  /// - Throws: `GPTConfigError`, `RunError`, `SafetensorsError`, `ModelMismatchError`,
  ///   `DurableFileError`.
  package init(
    _ config: RunConfig<Task.Settings>, in folder: RunFolder, resumed: Bool, on device: Device
  ) throws {
    self.config = config
    self.folder = folder
    self.device = device
    isResumed = resumed
    var random = RandomSource(seed: config.seed).stream("initial weights")
    trainer = try Task.trainer(config, using: &random, on: device)
    trainer.clip = config.clip
    let checkpoint = resumed ? try folder.resumePoint() : nil
    if checkpoint == nil, let path = config.initFrom {
      try Task.load(&trainer, from: path, config)
    }
    let model = trainer.model
    trainer.average = config.ema.map { EMAWeights(model, decay: $0) }
    state = TrainingState(seed: config.seed)
    if let checkpoint {
      state = try TrainingState.read(in: checkpoint, of: config, folder)
      try TransformerCheckpoint.restore(
        &trainer, Task.description(config), &state, from: checkpoint)
    }
    state.config = try config.identity
  }

  /// Trains to the last step, or until asked to stop; the state is saved either way.
  package mutating func train(
    on data: Task.Data, validation: Task.Data?, _ reporter: TrainingReporter
  ) throws {
    try state.begin(on: data.identity, validation: validation?.identity, in: folder)
    let columns = trainingMetrics([], 0, 0, 0).map(\.name) + Task.validationColumns
    let log = try MetricsLog(
      folder, columns: columns, resumingAfter: isResumed ? state.step : nil,
      validation: "val/loss", isValidated: validation != nil && isValidated(state.step),
      known: knownRows,
      rowsOf: { $0 % config.logEvery == 0 || isValidated($0) ? 1 : 0 })
    log.warn = { reporter.warn($0) }
    if let difference = log.difference { reporter.warn(difference) }
    if let metrics = log.reopened, let validation {
      guard let found = try validate(on: validation, unless: reporter.shouldStop) else { return }
      try log.relog(step: state.step, [metrics + found])
      if let best = try best(log) { try folder.pointToBest(best) }
    }
    try settle(log)
    var order = epochOrder(of: data)
    let entropy = data.unigramEntropy
    let tokensPerStep = config.batchSize * config.accumulate * data.itemLength
    var stopwatch = Stopwatch()
    while state.step < config.steps {
      let before = state
      let batches = nextBatches(of: data, in: &order)
      let learningRate = config.learningRate(step: state.step, of: config.steps)
      let losses = try step(batches, from: before, learningRate, log, reporter)
      stopwatch.count(tokensPerStep)

      let isLast = state.step == config.steps
      var stops = reporter.shouldStop()
      let validates = isValidated(state.step)
      if validates || state.step % config.logEvery == 0 {
        var metrics = trainingMetrics(losses, learningRate, stopwatch.rate, entropy)
        if validates, let validation, !stops {
          stopwatch.pause()
          let found = try validate(on: validation, unless: reporter.shouldStop)
          metrics += found ?? []  // else the run that goes on begins with it
          stops = found == nil
          stopwatch.resume()
        }
        try log.log(step: state.step, metrics)
      }
      reporter.step(note(losses.first, entropy, stopwatch.rate))
      let saves = reporter.shouldSave()
      let isBest = try validates && best(log) == state.step
      if stops || saves || isLast || isBest || state.step % config.checkpointEvery == 0 {
        stopwatch.pause()
        try save(log)
        stopwatch.resume()
      }
      if stops { return }
    }
  }

  private func epochOrder(of data: Task.Data) -> EpochOrder {
    EpochOrder(count: data.count, seed: config.seed, shuffled: config.shuffles)
  }

  /// The batches of the next step; the state moves behind them.
  private mutating func nextBatches(
    of data: Task.Data, in order: inout EpochOrder
  ) -> [Task.Model.Batch] {
    (0..<config.accumulate).map { _ in
      Task.batch(
        order.next(config.batchSize, from: &state.position), of: data, config,
        using: &state.random)
    }
  }

  /// One step, which moves the state behind it.
  ///
  /// - Parameter before: the state that the batches began at.
  /// - Returns: the loss and its parts; none if the step is skipped.
  /// - Throws: `RunError.notFinite`; the state before the step is saved then.
  private mutating func step(
    _ batches: [Task.Model.Batch], from before: TrainingState, _ learningRate: Float,
    _ log: MetricsLog, _ reporter: TrainingReporter
  ) throws -> [Float] {
    state.step += 1
    let losses: [Float]
    do throws(NotFinite) {
      losses = try trainer.step(batches, learningRate: learningRate, using: &state.random)
    } catch {
      try skip(error, from: before, log, reporter)
      return []
    }
    state.countTaken()
    if let name = trainer.model.notFinite {
      throw folder.notFinite(name, at: state.step, last: folder.steps().last)
    }
    return losses
  }

  var notFiniteOnTrial: NotFinite? { trainer.notFiniteOnTrial }

  func write(_ state: TrainingState, in folder: String) throws {
    try TransformerCheckpoint.save(trainer, Task.description(config), state, in: folder)
  }

  package var parameterCount: Int { trainer.model.parameterCount }

  // MARK: Estimate

  var phases: [Int] { [0] }

  mutating func probe(_ data: Task.Data, at step: Int, while goesOn: () -> Bool) throws {
    var order = epochOrder(of: data)
    repeat {
      try trainer.step(
        nextBatches(of: data, in: &order),
        learningRate: config.learningRate(step: state.step, of: config.steps),
        using: &state.random)
      if let name = trainer.model.notFinite { throw NotFinite(what: name) }
      state.step += 1
    } while goesOn()
  }

  mutating func probeInterludes(
    _ data: Task.Data, validation: Task.Data?, _ estimate: inout TrainingEstimate,
    unless shouldStop: @escaping () -> Bool
  ) throws {
    estimate.addRows(every: config.logEvery, of: trainingMetrics([], 0, 0, 0).count)
    guard let validation else { return }
    let items = min(Task.validationItems, validation.count)
    let every = Task.validateEvery(config)
    estimate.validation = TrainingEstimate.Work(
      count: estimate.times(every: every),
      seconds: timed(batches: items.batches(of: config.batchSize), unless: shouldStop) {
        _ = Task.validate(trainer, on: validation, config, unless: $0)
      })
    estimate.addRows(every: every, of: Task.validationColumns.count)
  }

  // MARK: Metrics

  /// The metrics of a step in the order of their columns; losses and entropy in nats.
  private func trainingMetrics(
    _ losses: [Float], _ learningRate: Float, _ tokensPerSecond: Double, _ entropy: Double
  ) -> [Metric] {
    let losses = losses.map { Double($0) }
    return [Metric("train/loss", losses.first)] + Task.metrics(losses)
      + [
        Metric("unigram_entropy", entropy), Metric("learning_rate", Double(learningRate)),
        Metric("tokens_per_second", tokensPerSecond),
        Metric("peak_memory_mib", Double(device.pool.statistics.peak) / 1_048_576),
      ]
  }

  private func isValidated(_ step: Int) -> Bool {
    step > 0 && (step % Task.validateEvery(config) == 0 || step == config.steps)
  }

  func surplus(at step: Int) -> [MetricsPart] {
    if step % Task.validateEvery(config) == 0 { return [] }
    return (step % config.logEvery == 0 ? [] : [.step])
      + (state.validationData == nil ? [] : [.validation])
  }

  /// The validation; `nil` if asked to stop before its end.
  ///
  /// - Throws: `RunError.notFinite`: the weights are then not saved.
  private mutating func validate(
    on data: Task.Data, unless shouldStop: () -> Bool
  ) throws -> [Metric]? {
    guard let found = Task.validate(trainer, on: data, config, unless: shouldStop) else {
      return nil
    }
    validationLoss = found.first?.value
    try requireFinite(validationLoss: validationLoss)
    return found
  }

  private func note(_ loss: Float?, _ entropy: Double, _ tokensPerSecond: Double) -> String {
    let validation = validationLoss.map {
      String(format: ", validation %.3f = %.2f bits", $0, $0 / log(2))
    }
    return (loss.map { String(format: "loss %.3f nats per token", $0) } ?? "skipped")
      + (validation ?? "")
      + String(format: ", unigram %.3f, %.0f tokens/s", entropy, tokensPerSecond)
  }
}
