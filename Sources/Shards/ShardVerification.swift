/// What is wrong in a shard, found by reading every row.
package struct ShardVerification: Sendable {
  package let path: String
  /// Rows that were read.
  package let rows: Int
  /// In the order of the rows; empty for a good shard.
  package let findings: [ShardError]

  /// More findings than this are not collected: the file is beyond use.
  package static let maxFindings = 100

  /// Reads every row and every label: checksums, the range of codes, counts.
  ///
  /// - Parameters:
  ///   - path: a shard of either kind.
  ///   - progress: called after every row with the number of rows done and of rows in all; what it
  ///     throws ends the reading.
  package init(
    _ path: String, progress: (_ done: Int, _ all: Int) throws -> Void
  ) rethrows {
    self.path = path
    let reader: any ShardReader
    do throws(ShardError) {
      reader =
        switch try ShardContents(path).kind {
        case .images: try ImageShardReader(path)
        case .codes: try CodeShardReader(path)
        }
    } catch {
      rows = 0
      findings = [error]
      return
    }
    (rows, findings) = try Self.check(reader, progress)
  }

  /// Reads every row and every label, silently.
  package init(_ path: String) { self.init(path) { _, _ in } }

  private static func check(
    _ reader: some ShardReader, _ progress: (Int, Int) throws -> Void
  ) rethrows -> (rows: Int, findings: [ShardError]) {
    var findings: [ShardError] = []
    func collect(_ body: () throws(ShardError) -> Void) {
      do throws(ShardError) {
        try body()
      } catch {
        findings.append(error)
      }
    }
    let contents = reader.contents
    collect { () throws(ShardError) in try contents.requireOwnNumbers() }
    collect { () throws(ShardError) in _ = try contents.names }
    for name in contents.labelNames {
      collect { () throws(ShardError) in _ = try contents.labels(name) }
    }
    collect { () throws(ShardError) in _ = try contents.captions }
    collect { () throws(ShardError) in _ = try contents.objects }
    collect { () throws(ShardError) in _ = try contents.categories }
    for row in 0..<reader.count where findings.count < maxFindings {
      collect { () throws(ShardError) in try reader.check(row) }
      try progress(row + 1, reader.count)
    }
    return (reader.count, findings)
  }
}
