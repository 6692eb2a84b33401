/// What is wrong in a shard, found by reading every row.
package struct ShardVerification: Sendable {
  package let path: String
  /// Rows that were read.
  package let rows: Int
  /// In the order of the rows; empty for a good shard.
  package let findings: [ShardError]

  /// More findings than this are not collected: the file is beyond use.
  package static let mostFindings = 100

  /// Reads every row and every label: checksums, the range of codes, counts.
  ///
  /// - Parameters:
  ///   - path: a shard of either kind.
  ///   - progress: called after every row with the number of rows done and of rows in all.
  package init(_ path: String, progress: (_ done: Int, _ all: Int) -> Void = { _, _ in }) {
    self.path = path
    do throws(ShardError) {
      let contents = try ShardContents(path)
      switch contents.kind {
      case .images: (rows, findings) = Self.check(try ImageShardReader(path), progress)
      case .codes: (rows, findings) = Self.check(try CodeShardReader(path), progress)
      }
    } catch {
      rows = 0
      findings = [error]
    }
  }

  private static func check(
    _ reader: some ShardReader, _ progress: (Int, Int) -> Void
  ) -> (rows: Int, findings: [ShardError]) {
    var findings: [ShardError] = []
    func collect(_ body: () throws(ShardError) -> Void) {
      do throws(ShardError) {
        try body()
      } catch {
        findings.append(error)
      }
    }
    let contents = reader.contents
    collect { () throws(ShardError) in _ = try contents.ids }
    collect { () throws(ShardError) in _ = try contents.names }
    for name in contents.labelNames {
      collect { () throws(ShardError) in _ = try contents.labels(name) }
    }
    collect { () throws(ShardError) in _ = try contents.captions }
    collect { () throws(ShardError) in _ = try contents.objects }
    collect { () throws(ShardError) in _ = try contents.categories }
    for row in 0..<reader.count where findings.count < mostFindings {
      collect { () throws(ShardError) in try reader.check(row) }
      progress(row + 1, reader.count)
    }
    return (reader.count, findings)
  }
}
