import DurableFiles
import Shards

/// Writes the shards of a plan, continuing at the first that is missing.
///
/// Pictures are decoded and resized in several threads; the bytes of the shards do not depend on how many.
package struct AtariIngest {
  private let plan: AtariPlan
  private let folder: String
  private let threads: Int
  private let policy: ErrorPolicy
  private let toolVersion: String

  /// A run that has not begun.
  ///
  /// - Parameter folder: is made when it is missing, and locked while the run lasts.
  package init(
    plan: AtariPlan, folder: String, threads: Int, policy: ErrorPolicy = ErrorPolicy(),
    toolVersion: String
  ) {
    self.plan = plan
    self.folder = folder
    self.threads = threads
    self.policy = policy
    self.toolVersion = toolVersion
  }

  /// Writes what is missing, then `skipped.jsonl`.
  ///
  /// - Parameter progress: told what happens, in the calling thread; what it throws ends the run, and finished shards stay.
  /// - Throws: `IngestError`, and what `progress` throws.
  package func run(progress: (IngestEvent) throws -> Void) throws -> IngestOutcome {
    do {
      try refuseForeignShards()
      let folder = try ShardFolder(folder, plan: plan.shards)
      let earlier = folder.manifest.shards.reduce(0) { $0 + $1.rows + $1.skipped.count }
      if earlier > 0 { try progress(.processed(samples: earlier)) }
      for shard in folder.unfinished {
        try write(shard, in: folder, progress: progress)
        try progress(.finished(shard: shard.name))
      }
      try folder.writeReport()
      let outcome = outcome(of: folder, earlier: earlier)
      guard outcome.written > 0 else {
        throw IngestError.noSamples(path: self.folder, split: IngestSplit.train.rawValue)
      }
      return outcome
    } catch let error as ShardError {
      throw IngestError.shard(error)
    }
  }

  /// Refuses to write over files of which no manifest tells anything.
  private func refuseForeignShards() throws {
    guard try ShardManifest.read(in: folder) == nil else { return }
    for shard in plan.shards.shards where DurableFile.exists("\(folder)/\(shard.name)") {
      throw IngestError.foreignShard(path: "\(folder)/\(shard.name)")
    }
  }

  private func write(
    _ shard: PlannedShard, in folder: ShardFolder, progress: (IngestEvent) throws -> Void
  ) throws {
    let recipe = plan.options.recipe
    let writer = try ImageShardWriter(
      folder.path(of: shard),
      header: ImageShardHeader(
        height: recipe.storedHeight, width: recipe.storedWidth,
        source: "atari-grand-challenge/\(plan.options.game)",
        split: plan.split(of: shard).rawValue,
        preprocessing: AtariPreprocessing(plan.options).json, toolVersion: toolVersion),
      compression: plan.options.compression)
    let reader = AtariSampleReader(plan: plan, encoder: writer.encoder)
    let samples = plan.samples[shard.rows]
    let before = folder.manifest.shards.reduce(0) { $0 + $1.skipped.count }
    var skipped: [SkippedSample] = []
    var labels: [AtariLabels] = []
    try inOrder(count: samples.count, threads: threads) { index in
      reader.read(samples[shard.rows.lowerBound + index])
    } consume: { _, result in
      switch result {
      case .row(let row, let itsLabels):
        try writer.append(row)
        labels.append(itsLabels)
      case .skipped(let sample):
        skipped.append(sample)
        try policy.check(
          skipped: before + skipped.count, of: plan.samples.count, reason: sample.reason)
      }
      try progress(.processed(samples: 1))
    }
    for (name, column) in labels.columns { writer.setLabels(name, column) }
    try folder.record(shard, try writer.finish(), skipped: skipped)
  }

  private func outcome(of folder: ShardFolder, earlier: Int) -> IngestOutcome {
    var outcome = IngestOutcome(shards: [], skipped: [], earlier: earlier)
    for shard in plan.shards.shards {
      guard let entry = folder.manifest.shards.first(where: { $0.name == shard.name }) else {
        preconditionFailure("\(shard.name) is not in the manifest of a finished run")
      }
      outcome.shards.append(
        IngestOutcome.Shard(
          path: folder.path(of: shard), split: plan.split(of: shard), rows: entry.rows,
          bytes: entry.bytes))
      outcome.skipped += entry.skipped
    }
    return outcome
  }
}
