// What is known of a codebook's use.
import Foundation
import Images
import Shards

/// How a codebook is used by code shards; encodes as the JSON of `codebook-report`.
package struct CodebookReport: Encodable {
  package let histogram: CodeHistogram
  /// Rows of the shards.
  package let grids: Int
  /// What the codes are.
  package let codes: CodeGrid

  /// Counts the codes of shards.
  ///
  /// - Parameter progress: called after each row; what it throws ends the work.
  /// - Throws: `ShardError`, and what `progress` throws.
  package init(_ shards: CodeShardSet, progress: () throws -> Void = {}) throws {
    var histogram = CodeHistogram(
      codebookSize: shards.grid.codebookSize, depth: shards.grid.depth)
    for row in 0..<shards.count {
      histogram.add(try shards.codes(row))
      try progress()
    }
    self.histogram = histogram
    grids = shards.count
    codes = shards.grid
  }

  /// The codes that never occur.
  package var dead: [Int] { histogram.counts.indices.filter { histogram.counts[$0] == 0 } }

  /// Bars of the counts, the most frequent code at the left.
  package var chart: RGBImage {
    let counts = histogram.byFrequency.map { histogram.counts[$0] }
    return BarChart(
      counts, scale: .log, title: "\(summary)"
    ).rendered(width: max(512, min(counts.count, 1024)), height: 200)
  }

  /// One line for people.
  package var summary: String {
    let size = histogram.counts.count
    return "\(histogram.used) of \(size) codes used, perplexity "
      + String(format: "%.1f", histogram.perplexity)
      + String(format: ", entropy %.2f of %.2f bits", histogram.entropy, log2(Double(size)))
  }

  /// Several lines for people.
  package var text: String {
    let depth = codes.depth == 1 ? "" : " (\(codes.positions) positions of \(codes.depth) codes)"
    return """
      \(summary)
      \(grids) grids of \(codes.size)\(depth), \(histogram.total) codes; \(dead.count) codes are dead
      VQGAN \(codes.fingerprint)
      """
  }

  private enum CodingKeys: String, CodingKey {
    case counts, dead, depth, entropy, grids, perplexity
    case codebookSize = "n_embed"
    case codes
    case codesUsed = "codes_used"
    case gridHeight = "grid_height"
    case gridWidth = "grid_width"
    case fingerprint = "vqgan_fingerprint"
    case codesFingerprint = "codes_fingerprint"
  }

  package func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(codes.codebookSize, forKey: .codebookSize)
    if codes.depth != 1 { try values.encode(codes.depth, forKey: .depth) }
    try values.encode(histogram.total, forKey: .codes)
    try values.encode(histogram.used, forKey: .codesUsed)
    try values.encode(histogram.counts, forKey: .counts)
    try values.encode(dead, forKey: .dead)
    try values.encode(histogram.entropy, forKey: .entropy)
    try values.encode(histogram.perplexity, forKey: .perplexity)
    try values.encode(grids, forKey: .grids)
    try values.encode(codes.height, forKey: .gridHeight)
    try values.encode(codes.width, forKey: .gridWidth)
    try values.encode(codes.fingerprint, forKey: .fingerprint)
    try values.encodeIfPresent(codes.codesFingerprint, forKey: .codesFingerprint)
  }
}
