// Whether the shards of an earlier run are still the files that were written.

import DurableFiles

/// What a run tells while it looks at what an earlier one has left.
package enum ShardCheck: Equatable, Sendable {
  /// Bytes of finished shards compared so far, and of all of them.
  case compared(bytes: Int, of: Int)
  /// Another file than the one that was written; it is made again.
  case changed(path: String)
}

extension ShardManifest {
  /// The shards that are still what was written; one that is gone, was cut or was changed is not.
  ///
  /// - Parameter report: what it throws ends the comparison.
  /// - Throws: `ShardError` where a shard cannot be read; what `report` throws.
  func whole(in folder: String, _ report: (ShardCheck) throws -> Void) throws -> [Entry] {
    // A manifest may claim any size; a file that has another is not read.
    let all = shards.reduce(0) { $0 &+ max(0, $1.bytes) }
    var (done, before) = (0, 0)
    let whole = try shards.filter { entry in
      let path = "\(folder)/\(entry.name)"
      guard DurableFile.exists(path) else { return false }
      defer {
        before &+= max(0, entry.bytes)
        done = before
      }
      let isWhole = try entry.isAt(path) { bytes in
        done &+= bytes
        try report(.compared(bytes: done, of: all))
      }
      if !isWhole { try report(.changed(path: path)) }
      return isWhole
    }
    if all > 0 { try report(.compared(bytes: all, of: all)) }
    return whole
  }
}

extension ShardManifest.Entry {
  /// Whether a file is the one that was written: by its SHA-256; in manifests of earlier versions,
  /// which have none, by the seal and the checksums in it.
  ///
  /// - Parameter progress: told how many bytes more were read.
  fileprivate func isAt(_ path: String, progress: (_ bytes: Int) throws -> Void) throws -> Bool {
    do {
      let file = try RawFile(path)
      guard file.count == bytes else { return false }
      guard let sha256 else { return try holdsRows(path) { try progress(0) } }
      let hash = FileHash(of: file)
      while true {
        let count = try hash.advance()
        if count == 0 { return hash.digits == sha256 }
        try progress(count)
      }
    } catch ShardError.missing, ShardError.notAShard, ShardError.unreadable {
      return false
    }
  }

  private func holdsRows(_ path: String, progress: () throws -> Void) throws -> Bool {
    let verification = try ShardVerification(path) { _, _ in try progress() }
    for case .file(let error) in verification.findings { throw ShardError.file(error) }
    guard verification.findings.isEmpty, verification.rows == rows else { return false }
    return try ShardContents(path).checksums.map { UnfinishedShard.checksum(of: $0) } == crc32c
  }
}
