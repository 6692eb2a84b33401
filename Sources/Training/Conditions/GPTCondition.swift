// What stands before the codes of a GPT.
import Models

/// The condition of a GPT: what its tokens mean, and how many there are.
package struct GPTCondition: Codable, Equatable, Sendable {
  package enum Kind: String, Codable, CaseIterable, Sendable {
    /// One token: a whole number of the shards.
    case label
    /// The codes of a second VQGAN.
    case codes
    /// How far down in the whole picture each place is.
    case coordinates
    /// Objects by the corners of their boxes.
    case boxes
    /// Objects by the middles of their boxes.
    case points
  }

  package var kind: Kind
  /// Condition tokens are in `0..<vocabulary`.
  package var vocabulary: Int
  /// Of labels: the column of the shards.
  package var column: String?
  /// Of codes and coordinates: the grid that stands before a picture of the trained size, and the VQGAN.
  package var grid: CodeGrid?
  /// Of codes: what the VQGAN reads, images, segmentation or depth.
  package var input: String?
  /// Of boxes and points: objects of a picture, at most.
  package var objects: Int?
  /// Of boxes and points: the numbers of the categories, in the order of their tokens.
  package var categories: [Int]?
  /// The token that stands in every place of a condition that was dropped; nil if none ever was.
  package var nullToken: Int?

  package init(
    kind: Kind, vocabulary: Int, column: String? = nil, grid: CodeGrid? = nil,
    input: String? = nil, objects: Int? = nil, categories: [Int]? = nil, nullToken: Int? = nil
  ) {
    self.kind = kind
    self.vocabulary = vocabulary
    self.column = column
    self.grid = grid
    self.input = input
    self.objects = objects
    self.categories = categories
    self.nullToken = nullToken
  }

  enum CodingKeys: String, CodingKey {
    case kind, vocabulary, column, grid, input, objects, categories
    case nullToken = "null_token"
  }

  /// Tokens before the codes.
  package var length: Int {
    switch kind {
    case .label: 1
    case .codes, .coordinates: grid?.count ?? 1
    case .boxes, .points: sceneTokens.length
    }
  }

  /// Tokens that the model must know.
  package var tokens: Int { max(vocabulary, (nullToken ?? -1) + 1) }

  /// How scenes become tokens.
  package var sceneTokens: SceneTokens {
    SceneTokens(
      form: kind == .points ? .points : .boxes, vocabulary: vocabulary,
      classes: max(categories?.count ?? 1, 1), objects: objects ?? 30)
  }

  /// What it is, for messages.
  package var title: String {
    switch kind {
    case .label: "the label \(column ?? "")"
    case .codes: "codes of \(input ?? "a second VQGAN")"
    case .coordinates: "coordinates"
    case .boxes: "boxes of objects"
    case .points: "centre points of objects"
    }
  }

  /// What makes this condition impossible, in a sentence.
  package var problem: String? {
    if vocabulary < 1 { return "condition.vocabulary is \(vocabulary); it must be positive" }
    if (kind == .codes || kind == .coordinates) != (grid != nil) {
      return "condition.grid belongs to codes and coordinates alone"
    }
    if let nullToken, nullToken < 0 {
      return "condition.null_token is \(nullToken); it must not be negative"
    }
    if let objects, !(1...10_000).contains(objects) {
      return "condition.objects is \(objects), expected 1...10000"
    }
    return nil
  }
}
