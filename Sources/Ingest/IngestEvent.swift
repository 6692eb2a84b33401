import Shards

/// What a run tells while it works.
package enum IngestEvent: Equatable, Sendable {
  /// Recordings or images looked at so far while planning.
  case planned(items: Int, of: Int)
  /// Images compared with the one before them.
  case compared(images: Int)
  /// Bytes of a text file read so far.
  case read(file: String, bytes: Int, of: Int)
  /// A part of a sample that could not be used; the sample is written without it.
  case leftOut(reason: String)
  /// What became of the shards of an earlier run.
  case checked(ShardCheck)
  /// Samples written or skipped.
  case processed(samples: Int)
  /// A shard that this run has completed.
  case finished(shard: String)
}
