import Platform
import Shards

/// A shard that has all its rows, being checked and published in a thread of its own.
///
/// Sendable because that thread alone uses the writer once it is begun, and joining it orders the
/// access to the result.
final class ClosingShard: @unchecked Sendable {
  let shard: PlannedShard
  /// Samples of the plan that are not in it.
  let skipped: [SkippedSample]
  /// Parts that its samples lack.
  let leftOut: [SkippedSample]
  private var thread: WorkerThread?
  private var writer: ImageShardWriter?
  private var result: Result<FinishedShard, ShardError>?

  /// - Parameter writer: is finished by this; nobody else may use it any more.
  init(
    _ shard: PlannedShard, writer: ImageShardWriter, skipped: [SkippedSample],
    leftOut: [SkippedSample]
  ) {
    self.shard = shard
    self.skipped = skipped
    self.leftOut = leftOut
    self.writer = writer
    thread = WorkerThread { self.finish() }
    if thread == nil { finish() }
  }

  private func finish() {
    result = writer.map { writer in Result { () throws(ShardError) in try writer.finish() } }
    // What is unfinished is gone before anybody learns of the failure and ends the process.
    writer = nil
  }

  /// Waits until the shard stands under its name.
  ///
  /// - Throws: `ShardError`; then there is no such file.
  func finished() throws(ShardError) -> FinishedShard {
    thread?.join()
    thread = nil
    guard let result else { preconditionFailure("\(shard.name) was waited for") }
    return try result.get()
  }
}
