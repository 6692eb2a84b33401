/// Code shards as one sequence of grids of one VQGAN's codes.
package typealias CodeShardSet = ShardSet<CodeShardReader>

extension ShardSet where Reader == CodeShardReader {
  /// - Throws: `disagreement` naming both files where grids, codebooks or what the codes mean
  ///   differ, `noRows`, and whatever opening throws.
  package convenience init(_ paths: [String]) throws(ShardError) {
    try self.init(paths) { reader, first throws(ShardError) in
      let found = reader.header
      let expected = first.header
      let codes = found.grid.difference(from: expected.grid)
      let condition = Self.difference(found.condition?.grid, expected.condition?.grid)
      let properties = [
        (
          "the grid", "\(found.grid.height)×\(found.grid.width)",
          "\(expected.grid.height)×\(expected.grid.width)"
        ),
        ("n_embed", "\(found.grid.codebookSize)", "\(expected.grid.codebookSize)"),
        (codes?.property ?? "", codes?.own ?? "", codes?.other ?? ""),
        ("condition_fingerprint", condition?.own ?? "", condition?.other ?? ""),
      ]
      for (property, found, expected) in properties where found != expected {
        throw .disagreement(
          path: reader.path, other: first.path, property: property, found: found, expected: expected
        )
      }
    }
  }

  /// The fingerprints by which the conditions of two shards differ; nil where they do not.
  private static func difference(
    _ own: CodeGrid?, _ other: CodeGrid?
  ) -> (own: String, other: String)? {
    guard let own, let other else {
      return own == nil && other == nil
        ? nil : (own?.fingerprint ?? "none", other?.fingerprint ?? "none")
    }
    return own.difference(from: other).map { ($0.own, $0.other) }
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
