// Dreams in a code shard, which other commands read as they read recordings.
import Models
import Shards

extension Dream {
  /// Writes the imagined images of dreams, up to the end of each, with actions, rewards and ends.
  ///
  /// A reward is -1, 0 or 1; a dream is a trajectory, its start the frame 0, which is not in it.
  ///
  /// - Returns: rows written; without any there is no shard.
  /// - Throws: `ShardError`.
  package static func write(
    _ dreams: [Dream], of grid: CodeGrid, actions: Int, downsampling: Int, toolVersion: String,
    to path: String
  ) throws(ShardError) -> Int {
    let rows = dreams.flatMap { dream in (0..<dream.length).map { (dream: dream, step: $0 + 1) } }
    if rows.isEmpty { return 0 }
    let writer = try CodeShardWriter(
      path,
      header: CodeShardHeader(
        grid: grid, sourceShards: [], source: "dream", split: "samples",
        toolVersion: toolVersion, downsampling: downsampling))
    for (dream, step) in rows {
      writer.append(
        dream.images[step - 1], id: Int64(dream.number) << 32 | Int64(step),
        name: "dream/\(dream.number)/\(step)")
    }
    let chosen = rows.map { $0.dream.actions[$0.step] }
    writer.setLabels("trajectory", .int64(rows.map { Int64($0.dream.number) }))
    writer.setLabels("frame", .int64(rows.map { Int64($0.step) }))
    writer.setLabels(
      "action", actions <= 256 ? .uint8(chosen.map { UInt8($0) }) : .int32(chosen))
    writer.setLabels("reward", .int64(rows.map { Int64($0.dream.rewards[$0.step] - 1) }))
    writer.setLabels("terminal", .bool(rows.map { $0.dream.ends[$0.step] }))
    try writer.finish()
    return rows.count
  }
}
