// What `--json` writes of a shard that a command has made.

/// A finished shard with its rows.
package struct ShardLine: Encodable {
  package let path: String
  package let rows: Int

  package init(path: String, rows: Int) {
    self.path = path
    self.rows = rows
  }
}
