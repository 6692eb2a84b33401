// How a training command begins, how its loop is watched, and how it ends.
import ArgumentParser
import CommandSupport
import Foundation
import TensorCore
import Training

/// A command that trains, from its options to the loop.
package protocol TrainingCommand: ModelCommand {
  associatedtype Run: CommandRun
  typealias Settings = Run.Settings

  var input: InputPaths { get }
  var training: TrainingOptions { get }
  var runtime: RuntimeOptions { get }
  var profiling: ProfileOption { get }
  var results: ResultOptions { get }

  /// The configuration that a new run on these shards starts from.
  func start(on shards: [String], in environment: Environment) throws -> RunConfig<Settings>
  /// Puts the command's own options that were given into a configuration.
  func change(_ config: inout RunConfig<Settings>) throws
  /// Whether a shard is of the validation split.
  func isHeldOut(_ shard: String) throws -> Bool
  /// What a configuration trains and is validated on, after checking that they fit each other.
  func data(
    of config: RunConfig<Settings>
  ) throws -> (training: Run.Data, validation: Run.Data?)
  /// What the data are, for the note on the run.
  func title(of data: Run.Data, _ config: RunConfig<Settings>) -> String
  /// Further notes on a run; none by default.
  func notes(_ config: RunConfig<Settings>) -> [String]
}

extension TrainingCommand {
  package func notes(_ config: RunConfig<Settings>) -> [String] { [] }

  package func execute() throws {
    let folder = RunFolder(training.out)
    let config = try configuration(in: folder)
    let (device, profile) = profiling.watch(
      try runtime.startComputing(
        precision: config.settings.precision, threads: config.threads,
        on: config.settings.device()))
    if training.estimate {
      try estimate(config, in: folder, on: device)
      if let profile { runtime.console.line(profile.table) }
      return
    }
    let state = try Interruption.telling(
      runtime.console,
      "the checkpoint of step \(folder.steps().last ?? 0) is saved, and --resume goes on from it"
    ) {
      let state = try run(config, in: folder, on: device)
      if state.skipped > 0 {
        runtime.console.warn(
          "\(folder.path): \(state.skipped) of \(state.step) steps were skipped, for something of "
            + "them was not finite")
      }
      if let profile { runtime.console.line(profile.table) }
      try Interruption.throwIfRequested()
      return state
    }
    try results.writer.write(
      TrainedRun(path: folder.path, skippedSteps: state.skipped), text: folder.path)
  }

  /// Trains to the last step or until asked to stop.
  ///
  /// - Returns: the state of the run behind its last step.
  private func run(
    _ config: RunConfig<Settings>, in folder: RunFolder, on device: Device
  ) throws -> TrainingState {
    let (data, validation) = try data(of: config)
    let lock = try lock(folder)
    var run = try Run(config, in: folder, resumed: training.resume, on: device)
    if let validation { try run.check(validation: validation) }
    try store(config, in: folder, at: run.state.step)
    note(run, data, on: device)
    try supervise(from: run.state.step, to: config.steps) {
      try run.train(on: data, validation: validation, $0)
    }
    return withExtendedLifetime(lock) { run.state }
  }

  /// Measures some steps of the run and writes what all of it would take; its folder is left alone.
  private func estimate(
    _ config: RunConfig<Settings>, in folder: RunFolder, on device: Device
  ) throws {
    let (data, validation) = try data(of: config)
    var run = try Run(config, in: folder, resumed: false, on: device)
    if let validation { try run.check(validation: validation) }
    note(run, data, on: device)
    runtime.console.note("measuring for about half a minute")
    Interruption.install()  // a step is ended, and what is written is removed
    guard
      let estimate = try run.estimate(
        on: data, validation: validation, unless: { Interruption.requested })
    else { return }
    try results.writer.write(estimate, text: estimate.text)
  }

  private func note(_ run: Run, _ data: Run.Data, on device: Device) {
    runtime.console.note(
      "\(title(of: data, run.config)), \(run.parameterCount) parameters, on \(device.name), "
        + "from step \(run.state.step) to \(run.config.steps)")
    for note in notes(run.config) { runtime.console.note(note) }
  }

  /// The configuration of the run: a new one, or the stored one with what a resumed run may change.
  ///
  /// - Throws: `RunError`, `ValidationError` for an impossible configuration, and what reading
  ///   shards throws. Nothing has been created then.
  private func configuration(in folder: RunFolder) throws -> RunConfig<Settings> {
    let config = training.resume ? try resumedConfiguration(folder) : try newConfiguration(folder)
    if let problem = config.problem { throw ValidationError("\(problem).") }
    if config.loop.keepBest == true, config.loop.validation.isEmpty {
      throw ValidationError("--keep-best needs shards to validate on: --validation.")
    }
    return config
  }

  private func newConfiguration(_ folder: RunFolder) throws -> RunConfig<Settings> {
    if folder.exists {
      // One that is at work is told as such.
      if !training.estimate { _ = try OutputFolder(folder.path) }
      throw RunError.alreadyARun(path: folder.path)
    }
    try folder.requireNoShards()
    let (shards, validation) = try split(try input.resolve(console: runtime.console))
    let environment = Environment(
      toolVersion: SuiteVersion.current, threads: runtime.threadCount)
    var config = try start(on: shards, in: environment)
    try apply(to: &config)
    (config.shards, config.validation) = (shards, validation)
    return config
  }

  private func resumedConfiguration(_ folder: RunFolder) throws -> RunConfig<Settings> {
    try folder.requireARun()
    try folder.requireItsOwn()
    let stored = try folder.config(RunConfig<Settings>.self)
    var config = stored
    try apply(to: &config)
    if !input.paths.isEmpty {
      (config.shards, config.validation) = try split(try input.resolve(console: runtime.console))
    } else if !training.validation.isEmpty {
      let given = try validationShards()
      if !Set(given).isSubset(of: stored.validation) { config.validation = given }
    }
    try config.requireContinuing(stored, in: folder)
    return config
  }

  /// Puts the options that were given into a configuration, those of the loop last.
  private func apply(to config: inout RunConfig<Settings>) throws {
    try change(&config)
    training.apply(to: &config.loop)
    if let threads = runtime.threads { config.threads = threads }
  }

  /// Shards of the validation split are held out, unless there are no others.
  private func split(_ shards: [String]) throws -> (training: [String], validation: [String]) {
    let bySplit = try Dictionary(grouping: shards, by: isHeldOut)
    let heldOut = bySplit[false] == nil ? [] : bySplit[true] ?? []
    let training = (bySplit[false] ?? shards).map(TrainingOptions.absolute)
    let validation = heldOut.map(TrainingOptions.absolute) + (try validationShards())
    warnOfRepetitions(training, validation)
    return (training, validation)
  }

  private func warnOfRepetitions(_ training: [String], _ validation: [String]) {
    var seen: Set<String> = []
    for shard in training where !seen.insert(shard).inserted {
      runtime.console.warn("\(shard): given twice; it counts twice as much")
    }
    for shard in validation where seen.contains(shard) {
      runtime.console.warn(
        "\(shard): trained on and validated on; the validation will show nothing new")
    }
  }

  private func validationShards() throws -> [String] {
    try InputPaths.shards(training.validation).map(TrainingOptions.absolute)
  }

  /// Locks the folder of the run, and holds on to those in it that belong to the run.
  ///
  /// - Throws: as `RunFolder.hold`.
  private func lock(_ folder: RunFolder) throws -> OutputFolder {
    let lock = try OutputFolder(folder.path)
    try folder.hold()
    return lock
  }

  /// Writes the configuration of a run that can begin or go on at `step`.
  ///
  /// The folder's lock is held; what dead processes have left in it goes.
  ///
  /// - Throws: `ValidationError` when the run is past its last step, `RunError`,
  ///   `DurableFileError`.
  private func store(_ config: RunConfig<Settings>, in folder: RunFolder, at step: Int) throws {
    guard step <= config.steps else {
      throw ValidationError(
        "--steps \(config.steps): the run in \(folder.path) is at step \(step) already.")
    }
    folder.removeAbandoned()
    Interruption.install()  // what is written from here on is not left half done
    if training.resume {
      try folder.requireFree(behind: step, upTo: config.steps)
      noteRate(config, try folder.config(RunConfig<Settings>.self), at: step)
      try folder.update(config: config)
    } else {
      try folder.create(config: config)
    }
  }

  /// Says by how much the learning rate jumps where a schedule ends at another step than before.
  private func noteRate(
    _ config: RunConfig<Settings>, _ stored: RunConfig<Settings>, at step: Int
  ) {
    let old = stored.learningRate(step: step, of: stored.steps)
    let new = config.learningRate(step: step, of: config.steps)
    guard step > 0, step < config.steps, old != new else { return }
    runtime.console.note(
      String(format: "from step %d on the learning rate is %.3g instead of %.3g: ", step, new, old)
        + "the schedule ends at step \(config.learningRate.steps ?? config.steps); --schedule-steps "
        + "\(stored.learningRate.steps ?? stored.steps) leaves it as it was")
  }

  /// Runs the loop beside a progress bar; signals make it save and end.
  private func supervise(
    from step: Int, to steps: Int, _ loop: (TrainingReporter) throws -> Void
  ) throws {
    let console = runtime.console
    let progress = Progress("training", total: steps, from: step, unit: "steps", console: console)
    try loop(
      TrainingReporter(
        step: { progress.advance(note: $0) }, warn: { console.warn($0) },
        shouldStop: { Interruption.requested },
        shouldSave: {
          guard Interruption.takeSaveRequest() else { return false }
          console.note("SIGUSR1: the checkpoint of this step is saved")
          return true
        }))
    progress.finish()
  }
}

/// What `--json` writes of a run that has ended.
private struct TrainedRun: Encodable {
  let path: String
  let skippedSteps: Int

  enum CodingKeys: String, CodingKey {
    case path
    case skippedSteps = "skipped_steps"
  }
}
