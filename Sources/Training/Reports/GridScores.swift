// How many bits the codes of images take under a GPT.
import Checkpoints
import Foundation
import Models
import Shards
import TensorCore

/// Takes the bits of codes as a validation of the GPT does: every code behind the true ones before
/// it and behind its condition.
package struct GridScorer {
  private let gpt: SecondStage
  private let shards: CodeShardSet
  private let conditions: ((_ row: Int) throws -> [Int32])?
  /// The cell, in raster order, of each code of the sequence.
  private let cells: [Int]

  /// - Throws: `CodesMismatch` for codes of another VQGAN or grid, `ShardError`, `ConditionError`
  ///   for shards without the GPT's condition.
  package init(_ gpt: SecondStage, of shards: CodeShardSet) throws {
    try gpt.codes.require(shards.grid, of: shards.paths[0], for: gpt.path)
    self.gpt = gpt
    self.shards = shards
    conditions = try gpt.condition?.tokens(of: shards)
    cells = gpt.order.cells(of: shards.grid.size)
  }

  /// Bits of every code of some rows, `[rows.count, h·w]` in raster order.
  ///
  /// - Throws: `ShardError`, `ConditionError`, `NotFiniteError`.
  package func bits(of rows: [Int]) throws -> [[Float]] {
    let codes = try rows.flatMap { row in
      let codes = try shards.codes(row)
      return cells.map { codes[$0] }
    }
    let sequences = TokenSequences(
      codes: IndexTensor(codes, shape: [rows.count, cells.count]),
      conditions: try conditionTokens(rows))
    let losses = gpt.model.losses(sequences.input, sequences.targets).elements()
    guard losses.allSatisfy(\.isFinite) else {
      throw NotFiniteError(path: gpt.path, result: "the bits of codes")
    }
    let length = losses.count / rows.count
    return rows.indices.map { item in
      var bits = [Float](repeating: 0, count: cells.count)
      // Positions inside the condition have no loss.
      for (cell, loss) in zip(cells, losses[..<((item + 1) * length)].suffix(cells.count)) {
        bits[cell] = loss / Float(log(2.0))
      }
      return bits
    }
  }

  private func conditionTokens(_ rows: [Int]) throws -> IndexTensor {
    guard let conditions else { return TokenSequences.unconditional(rows.count) }
    let tokens = try rows.flatMap(conditions)
    return IndexTensor(tokens, shape: [rows.count, tokens.count / rows.count])
  }
}

/// What the codes of one image take; encodes as a line of the JSON of `score`.
package struct GridScore: Encodable, Sendable {
  package let shard: String
  package let row: Int  // of the shard
  package let id: Int64
  package let name: String
  /// Of every code, `[h·w]` in raster order.
  package let map: [Float]
  private let depth: Int

  /// - Parameter depth: codes of one position.
  package init(
    shard: String, row: Int, id: Int64, name: String, map: [Float], depth: Int = 1
  ) {
    (self.shard, self.row, self.id, self.name) = (shard, row, id, name)
    (self.map, self.depth) = (map, depth)
  }

  /// Of all codes.
  package var bits: Double { map.reduce(0) { $0 + Double($1) } }
  package var bitsPerCode: Double { bits / Double(map.count) }
  /// Of every position.
  package var positions: [Float] {
    stride(from: 0, to: map.count, by: depth).map { map[$0..<$0 + depth].reduce(0, +) }
  }
  /// Of the position that takes most.
  package var maxBits: Float { positions.max() ?? 0 }

  /// One line for people.
  package var text: String {
    String(format: "%.2f %.4f %.2f", bits, bitsPerCode, maxBits) + " \(shard) \(row) \(name)"
  }

  private enum CodingKeys: String, CodingKey {
    case shard, row, id, name, bits
    case bitsPerCode = "bits_per_code"
    case maxBits = "max_bits"
  }

  package func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(shard, forKey: .shard)
    try values.encode(row, forKey: .row)
    try values.encode(id, forKey: .id)
    try values.encode(name, forKey: .name)
    try values.encode(bits, forKey: .bits)
    try values.encode(bitsPerCode, forKey: .bitsPerCode)
    try values.encode(maxBits, forKey: .maxBits)
  }
}

/// The means over images; encodes as the last line of the JSON of `score`.
package struct ScoreSummary: Encodable, Sendable {
  package let images: Int
  package let codes: Int  // of one image
  package let bitsPerImage: Double
  /// The file with heat maps.
  package var sheet: String?

  /// - Parameter scores: at least one.
  package init(_ scores: [GridScore]) {
    precondition(!scores.isEmpty, "a summary of no scores")
    images = scores.count
    codes = scores[0].map.count
    bitsPerImage = scores.reduce(0) { $0 + $1.bits } / Double(scores.count)
  }

  package var bitsPerCode: Double { bitsPerImage / Double(codes) }
  /// The validation loss of `train-gpt` on these rows, nats of a code.
  package var loss: Double { bitsPerCode * log(2) }

  /// One line for people.
  package var text: String {
    "\(images == 1 ? "1 image" : "\(images) images") of \(codes) codes: "
      + String(
        format: "%.4f bits per code, %.2f bits per image, %.4f nats per code", bitsPerCode,
        bitsPerImage, loss)
  }

  private enum CodingKeys: String, CodingKey {
    case images, codes, loss, sheet
    case bitsPerCode = "bits_per_code"
    case bitsPerImage = "bits_per_image"
  }

  package func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(images, forKey: .images)
    try values.encode(codes, forKey: .codes)
    try values.encode(bitsPerCode, forKey: .bitsPerCode)
    try values.encode(bitsPerImage, forKey: .bitsPerImage)
    try values.encode(loss, forKey: .loss)
    try values.encodeIfPresent(sheet, forKey: .sheet)
  }
}
