import DurableFiles
import Shards

/// Writes the shards of a plan, continuing at the first that is missing.
///
/// Images are decoded and resized in several threads; the bytes of the shards do not depend on how
/// many.
package struct ShardIngest {
  private let plan: IngestPlan
  private let folder: String
  private let threads: Int
  private let policy: ErrorPolicy
  private let toolVersion: String

  /// A run that has not begun.
  ///
  /// - Parameter folder: is made when it is missing, and locked while the run lasts.
  package init(
    plan: IngestPlan, folder: String, threads: Int, policy: ErrorPolicy = ErrorPolicy(),
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
  /// - Parameter progress: told what happens, in the calling thread; what it throws ends the run,
  ///   and finished shards stay.
  /// - Throws: `IngestError`, `ShardError`, `ImageError` where no file can be opened any more, and
  ///   what `progress` throws.
  package func run(progress: (IngestEvent) throws -> Void) throws -> IngestOutcome {
    let folder = try ShardFolder(folder, plan: plan.shards) { try progress(.checked($0)) }
    try checkSpace(for: folder)
    let earlier = samples(in: folder)
    if earlier > 0 { try progress(.processed(samples: earlier)) }
    try writeUnfinished(in: folder, progress: progress)
    try folder.writeReport(ofInputs: plan.leftOut, surplus: plan.surplus)
    let outcome = outcome(of: folder, earlier: earlier)
    guard outcome.written > 0 else {
      try folder.removeEmptyShards()
      throw IngestError.nothingWritten(folder: self.folder)
    }
    return outcome
  }

  /// Refuses to begin what cannot end: rows that are not compressed have a size that is known.
  private func checkSpace(for folder: ShardFolder) throws {
    guard plan.compression == .none, plan.samples.count > 0 else { return }
    let missing = folder.unfinished.reduce(0) { $0 + $1.samples.count }
    let needed = Int(
      Double(plan.plainBytes) * Double(missing) / Double(plan.samples.count))
    if let free = DurableFile.freeBytes(at: folder.path), free < needed {
      throw IngestError.noSpace(folder: folder.path, needed: needed, free: free)
    }
  }

  /// Samples that finished shards hold or have skipped.
  private func samples(in folder: ShardFolder) -> Int {
    let done = Set(folder.manifest.shards.map(\.name))
    return plan.shards.shards.reduce(0) { $0 + (done.contains($1.name) ? $1.samples.count : 0) }
  }

  /// Writes one shard after the other; while the next is filled, the last is checked and published.
  private func writeUnfinished(
    in folder: ShardFolder, progress: (IngestEvent) throws -> Void
  ) throws {
    let surplus = policy.isChosen ? plan.surplus.count : 0
    var skipped = folder.manifest.shards.reduce(surplus) { $0 + $1.skipped.count }
    var leftOut = folder.manifest.shards.reduce(0) { $0 + ($1.leftOut?.count ?? 0) }
    var closing: ClosingShard?
    var filled: ClosingShard?
    func record(_ shard: inout ClosingShard?) throws {
      guard let complete = shard else { return }
      shard = nil
      try folder.record(
        complete.shard, try complete.finished(), skipped: complete.skipped,
        leftOut: complete.leftOut)
      try progress(.finished(shard: complete.shard.name))
    }
    do {
      for shard in folder.unfinished {
        try folder.begin(shard)
        let next = try fill(
          shard, in: folder, before: (skipped, leftOut), progress: progress)
        skipped += next.skipped.count
        leftOut += next.leftOut.count
        filled = next
        try record(&closing)
        (closing, filled) = (next, nil)
      }
      try record(&closing)
    } catch {
      // A shard that is complete stays, whatever became of another; none is left while its file is
      // being written.
      try? record(&closing)
      try? record(&filled)
      throw error
    }
  }

  /// Reads the samples of a shard and writes their rows.
  private func fill(
    _ shard: PlannedShard, in folder: ShardFolder, before: (skipped: Int, leftOut: Int),
    progress: (IngestEvent) throws -> Void
  ) throws -> ClosingShard {
    let writer = try ImageShardWriter(
      folder.path(of: shard),
      header: plan.header(of: plan.split(of: shard), toolVersion: toolVersion),
      compression: plan.compression, compressesImages: folder.manifest.compressesImages)
    let (plan, encoder) = (plan, writer.encoder)
    let first = shard.samples.lowerBound
    var skipped: [SkippedSample] = []
    var leftOut: [SkippedSample] = []
    var labels: [RowLabels] = []
    var isFull = false
    defer {
      // Told even when the run ends over it.
      if !isFull {
        _ = try? folder.writeReport(
          andOf: (shard, skipped, leftOut), ofInputs: plan.leftOut, surplus: plan.surplus)
      }
    }
    try inOrder(count: shard.samples.count, threads: threads) { index in
      plan.read(first + index, encoder: encoder)
    } consume: { index, outcome in
      switch outcome {
      case .rows(let rows, let faults):
        for (row, itsLabels) in rows {
          try writer.append(row)
          labels.append(itsLabels)
        }
        for fault in faults {
          leftOut.append(SkippedSample(name: plan.samples[first + index].name, reason: fault))
          try policy.check(
            leftOut: before.leftOut + leftOut.count, of: plan.samples.count, reason: fault)
          try progress(.leftOut(reason: fault))
        }
      case .failed(let error):
        throw error
      case .skipped(let sample):
        skipped.append(sample)
        try policy.check(
          skipped: before.skipped + skipped.count, of: plan.inputCount, reason: sample.reason)
      }
      try progress(.processed(samples: 1))
    }
    isFull = true
    if plan.compression == .auto {
      try writer.settleCompression()
      if let compresses = writer.compressesImages { folder.note(compressesImages: compresses) }
    }
    plan.setLabels(labels, of: writer)
    return ClosingShard(shard, writer: writer, skipped: skipped, leftOut: leftOut)
  }

  private func outcome(of folder: ShardFolder, earlier: Int) -> IngestOutcome {
    var outcome = IngestOutcome(
      shards: [], skipped: [], earlier: earlier, rowsPerSample: plan.shards.rowsPerSample)
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
    outcome.skipped += plan.surplus
    return outcome
  }
}
