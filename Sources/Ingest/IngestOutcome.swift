import Shards

/// What a run leaves, the work of earlier runs included.
package struct IngestOutcome: Equatable, Sendable {
  /// A shard under its final name.
  package struct Shard: Equatable, Sendable {
    package var path: String
    package var split: IngestSplit
    package var rows: Int
    package var bytes: Int
  }

  /// All shards, those of the training split first.
  package var shards: [Shard]
  /// Samples that are in no shard, in their order, and behind them what could be none.
  package var skipped: [SkippedSample]
  /// Samples read before, by an earlier run.
  package var earlier: Int
  /// Rows that each written sample became.
  package var rowsPerSample: Int

  /// Rows of all shards.
  package var rows: Int { shards.reduce(0) { $0 + $1.rows } }
  /// Samples written.
  package var written: Int { rows / rowsPerSample }
  /// Samples written and all that was skipped.
  package var read: Int { written + skipped.count }
  /// Size of all shards.
  package var bytes: Int { shards.reduce(0) { $0 + $1.bytes } }
}
