/// What a run tells while it works.
package enum IngestEvent: Equatable, Sendable {
  /// Recordings read so far while planning.
  case planned(episodes: Int, of: Int)
  /// Pictures compared with the one before them.
  case compared(pictures: Int)
  /// Samples written or skipped.
  case processed(samples: Int)
  /// A shard that this run has completed.
  case finished(shard: String)
}
