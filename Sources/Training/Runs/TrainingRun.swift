// What the training runs of all models share: saving, and steps that are not finite.

/// A training run in its folder.
protocol TrainingRun: CommandRun {
  var folder: RunFolder { get }
  var state: TrainingState { get set }
  /// The state behind the last step that was not skipped, once one is.
  var lastTaken: TrainingState? { get set }

  /// What the rows of a step hold that no interval asks for: a run has it at its last step alone.
  func surplus(at step: Int) -> [MetricsPart]
  /// What of a step on a small input is not finite with the present weights; nil if all is.
  var notFiniteOnTrial: NotFinite? { get }
  /// Writes a checkpoint's files into a folder.
  func write(_ state: TrainingState, in folder: String) throws

  /// The first steps, counted from 0, of the phases in which all steps cost the same.
  var phases: [Int] { get }
  /// Takes steps of a new run, each at the cost of the given one, while `goesOn` says so.
  ///
  /// - Throws: `NotFinite`, and what reading the data throws.
  mutating func probe(_ data: Data, at step: Int, while goesOn: () -> Bool) throws
  /// Adds to an estimate what the run does between its steps beside saving.
  mutating func probeInterludes(
    _ data: Data, validation: Data?, _ estimate: inout TrainingEstimate,
    unless shouldStop: @escaping () -> Bool
  ) throws
}

extension TrainingRun {
  /// Saves the present state, and removes what is then too old.
  ///
  /// - Throws: as `RunFolder.saveCheckpoint`; `RunError.notFinite` also for weights that cannot be
  ///   computed with.
  func save(_ log: MetricsLog) throws {
    if let problem = notFiniteOnTrial { throw unusable("with its weights \(problem.what)") }
    try log.sync()
    var state = state
    state.metricsRows = log.count(upTo: state.step)
    state.metrics = log.digest(upTo: state.step)
    state.ending = ending(log)
    let external = try folder.saveCheckpoint(
      step: state.step, keeping: config.keepCheckpoints, best: try best(log),
      besides: try bestBefore(log)
    ) {
      try write(state, in: $0)
    }
    warn(of: external, log)
  }

  private func warn(of external: [String], _ log: MetricsLog) {
    for path in external {
      log.warnOnce("\(path): none of a run's files; the old checkpoint stays, for it would go too")
    }
  }

  private func ending(_ log: MetricsLog) -> TrainingState.Ending? {
    let parts = state.step == config.steps ? surplus(at: state.step) : []
    if parts.isEmpty { return nil }
    return TrainingState.Ending(
      parts: parts,
      metrics: log.digest(upTo: state.step, withLast: !parts.contains(.step)))
  }

  /// What the checkpoint that the run goes on from knows of the rows of `metrics.csv`.
  ///
  /// What was written only because a run ended there leaves when it goes on after all: it then has
  /// the rows of a run that never ended there.
  var knownRows: MetricsLog.KnownRows {
    var known = MetricsLog.KnownRows()
    (known.count, known.digest) = (state.metricsRows, state.metrics)
    guard let ending = state.ending, state.step < config.steps else { return known }
    // The intervals may be others now.
    let surplus = surplus(at: state.step)
    known.leaving = ending.parts.filter(surplus.contains)
    if known.leaving.contains(.step) {
      known.count = known.count.map { $0 - 1 }
      known.digest = ending.metrics
    }
    return known
  }

  /// Does for a run that has ended what a save does behind its checkpoint.
  func settle(_ log: MetricsLog) throws {
    guard state.step == config.steps else { return }
    let external = try folder.settle(
      at: state.step, keeping: config.keepCheckpoints, best: try best(log),
      besides: try bestBefore(log))
    warn(of: external, log)
  }

  /// The step of the lowest validation loss of this one and of those that have a checkpoint; nil
  /// where the best is not kept.
  func best(_ log: MetricsLog) throws -> Int? {
    guard config.keepBest == true else { return nil }
    return log.lowest(among: Set(try folder.listedSteps()).union([state.step]))
  }

  /// The best one before a last step that is validated only as such: the best again if the run goes
  /// on; nil otherwise.
  private func bestBefore(_ log: MetricsLog) throws -> Int? {
    guard config.keepBest == true, state.step == config.steps,
      surplus(at: state.step).contains(.validation)
    else { return nil }
    return log.lowest(among: Set(try folder.listedSteps()).subtracting([state.step]))
  }

  /// Refuses weights with which a validation is not finite: they are not saved.
  ///
  /// - Throws: `RunError.notFinite`.
  func requireFinite(validationLoss: Double?) throws {
    if validationLoss?.isFinite == false { throw unusable("the validation loss") }
  }

  /// That the present weights cannot be computed with; the newest checkpoint of others is named.
  ///
  /// - Parameter step: in which it was found; nil for the present one.
  private func unusable(_ what: String, in step: Int? = nil) -> RunError {
    folder.notFinite(
      what, at: step ?? state.step,
      last: folder.steps().last { $0 < state.step - state.skippedInARow })
  }

  /// Counts a step that is not finite as skipped.
  ///
  /// - Parameter before: the state that the batches of the step began at.
  /// - Throws: `RunError.notFinite` where such a step ends the run, `onlySkipped` behind too many;
  ///   the last state that is good is saved then. Weights with which no step can be taken end the
  ///   run at once, and are not saved: it is no batch.
  mutating func skip(
    _ problem: NotFinite, from before: TrainingState, _ log: MetricsLog,
    _ reporter: TrainingReporter
  ) throws {
    let step = state.step
    let isOfWeights = notFiniteOnTrial != nil
    guard config.onNonfinite == .skip, !isOfWeights else {
      state = before
      if isOfWeights { throw unusable(problem.what, in: step) }
      if state.step > 0, !folder.steps().contains(state.step) { try save(log) }
      let last = folder.steps().last
      throw folder.notFinite(problem.what, at: step, last: last, canSkip: last != nil)
    }
    reporter.warn("step \(state.step): \(problem.what) is not finite; the step is skipped")
    if state.skippedInARow == 0 { lastTaken = before }
    state.countSkipped()
    guard state.hasSkippedTooMuch(of: config.steps) else { return }
    let skipped = state
    if let lastTaken, folder.hasNothing(since: lastTaken) {
      state = lastTaken
      try save(log)
    }
    throw folder.onlySkipped(problem.what, until: skipped)
  }
}
