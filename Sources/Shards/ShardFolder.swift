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
  static let leftOutName = "left-out.jsonl"

  /// Takes the folder's lock and finds out what is done already.
  ///
  /// A folder in which a run has ended before its first shard takes any plan.
  ///
  /// - Parameters:
  ///   - sources: shards that are read, which must lie elsewhere.
  ///   - checking: told of the finished shards, which are compared with their SHA-256; what it
  ///     throws ends that.
  /// - Throws: `holdsSources`, `otherShards`; `externalShard` where there is a file of a shard's or
  ///   a report's name that no manifest lists; `optionsDiffer` when the folder holds shards of
  ///   another plan; `file(.busy)` when another process writes there; `file(.cannotCreate)`,
  ///   `malformed`; what `checking` throws.
  package init(
    _ path: String, plan: ShardPlan, sources: [String] = [],
    checking: (ShardCheck) throws -> Void = { _ in }
  ) throws {
    if let real = DurableFile.realPath(path),
      sources.contains(where: { DurableFile.realPath(DurableFile.folder(of: $0)) == real })
    {
      throw ShardError.holdsSources(path: path)
    }
    do throws(DurableFileError) {
      lock = try FolderLock(folder: path)
    } catch {
      throw ShardError.file(error)
    }
    let found = try ShardManifest.read(in: path)
    let plan = plan.begun(with: found?.options)
    if let found, try found.plan == plan.hash ? true : !found.isEmpty(path) {
      try Self.compare(found, with: plan, in: path)
      manifest = found
      // A file that is gone, was cut or was changed is made again.
      manifest.shards = try found.whole(in: path, checking)
      let ours = Set(found.shards.map(\.name)).union(found.begun ?? [])
      try Self.refuse(plan.shards.map(\.name).filter { !ours.contains($0) }, in: path)
    } else {
      var names = plan.shards.map(\.name)
      if found == nil { names += [Self.reportName, Self.leftOutName] }
      try Self.refuse(names, in: path)
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

  /// Notes that a shard will be written: a file of its name is ours from now on.
  package func begin(_ shard: PlannedShard) throws(ShardError) {
    manifest.begun = (manifest.begun ?? []) + [shard.name]
    try manifest.write(in: path)
  }

  private static func refuse(_ names: [String], in path: String) throws(ShardError) {
    for name in names where DurableFile.exists("\(path)/\(name)") {
      throw .externalShard(path: "\(path)/\(name)")
    }
  }

  /// Notes a shard that has just been published.
  ///
  /// - Parameters:
  ///   - skipped: the samples of the plan that are not in it.
  ///   - leftOut: parts that its samples lack.
  package func record(
    _ shard: PlannedShard, _ finished: FinishedShard, skipped: [SkippedSample],
    leftOut: [SkippedSample] = []
  ) throws(ShardError) {
    precondition(
      finished.rows == (shard.samples.count - skipped.count) * plan.rowsPerSample,
      "\(shard.name): \(finished.rows) rows, \(skipped.count) skipped of \(shard.samples.count) samples"
    )
    manifest.shards.removeAll { $0.name == shard.name }
    manifest.shards.append(
      ShardManifest.Entry(
        name: shard.name, rows: finished.rows, bytes: finished.bytes, crc32c: finished.crc32c,
        sha256: finished.sha256, skipped: skipped, leftOut: leftOut.isEmpty ? nil : leftOut))
    manifest.begun?.removeAll { $0 == shard.name }
    if manifest.begun == [] { manifest.begun = nil }
    manifest.shards.sort { $0.name < $1.name }
    try manifest.write(in: path)
  }

  /// Takes back the shards, of which none holds a row.
  package func removeEmptyShards() throws(ShardError) {
    precondition(manifest.shards.allSatisfy { $0.rows == 0 }, "\(path): a shard has rows")
    let names = manifest.shards.map(\.name)
    // Ours until they are gone: the next run removes what a death leaves of them.
    (manifest.shards, manifest.begun) = ([], names)
    try manifest.write(in: path)
    for name in names { DurableFile.remove("\(path)/\(name)") }
    manifest.begun = nil
    try manifest.write(in: path)
  }

  /// Remembers whether `auto` compresses images; written with the next finished shard.
  package func note(compressesImages: Bool) { manifest.compressesImages = compressesImages }

  /// Writes `skipped.jsonl`, one JSON object for every skipped sample with its shard, name and
  /// reason, and likewise `left-out.jsonl` for parts that samples lack, where there are any.
  ///
  /// - Parameters:
  ///   - unfinished: a shard that is not complete, with what is known of it.
  ///   - ofInputs: what was left out of the inputs before any sample was read.
  ///   - surplus: what was skipped of the inputs, without a shard that it would be in.
  /// - Returns: how many skipped samples there are.
  @discardableResult
  package func writeReport(
    andOf unfinished: (shard: PlannedShard, skipped: [SkippedSample], leftOut: [SkippedSample])? =
      nil, ofInputs: [String] = [], surplus: [SkippedSample] = []
  ) throws(ShardError) -> Int {
    var skipped: [ReportLine] = []
    var leftOut = ofInputs.map { ReportLine(shard: nil, name: nil, reason: $0) }
    func add(_ shard: String, _ some: [SkippedSample], _ parts: [SkippedSample]) {
      skipped += some.map { ReportLine(shard: shard, name: $0.name, reason: $0.reason) }
      leftOut += parts.map { ReportLine(shard: shard, name: $0.name, reason: $0.reason) }
    }
    for entry in manifest.shards { add(entry.name, entry.skipped, entry.leftOut ?? []) }
    if let (shard, some, parts) = unfinished { add(shard.name, some, parts) }
    skipped += surplus.map { ReportLine(shard: nil, name: $0.name, reason: $0.reason) }
    try write(skipped, to: Self.reportName)
    if !leftOut.isEmpty || DurableFile.exists("\(path)/\(Self.leftOutName)") {
      try write(leftOut, to: Self.leftOutName)
    }
    return skipped.count
  }

  private struct ReportLine: Encodable {
    let shard, name: String?
    let reason: String
  }

  private func write(_ lines: [ReportLine], to name: String) throws(ShardError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var bytes: [UInt8] = []
    for line in lines {
      guard let json = try? encoder.encode(line) else {
        preconditionFailure("a line of the report holds only texts")
      }
      bytes += json + [0x0A]
    }
    do throws(DurableFileError) {
      try DurableFile.write(bytes, to: "\(path)/\(name)")
    } catch {
      throw .file(error)
    }
  }

  /// Refuses to mix shards of two plans, naming the option that differs.
  private static func compare(
    _ found: ShardManifest, with plan: ShardPlan, in path: String
  ) throws(ShardError) {
    guard found.plan != plan.hash else { return }
    let (ofFound, ofPlan) = (found.options.keys, plan.options.keys)
    if Set(ofFound).intersection(ofPlan).isSubset(of: ["inputs"]), ofFound.count > 1,
      ofPlan.count > 1
    {
      throw .otherShards(path: path)
    }
    let names = Set(found.options.keys).union(plan.options.keys).sorted()
    for name in names where found.options[name] != plan.options[name] {
      throw .optionsDiffer(
        path: path, option: name, found: found.options[name] ?? "(not set)",
        expected: plan.options[name] ?? "(not set)")
    }
    throw .optionsDiffer(
      path: path, option: "plan", found: "\(found.planned) shards, SHA-256 \(found.plan)",
      expected: "\(plan.shards.count) shards, SHA-256 \(plan.hash)")
  }
}
