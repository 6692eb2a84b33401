import DurableFiles
import Foundation

/// A folder into which a plan's shards are written, by one process at a time.
///
/// ```swift
/// let folder = try ShardFolder("shards", plan: plan)
/// for shard in folder.unfinished {
///   let writer = try ImageShardWriter(folder.path(of: shard), header: header, compression: .auto)
///   ...
///   try folder.record(shard, try writer.finish(), skipped: skipped)
/// }
/// try folder.writeReport()
/// ```
package final class ShardFolder {
  package let path: String
  package let plan: ShardPlan
  package private(set) var manifest: ShardManifest
  private let lock: FolderLock

  static let reportName = "skipped.jsonl"

  /// Takes the folder's lock and finds out what is done already.
  ///
  /// A folder in which a run has ended before its first shard takes any plan.
  ///
  /// - Throws: `externalShard` where a file stands in a shard's position that no manifest tells of;
  ///   `optionsDiffer` when the folder holds shards of another plan; `file(.busy)` when another
  ///   process writes there; `file(.cannotCreate)`, `malformed`.
  package init(_ path: String, plan: ShardPlan) throws(ShardError) {
    do throws(DurableFileError) {
      lock = try FolderLock(folder: path)
    } catch {
      throw .file(error)
    }
    if let found = try ShardManifest.read(in: path), found.plan == plan.hash || !found.isEmpty(path)
    {
      try Self.compare(found, with: plan, in: path)
      manifest = found
      // A file that is gone or was cut is made again.
      manifest.shards.removeAll { Self.bytes(of: "\(path)/\($0.name)") != $0.bytes }
    } else {
      for shard in plan.shards where DurableFile.exists("\(path)/\(shard.name)") {
        throw .externalShard(path: "\(path)/\(shard.name)")
      }
      manifest = ShardManifest(plan)
      try manifest.write(in: path)
    }
    DurableFile.removeAbandoned(in: path)
    self.path = path
    self.plan = plan
  }

  /// The shards that are still to be made, in order.
  package var unfinished: [PlannedShard] {
    let done = Set(manifest.shards.map(\.name))
    return plan.shards.filter { !done.contains($0.name) }
  }

  /// The finished shards' paths, in order.
  package var finishedPaths: [String] {
    let done = Set(manifest.shards.map(\.name))
    return plan.shards.filter { done.contains($0.name) }.map { self.path(of: $0) }
  }

  /// Where a shard belongs.
  package func path(of shard: PlannedShard) -> String { "\(path)/\(shard.name)" }

  /// Notes a shard that has just been published.
  ///
  /// - Parameter skipped: the samples of the plan that are not in it.
  package func record(
    _ shard: PlannedShard, _ finished: FinishedShard, skipped: [SkippedSample]
  ) throws(ShardError) {
    precondition(
      finished.rows == (shard.samples.count - skipped.count) * plan.rowsPerSample,
      "\(shard.name): \(finished.rows) rows, \(skipped.count) skipped of \(shard.samples.count) samples"
    )
    manifest.shards.removeAll { $0.name == shard.name }
    manifest.shards.append(
      ShardManifest.Entry(
        name: shard.name, rows: finished.rows, bytes: finished.bytes, crc32c: finished.crc32c,
        sha256: finished.sha256, skipped: skipped))
    manifest.shards.sort { $0.name < $1.name }
    try manifest.write(in: path)
  }

  /// Takes back the shards, of which none holds a row.
  package func removeEmptyShards() throws(ShardError) {
    precondition(manifest.shards.allSatisfy { $0.rows == 0 }, "\(path): a shard has rows")
    let names = manifest.shards.map(\.name)
    manifest.shards = []
    try manifest.write(in: path)
    for name in names { DurableFile.remove("\(path)/\(name)") }
  }

  /// Remembers whether `auto` compresses images; written with the next finished shard.
  package func note(compressesImages: Bool) { manifest.compressesImages = compressesImages }

  /// Writes `skipped.jsonl`: one JSON object for every skipped sample, with its shard, name and
  /// reason.
  ///
  /// - Returns: how many there are.
  @discardableResult
  package func writeReport(
    andOf unfinished: PlannedShard? = nil, _ skipped: [SkippedSample] = []
  ) throws(ShardError) -> Int {
    struct Line: Encodable {
      let shard, name, reason: String
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var bytes: [UInt8] = []
    var count = 0
    let finished = manifest.shards.map { (name: $0.name, skipped: $0.skipped) }
    for shard in finished + (unfinished.map { [(name: $0.name, skipped: skipped)] } ?? []) {
      for sample in shard.skipped {
        let line = Line(shard: shard.name, name: sample.name, reason: sample.reason)
        guard let json = try? encoder.encode(line) else {
          preconditionFailure("a line of the report holds only texts")
        }
        bytes += json + [0x0A]
        count += 1
      }
    }
    do throws(DurableFileError) {
      try DurableFile.write(bytes, to: "\(path)/\(Self.reportName)")
    } catch {
      throw .file(error)
    }
    return count
  }

  /// Refuses to mix shards of two plans, naming the option that differs.
  private static func compare(
    _ found: ShardManifest, with plan: ShardPlan, in path: String
  ) throws(ShardError) {
    guard found.plan != plan.hash else { return }
    let names = Set(found.options.keys).union(plan.options.keys).sorted()
    for name in names where found.options[name] != plan.options[name] {
      throw .optionsDiffer(
        path: path, option: name, found: found.options[name] ?? "(not set)",
        expected: plan.options[name] ?? "(not set)")
    }
    throw .optionsDiffer(
      path: path, option: "the plan of the shards", found: "\(found.planned) shards",
      expected: "\(plan.shards.count) shards")
  }

  private static func bytes(of path: String) -> Int? {
    (try? RawFile(path))?.count
  }
}
