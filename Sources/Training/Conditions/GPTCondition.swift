// What stands before the codes of a GPT.
import Models
import Shards

/// The condition of a GPT.
package struct GPTCondition: Equatable, Sendable {
  package var kind: Kind
  /// The token that stands at every position of a condition that was dropped; nil if none ever was.
  package var nullToken: Int?

  /// What it is, each kind with what belongs to it.
  package enum Kind: Equatable, Sendable {
    case label(LabelCondition)
    case codes(ConditionCodes)
    case coordinates(CoordinatesCondition)
    case objects(ObjectsCondition)

    fileprivate var payload: any ConditionPayload {
      switch self {
      case .label(let label): label
      case .codes(let codes): codes
      case .coordinates(let coordinates): coordinates
      case .objects(let objects): objects
      }
    }
  }

  package init(_ kind: Kind, nullToken: Int? = nil) {
    self.kind = kind
    self.nullToken = nullToken
  }

  /// Condition tokens are in `0..<vocabulary`.
  package var vocabulary: Int { kind.payload.vocabulary }

  /// Tokens that the model must know.
  package var tokens: Int { max(vocabulary, nullToken.map { $0 + 1 } ?? 0) }

  /// Tokens before the codes.
  package var length: Int { kind.payload.length }

  /// The grid of tokens before an image of the trained size; nil for tokens that lie in none.
  package var grid: GridSize? { kind.payload.size }

  /// What it is, for messages.
  package var title: String { kind.payload.title }

  /// What makes this condition impossible, in a sentence.
  package var problem: String? {
    if vocabulary < 1 { return "condition.vocabulary is \(vocabulary); it must be positive" }
    if let nullToken, !(0..<1 << 24).contains(nullToken) {
      return "condition.null_token is \(nullToken), expected 0..<\(1 << 24)"
    }
    return kind.payload.problem
  }

  /// The condition of every row of code shards.
  ///
  /// - Returns: reads that of one row; throws what reading shards throws.
  /// - Throws: `ShardError`, `ConditionError`, `CodesMismatch` for shards that do not hold it.
  package func reader(
    of shards: CodeShardSet
  ) throws -> (_ row: Int) throws -> ConditionInput {
    try kind.payload.reader(of: shards)
  }
}

/// What every kind of condition knows of itself; its coding is that of its own keys of `condition`
/// in the files.
protocol ConditionPayload: Codable, Equatable, Sendable {
  var name: GPTCondition.Name { get }
  var vocabulary: Int { get }
  var length: Int { get }
  var size: GridSize? { get }
  var title: String { get }
  var problem: String? { get }
  func reader(of shards: CodeShardSet) throws -> (_ row: Int) throws -> ConditionInput
}

extension ConditionPayload {
  var length: Int { size?.count ?? 1 }
  var size: GridSize? { nil }
  var problem: String? { nil }
}

extension GPTCondition: Codable {
  /// The kinds by their names in files and options.
  package enum Name: String, Codable, CaseIterable, Sendable {
    case label, codes, coordinates, boxes, points
  }

  enum CodingKeys: String, CodingKey {
    case kind, vocabulary, column, grid, input, objects, categories
    case nullToken = "null_token"
  }

  package init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    nullToken = try values.decodeIfPresent(Int.self, forKey: .nullToken)
    switch try values.decode(Name.self, forKey: .kind) {
    case .label: kind = .label(try LabelCondition(from: decoder))
    case .codes: kind = .codes(try ConditionCodes(from: decoder))
    case .coordinates: kind = .coordinates(try CoordinatesCondition(from: decoder))
    case .boxes, .points: kind = .objects(try ObjectsCondition(from: decoder))
    }
  }

  package func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(kind.payload.name, forKey: .kind)
    try values.encodeIfPresent(nullToken, forKey: .nullToken)
    try kind.payload.encode(to: encoder)
  }
}
