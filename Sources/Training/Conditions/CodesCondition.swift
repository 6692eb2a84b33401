// The codes of a second VQGAN as conditions.
import Models
import Shards

extension ConditionCodes: ConditionPayload {
  /// The condition codes that shards hold.
  ///
  /// - Throws: `ConditionError.noCodes`.
  package init(of shards: CodeShardSet) throws(ConditionError) {
    guard let found = shards.header.condition else { throw .noCodes(path: shards.paths[0]) }
    self = found
  }

  var name: GPTCondition.Name { .codes }
  var vocabulary: Int { grid.codebookSize }
  var size: GridSize? { grid.size }
  var title: String { "codes of \(input)" }

  func reader(of shards: CodeShardSet) throws -> (_ row: Int) throws -> ConditionInput {
    let path = shards.paths[0]
    try grid.require(
      try ConditionCodes(of: shards).grid, of: path, for: "the transformer's condition")
    return { row in
      guard let codes = try shards.conditionCodes(row) else {
        throw ConditionError.noCodes(path: path)
      }
      return .grid(codes, grid.size)
    }
  }

  package init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: GPTCondition.CodingKeys.self)
    self.init(
      input: try values.decode(String.self, forKey: .input),
      grid: try values.decode(CodeGrid.self, forKey: .grid))
    try values.requireVocabulary(vocabulary)
  }

  package func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: GPTCondition.CodingKeys.self)
    try values.encode(vocabulary, forKey: .vocabulary)
    try values.encode(grid, forKey: .grid)
    try values.encode(input, forKey: .input)
  }
}

extension KeyedDecodingContainer<GPTCondition.CodingKeys> {
  /// Refuses a vocabulary other than the codebook of the condition's grid.
  func requireVocabulary(_ expected: Int) throws {
    let found = try decode(Int.self, forKey: .vocabulary)
    guard found == expected else {
      throw DecodingError.dataCorruptedError(
        forKey: .vocabulary, in: self,
        debugDescription: "\(found) tokens for a grid of \(expected) codes")
    }
  }
}
