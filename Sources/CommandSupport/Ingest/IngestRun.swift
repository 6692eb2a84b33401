import Ingest
import Shards

/// One run of a command that makes shards: plan, tell, write, hand on.
package struct IngestRun {
  private let out: String
  private let options: IngestRunOptions
  private let results: ResultOptions
  private let console: Console
  private let report: IngestConsole

  /// - Parameters:
  ///   - out: folder for the shards.
  ///   - unit: plural of what is looked at while planning, such as "recordings".
  package init(out: String, unit: String, options: IngestRunOptions, results: ResultOptions) {
    self.out = out
    self.options = options
    self.results = results
    console = Console.standardError(quiet: options.quiet)
    report = IngestConsole(console, unit: unit)
  }

  /// Plans, and unless it is a dry run writes the shards and their paths.
  ///
  /// - Parameter plan: makes the plan; told where to show what happens.
  package func callAsFunction(
    plan: (_ progress: (IngestEvent) throws -> Void) throws -> IngestPlan
  ) throws {
    if !options.dryRun { Interruption.install() }
    try Interruption.telling(
      console,
      ShardManifest.exists(in: out) ? "the same command continues at the first missing shard" : nil
    ) {
      try run(plan: plan)
    }
  }

  private func run(
    plan: (_ progress: (IngestEvent) throws -> Void) throws -> IngestPlan
  ) throws {
    let plan = try plan(report.show)
    report.show(plan)
    if options.dryRun {
      report.showSpace(for: plan, at: out)
      return
    }
    let ingest = ShardIngest(
      plan: plan, folder: out, threads: options.threads, policy: options.policy,
      toolVersion: SuiteVersion.current)
    report.begin(samples: plan.samples.count)
    let outcome = try ingest.run(progress: report.show)
    report.show(outcome, out: out)
    try write(outcome, listed: plan.trainingCount > 0 ? .train : .validation)
  }

  /// The shards of one split to stdout, others to stderr; as JSON, all of them to stdout with their
  /// split.
  private func write(_ outcome: IngestOutcome, listed: IngestSplit) throws {
    let writer = results.writer
    for shard in outcome.shards {
      if writer.json {
        try writer.write(ShardLine(shard), text: shard.path)
      } else if shard.split == listed {
        try writer.path(shard.path)
      } else {
        console.note("\(shard.split.rawValue) shard: \(shard.path)")
      }
    }
  }
}

/// What `--json` writes of a shard.
private struct ShardLine: Encodable {
  let path: String
  let split: IngestSplit
  let rows: Int

  init(_ shard: IngestOutcome.Shard) {
    path = shard.path
    split = shard.split
    rows = shard.rows
  }
}
