/// Code shards as one sequence of grids of one VQGAN's codes.
package typealias CodeShardSet = ShardSet<CodeShardReader>

extension ShardSet where Reader == CodeShardReader {
  /// - Throws: `disagreement` naming both files where grids, codebooks or fingerprints differ,
  ///   `noRows`, and whatever opening throws.
  package convenience init(_ paths: [String]) throws(ShardError) {
    try self.init(paths) { reader, first throws(ShardError) in
      let found = reader.header
      let expected = first.header
      let properties = [
        (
          "the grid", "\(found.grid.height)×\(found.grid.width)",
          "\(expected.grid.height)×\(expected.grid.width)"
        ),
        ("n_embed", "\(found.grid.codebookSize)", "\(expected.grid.codebookSize)"),
        ("vqgan_fingerprint", found.grid.fingerprint, expected.grid.fingerprint),
        (
          "condition_fingerprint", found.condition?.grid.fingerprint ?? "none",
          expected.condition?.grid.fingerprint ?? "none"
        ),
      ]
      for (property, found, expected) in properties where found != expected {
        throw .disagreement(
          path: reader.path, other: first.path, property: property, found: found, expected: expected
        )
      }
    }
  }

  /// What the codes of a row are.
  package var grid: CodeGrid { first.header.grid }
  /// What the first shard says about itself.
  package var header: CodeShardHeader { first.header }

  /// One grid of codes, `[h·w]` in raster order.
  package func codes(_ index: Int) throws(ShardError) -> [Int32] {
    let (reader, row) = try locate(index)
    return try reader.codes(row)
  }

  /// The codes of a row's condition; nil in shards without.
  package func conditionCodes(_ index: Int) throws(ShardError) -> [Int32]? {
    let (reader, row) = try locate(index)
    return try reader.conditionCodes(row)
  }

  /// Several grids, one after the other, `[indices.count, h·w]`.
  package func codes(_ indices: [Int]) throws(ShardError) -> [Int32] {
    var all: [Int32] = []
    all.reserveCapacity(indices.count * grid.count)
    for index in indices { all += try codes(index) }
    return all
  }
}
