import DurableFiles
import Ingest

/// Tells on stderr what happens while shards are made; stops the run when a signal asks for it.
package final class IngestConsole {
  private let console: Console
  /// Plural of what is looked at while planning.
  private let unit: String
  private let began = ContinuousClock.now
  private let checking: ShardCheckConsole
  private var planning: Progress?
  private var planned = 0
  private var compared = 0
  private var reading: (file: String, progress: Progress, megabytes: Int)?
  private var writing: Progress?
  private var leftOut = 0
  /// Whether the report lists anything of the inputs.
  private var inputsLackParts = false

  /// - Parameter unit: plural of what is looked at while planning, such as "recordings".
  package init(_ console: Console, unit: String) {
    self.console = console
    self.unit = unit
    checking = ShardCheckConsole(console)
  }

  /// Shows an event.
  ///
  /// - Throws: `Interrupted` once a signal has asked to stop.
  package func show(_ event: IngestEvent) throws {
    try Interruption.throwIfRequested()
    switch event {
    case .planned(let items, let count):
      reading = nil
      let progress = planning ?? Progress("planning", total: count, unit: unit, console: console)
      planning = progress
      progress.advance(by: items - planned)
      planned = items
    case .compared(let images):
      compared += images
      planning?.advance(by: 0, note: "\(compared) images compared")
    case .read(let file, let bytes, let count):
      show(bytes: bytes, of: count, file: file)
    case .leftOut(let reason):
      leftOut += 1
      if leftOut <= 10 { console.warn("left out: \(reason)") }
    case .checked(let check):
      try checking.show(check)
    case .processed(let samples):
      writing?.advance(by: samples)
    case .finished(let shard):
      writing?.advance(by: 0, note: shard)
    }
  }

  private func show(bytes: Int, of count: Int, file: String) {
    if reading?.file != file {
      reading?.progress.finish()
      reading = (
        file, Progress("reading \(file)", total: count / 1_000_000, unit: "MB", console: console), 0
      )
    }
    let megabytes = bytes / 1_000_000
    reading?.progress.advance(by: megabytes - (reading?.megabytes ?? 0))
    reading?.megabytes = megabytes
  }

  /// Says what a plan will do.
  package func show(_ plan: IngestPlan) {
    reading = nil
    planning?.finish()
    planning = nil
    for warning in plan.warnings { console.warn(warning) }
    inputsLackParts = !plan.leftOut.isEmpty
    console.note("\(plan.summary), \(Self.size(plan.plainBytes)) before compression")
  }

  /// Says whether the disk has room for what a dry run would write.
  package func showSpace(for plan: IngestPlan, at folder: String) {
    guard let free = DurableFile.freeBytes(at: folder) else { return }
    console.note("\(folder): \(Self.size(free)) free")
    if free < plan.plainBytes {
      console.warn("\(folder): the disk may be too small, unless compression saves enough")
    }
  }

  /// Starts the bar of the main work.
  package func begin(samples: Int) {
    writing = Progress("reading", total: samples, unit: "images", console: console)
  }

  /// The table at the end, with the first bad samples.
  package func show(_ outcome: IngestOutcome, out: String) {
    writing?.finish()
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    let new = outcome.read - outcome.earlier
    console.note(
      "read \(outcome.read), written \(outcome.written), skipped \(outcome.skipped.count)"
        + (outcome.rowsPerSample > 1 ? ", \(outcome.rows) rows" : "")
        + (outcome.earlier > 0 ? " (\(outcome.earlier) by an earlier run)" : "")
        + "; \(outcome.shards.count) shard\(outcome.shards.count == 1 ? "" : "s"), "
        + "\(Self.size(outcome.bytes)), "
        + "\(Progress.duration(seconds)), \(Progress.rate(Double(new) / max(seconds, 1e-3))) images/s"
    )
    if leftOut > 10 { console.warn("\(leftOut) parts of samples were left out in all") }
    if leftOut > 0 || inputsLackParts {
      console.warn("what was left out is listed in \(out)/left-out.jsonl")
    }
    guard !outcome.skipped.isEmpty else { return }
    for sample in outcome.skipped.prefix(10) { console.warn("\(sample.name): \(sample.reason)") }
    let more = outcome.skipped.count - 10
    console.warn(
      (more > 0 ? "and \(more) more; " : "") + "all skipped samples are in \(out)/skipped.jsonl")
  }

  /// Megabytes of 10⁶ bytes, to one decimal.
  private static func size(_ bytes: Int) -> String {
    let tenths = bytes / 100_000 + (bytes % 100_000 + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10) MB"
  }
}
