import CommandSupport
import Shards

/// What is told of one shard.
struct ShardReport: Encodable {
  private struct Verification: Encodable {
    let rows: Int
    let findings: [String]
  }

  private let path: String
  private let shard: ShardDescription?  // nil for a file that does not open
  private let verification: Verification?

  /// - Throws: what opening throws, unless it is among the findings of the verification.
  init(_ path: String, verification: ShardVerification?) throws(ShardError) {
    self.path = path
    self.verification = verification.map {
      Verification(rows: $0.rows, findings: $0.findings.map(\.description))
    }
    do {
      shard = try ShardDescription(path)
    } catch {
      guard verification?.findings.isEmpty == false else { throw error }
      shard = nil
    }
  }

  /// What is told of a folder that is not as its manifest says.
  init(_ folder: FolderVerification) {
    path = folder.path
    shard = nil
    verification = Verification(rows: 0, findings: folder.findings.map(\.description))
  }

  var isDamaged: Bool { verification?.findings.isEmpty == false }

  /// Several lines for people.
  var text: String {
    var lines = [path]
    if let shard {
      lines.append("  \(shard.format), \(shard.rows) rows, \(Progress.size(shard.fileBytes))")
      lines += shard.datasets.map { dataset in
        let shape = dataset.shape.map(String.init).joined(separator: " × ")
        return "  /\(dataset.name): \(dataset.type) [\(shape)], \(dataset.storage),"
          + " \(Progress.size(dataset.storedBytes))"
      }
      lines += shard.attributes.sorted { $0.key < $1.key }.map { "  \($0.key) = \($0.value)" }
    }
    if let verification {
      lines += verification.findings.map { "  damaged: \($0)" }
      if verification.findings.isEmpty {
        lines.append("  verified: all \(verification.rows) rows are whole")
      }
    }
    return lines.joined(separator: "\n")
  }
}
