import DurableFiles

/// What a folder of shards holds, compared with its manifest.
package struct FolderVerification: Sendable {
  package let path: String
  /// In the order of the manifest; empty for a folder as it was left.
  package let findings: [ShardError]

  /// Hashes every shard that the manifest names; a folder without one is as it is.
  ///
  /// - Parameter isPartial: whether shards that are not made yet may be absent.
  package init(_ path: String, isPartial: Bool) {
    self.path = path
    var findings: [ShardError] = []
    do throws(ShardError) {
      if let manifest = try ShardManifest.read(in: path) {
        findings = Self.compare(path, with: manifest)
        if !isPartial, !manifest.isComplete {
          findings.append(
            .unfinished(path: path, finished: manifest.shards.count, planned: manifest.planned))
        }
      }
    } catch {
      findings = [error]
    }
    self.findings = findings
  }

  private static func compare(_ folder: String, with manifest: ShardManifest) -> [ShardError] {
    var findings: [ShardError] = []
    var listed: Set<String> = []
    for entry in manifest.shards {
      listed.insert(entry.name)
      let path = "\(folder)/\(entry.name)"
      do throws(ShardError) {
        let file = try RawFile(path)
        // Manifests of earlier versions hold no SHA-256.
        let found = entry.sha256 == nil ? nil : try file.sha256()
        let crc = entry.sha256 == nil ? try crc32c(of: path) : entry.crc32c
        if file.count == entry.bytes, found == entry.sha256, crc == entry.crc32c { continue }
        let other = manifest.shards.first { $0.sha256 != nil && $0.sha256 == found }
        findings.append(.otherThanListed(path: path, is: other?.name))
      } catch {
        findings.append(error)
      }
    }
    do throws(DurableFileError) {
      for name in try DurableFile.list(folder)
      where name.hasSuffix(".h5") && !listed.contains(name) {
        findings.append(.notListed(path: "\(folder)/\(name)"))
      }
    } catch {
      findings.append(.file(error))
    }
    return findings
  }

  private static func crc32c(of path: String) throws(ShardError) -> UInt32? {
    try ShardContents(path).checksums.map { UnfinishedShard.checksum(of: $0) }
  }
}

extension ShardManifest {
  /// Whether every shard of the plan is finished.
  var isComplete: Bool { shards.count >= planned }

  /// Refuses a folder that lacks shards of its plan: one that is still being filled, or from which
  /// a shard was removed.
  ///
  /// - Throws: `unfinished`, `missing`.
  package static func requireComplete(_ folder: String) throws(ShardError) {
    // Another program's manifest.json says nothing about shards.
    guard let manifest = try? read(in: folder) else { return }
    guard manifest.isComplete else {
      throw .unfinished(path: folder, finished: manifest.shards.count, planned: manifest.planned)
    }
    for entry in manifest.shards where !DurableFile.exists("\(folder)/\(entry.name)") {
      throw .missing(path: "\(folder)/\(entry.name)")
    }
  }
}
