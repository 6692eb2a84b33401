// The training run of a GPT: load, step, log, sometimes save.
import Checksums
import Foundation
import Models
import NN
import Shards
import TensorCore

/// The codes of a data set, in the model's order, and what stands before them.
package struct GPTData: Sendable {
  package let codes: CodeTable
  /// The condition's tokens; nil for the start token.
  package let conditions: CodeTable?

  package init(codes: CodeTable, conditions: CodeTable? = nil) {
    (self.codes, self.conditions) = (codes, conditions)
  }

  /// A digest of all rows.
  var identity: String {
    var hash = SHA256()
    codes.add(to: &hash)
    conditions?.add(to: &hash)
    return hexadecimal(hash.finalize())
  }

  /// What stands before the given rows, `[rows.count, length]`.
  func conditionTokens(_ rows: [Int]) -> IndexTensor {
    conditions?.codes(rows) ?? TokenSequences.unconditional(rows.count)
  }
}

/// A GPT training run in its folder.
package struct GPTRun {
  package let config: GPTRunConfig
  package private(set) var trainer: GPTTrainer
  package private(set) var state: TrainingState
  private let folder: RunFolder
  private let device: Device
  private let isResumed: Bool
  /// The last validation loss, for the notes.
  private var validationLoss: Double?
  /// The state behind the last step that was not skipped, once one is.
  private var lastTaken: TrainingState?

  /// Rows that a validation looks at, at most.
  package static let validationRows = 1024

  /// A new run, or with `resumed` the continuation of the one in the folder, from its beginning if
  /// it has no checkpoint yet.
  ///
  /// - Throws: `GPTConfigError`, `RunError`, `SafetensorsError`, `ModelMismatchError`,
  ///   `DurableFileError`.
  package init(_ config: GPTRunConfig, in folder: RunFolder, resumed: Bool, on device: Device)
    throws
  {
    self.config = config
    self.folder = folder
    self.device = device
    isResumed = resumed
    var random = RandomSource(seed: config.seed).stream("initial weights")
    trainer = try GPTTrainer(
      GPT(config.model, using: &random, on: device), weightDecay: config.weightDecay)
    trainer.clip = config.clip
    let checkpoint = resumed ? try folder.resumePoint() : nil
    if checkpoint == nil, let path = config.initFrom {
      let weights = try GPTWeights.open(
        path, heads: config.model.heads, weights: config.initWeights ?? .ema)
      try ModelFiles.load(&trainer.model, from: weights.tensors)
      if config.initOptimizer == true { try OptimizerStates.ofGPT(path).load(&trainer) }
    }
    let model = trainer.model
    trainer.average = config.ema.map { EMAWeights(model, decay: $0) }
    state = TrainingState(seed: config.seed)
    if let checkpoint {
      state = try TrainingState.read(in: checkpoint, of: config, folder)
      try GPTCheckpoint.restore(&trainer, config.description, &state, from: checkpoint)
    }
    state.config = try config.identity
  }

  /// Trains to the last step, or until asked to stop; the state is saved either way.
  package mutating func train(
    on data: GPTData, validation: GPTData?, _ reporter: TrainingReporter
  ) throws {
    let codes = data.codes
    try state.begin(on: data.identity, validation: validation?.identity, in: folder)
    let columns = trainingMetrics(0, 0, 0, 0) + Self.validationMetrics(0, 0)
    let log = try MetricsLog(
      folder, columns: columns.map(\.name), resumingAfter: isResumed ? state.step : nil,
      validation: "val/loss", isValidated: validation != nil && isValidated(state.step),
      expecting: state.metricsRows, digest: state.metrics,
      rowsOf: { $0 % config.logEvery == 0 || isValidated($0) ? 1 : 0 })
    log.warn = { reporter.warn($0) }
    if let difference = log.difference { reporter.warn(difference) }
    if let metrics = log.reopened, let validation {
      guard let found = validate(on: validation, unless: reporter.shouldStop) else { return }
      try log.relog(step: state.step, [metrics + found])
      if let best = try best(log) { try folder.pointToBest(best) }
    }
    if state.step == config.steps {
      try folder.settle(at: state.step, keeping: config.keepCheckpoints, best: try best(log))
    }
    var order = EpochOrder(count: codes.count, seed: config.seed, shuffled: config.shuffles)
    let entropy = codes.unigramEntropy
    let tokensPerStep = config.batchSize * config.accumulate * codes.rowLength
    var stopwatch = Stopwatch()
    while state.step < config.steps {
      let before = state
      let batches = (0..<config.accumulate).map { _ in nextBatch(of: data, &order) }
      let learningRate = config.learningRate(step: state.step, of: config.steps)
      let loss = try step(batches, from: before, learningRate, log, reporter)
      stopwatch.count(tokensPerStep)

      let isLast = state.step == config.steps
      var stops = reporter.shouldStop()
      let validates = isValidated(state.step)
      if validates || state.step % config.logEvery == 0 {
        var metrics = trainingMetrics(loss, learningRate, stopwatch.rate, entropy)
        if validates, let validation, !stops {
          stopwatch.pause()
          let found = validate(on: validation, unless: reporter.shouldStop)
          metrics += found ?? []  // else the run that goes on begins with it
          stops = found == nil
          stopwatch.resume()
        }
        try log.log(step: state.step, metrics)
      }
      reporter.step(note(loss, entropy, stopwatch.rate))
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

  /// One step, which moves the state behind it.
  ///
  /// - Parameter before: the state that the batches began at.
  /// - Returns: the loss; nil if the step is skipped.
  /// - Throws: `RunError.notFinite`; the state before the step is saved then.
  private mutating func step(
    _ batches: [TokenSequences], from before: TrainingState, _ learningRate: Float,
    _ log: MetricsLog, _ reporter: TrainingReporter
  ) throws -> Float? {
    state.step += 1
    let loss: Float
    do throws(NotFinite) {
      loss = try trainer.step(batches, learningRate: learningRate, using: &state.random)
    } catch {
      guard config.onNonfinite == .skip else {
        let step = state.step
        state = before
        if state.step > 0, !folder.steps().contains(state.step) { try save(log) }
        throw folder.notFinite(error.what, at: step)
      }
      reporter.warn("step \(state.step): \(error.what) is not finite; the step is skipped")
      if state.skippedInARow == 0 { lastTaken = before }
      state.countSkipped()
      if state.hasSkippedTooMuch(of: config.steps) {
        let skipped = state
        if let lastTaken, folder.hasNothing(since: lastTaken) {
          state = lastTaken
          try save(log)
        }
        throw folder.onlySkipped(error.what, until: skipped)
      }
      return nil
    }
    state.countTaken()
    if let name = trainer.model.notFinite { throw folder.notFinite(name, at: state.step) }
    return loss
  }

  private func save(_ log: MetricsLog) throws {
    try log.sync()
    var state = state
    state.metricsRows = log.count(upTo: state.step)
    state.metrics = log.digest(upTo: state.step)
    try folder.saveCheckpoint(
      step: state.step, keeping: config.keepCheckpoints, best: try best(log)
    ) {
      try GPTCheckpoint.save(trainer, config.description, state, in: $0)
    }
  }

  /// The step of the lowest validation loss of this one and of those that have a checkpoint; nil
  /// where the best is not kept.
  private func best(_ log: MetricsLog) throws -> Int? {
    guard config.keepBest == true else { return nil }
    return log.lowest(among: Set(try folder.listedSteps()).union([state.step]))
  }

  private mutating func nextBatch(of data: GPTData, _ order: inout EpochOrder) -> TokenSequences {
    let rows = order.next(config.batchSize, from: &state.position)
    var conditions = data.conditionTokens(rows)
    if let rate = config.conditionDropout, let null = config.condition?.nullToken {
      let length = conditions.shape[1]
      for item in rows.indices where state.random.uniform() < rate {
        for position in item * length..<(item + 1) * length {
          conditions.elements[position] = Int32(null)
        }
      }
    }
    return TokenSequences(
      codes: data.codes.codes(rows), conditions: conditions, keeping: config.keepProbability,
      vocabSize: config.model.vocabSize, using: &state.random)
  }

  // MARK: Metrics

  /// The metrics of a step in the order of their columns; losses and entropy in nats.
  private func trainingMetrics(
    _ loss: Float?, _ learningRate: Float, _ tokensPerSecond: Double, _ entropy: Double
  ) -> [Metric] {
    let loss = loss.map { Double($0) }
    return [
      Metric("train/loss", loss), Metric("train/bits_per_token", loss.map { $0 / log(2) }),
      Metric("unigram_entropy", entropy), Metric("learning_rate", Double(learningRate)),
      Metric("tokens_per_second", tokensPerSecond),
      Metric("peak_memory_mib", Double(device.pool.statistics.peak) / 1_048_576),
    ]
  }

  /// Those of a validation, in columns behind them.
  private static func validationMetrics(_ loss: Double, _ entropy: Double) -> [Metric] {
    [
      Metric("val/loss", loss), Metric("val/bits_per_token", loss / log(2)),
      Metric("val/unigram_entropy", entropy),
    ]
  }

  private func isValidated(_ step: Int) -> Bool {
    step > 0 && (step % config.validateEvery == 0 || step == config.steps)
  }

  /// The metrics over evenly spread rows, the same at every validation; `nil` if asked to stop.
  private mutating func validate(
    on data: GPTData, unless shouldStop: () -> Bool
  ) -> [Metric]? {
    let rows = evenRows(Self.validationRows, of: data.codes.count)
    guard
      let loss = trainer.validate(
        data, rows: rows, batchSize: config.batchSize, unless: shouldStop)
    else { return nil }
    validationLoss = loss
    return Self.validationMetrics(loss, data.codes.unigramEntropy)
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
