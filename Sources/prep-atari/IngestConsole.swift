import CommandSupport
import Ingest

/// Tells on stderr what happens; stops the run when a signal asks for it.
final class IngestConsole {
  private let console: Console
  private let began = ContinuousClock.now
  private var planning: Progress?
  private var planned = 0
  private var compared = 0
  private var writing: Progress?

  init(_ console: Console) { self.console = console }

  /// Shows an event.
  ///
  /// - Throws: `Interrupted` once a signal has asked to stop.
  func show(_ event: IngestEvent) throws {
    try Interruption.throwIfRequested()
    switch event {
    case .planned(let episodes, let count):
      let progress =
        planning ?? Progress("planning", total: count, unit: "recordings", console: console)
      planning = progress
      progress.advance(by: episodes - planned)
      planned = episodes
    case .compared(let pictures):
      compared += pictures
      planning?.advance(by: 0, note: "\(compared) pictures compared")
    case .processed(let samples):
      writing?.advance(by: samples)
    case .finished(let shard):
      writing?.advance(by: 0, note: shard)
    }
  }

  /// Says what a plan will do.
  func show(_ plan: AtariPlan) {
    planning?.finish()
    planning = nil
    let recipe = plan.options.recipe
    let count = plan.shards.shards.count
    let files = count == 1 ? "1 shard" : "\(count) shards"
    var line =
      "\(plan.episodes.count) recordings, \(plan.trainingCount) samples for training, "
      + "\(plan.samples.count - plan.trainingCount) for validation; \(files) of "
      + "\(recipe.storedWidth)x\(recipe.storedHeight) pictures, "
      + "\(Self.size(plan.pixelBytes)) before compression"
    if plan.duplicates > 0 { line += "; \(plan.duplicates) duplicate frames left out" }
    console.note(line)
  }

  /// Starts the bar of the main work.
  func begin(samples: Int) {
    writing = Progress("reading", total: samples, unit: "pictures", console: console)
  }

  /// The table at the end, with the first bad samples.
  func show(_ outcome: IngestOutcome, out: String) {
    writing?.finish()
    let seconds = (ContinuousClock.now - began) / .seconds(1)
    let new = outcome.read - outcome.earlier
    console.note(
      "read \(outcome.read), written \(outcome.written), skipped \(outcome.skipped.count)"
        + (outcome.earlier > 0 ? " (\(outcome.earlier) by an earlier run)" : "")
        + "; \(outcome.shards.count) shards, \(Self.size(outcome.bytes)), "
        + "\(Progress.duration(seconds)), \(Progress.rate(Double(new) / max(seconds, 1e-3))) pictures/s"
    )
    guard !outcome.skipped.isEmpty else { return }
    for sample in outcome.skipped.prefix(10) { console.warn("\(sample.name): \(sample.reason)") }
    let more = outcome.skipped.count - 10
    console.warn(
      (more > 0 ? "and \(more) more; " : "") + "all skipped samples are in \(out)/skipped.jsonl")
  }

  /// Megabytes of 10⁶ bytes, to one decimal.
  private static func size(_ bytes: Int) -> String {
    let tenths = (bytes + 50_000) / 100_000
    return "\(tenths / 10).\(tenths % 10) MB"
  }
}
