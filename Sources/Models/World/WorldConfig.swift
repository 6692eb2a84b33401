// The shape of a world model.

/// The shape of a transformer over the steps of a game, each the codes of an image and an action.
///
/// Decoding is strict: a missing or unknown key is an error.
package struct WorldConfig: Codable, Equatable, Sendable {
  package var gridHeight: Int  // codes of an image, h
  package var gridWidth: Int  // w
  package var codebookSize: Int  // K; codes are in 0..<K
  package var actions: Int  // actions are in 0..<actions
  package var context: Int  // steps that a position sees, its own among them
  package var layers: Int
  package var heads: Int  // divides the width
  package var width: Int  // channels, C
  package var embeddingDropout: Float
  package var residualDropout: Float

  package init(
    gridHeight: Int, gridWidth: Int, codebookSize: Int, actions: Int, context: Int, layers: Int,
    heads: Int, width: Int, embeddingDropout: Float = 0, residualDropout: Float = 0
  ) {
    (self.gridHeight, self.gridWidth, self.codebookSize) = (gridHeight, gridWidth, codebookSize)
    (self.actions, self.context) = (actions, context)
    (self.layers, self.heads, self.width) = (layers, heads, width)
    (self.embeddingDropout, self.residualDropout) = (embeddingDropout, residualDropout)
  }

  enum CodingKeys: String, CodingKey {
    case actions, context
    case gridHeight = "grid_height"
    case gridWidth = "grid_width"
    case codebookSize = "n_embed"
    case layers = "n_layer"
    case heads = "n_head"
    case width = "n_embd"
    case embeddingDropout = "embd_pdrop"
    case residualDropout = "resid_pdrop"
  }

  /// Codes of an image, h·w.
  package var codes: Int { gridHeight * gridWidth }
  /// Tokens of a step, P: the codes, then the action.
  package var step: Int { codes + 1 }
  /// Tokens that a position can see.
  package var window: Int { context * step }

  /// Classes of a reward by its sign: below 0, none, above 0.
  package static let rewards = 3
  /// Whether the game goes on, or ends.
  package static let ends = 2

  /// What makes this model impossible, in a sentence.
  package var problem: String? {
    let ranges: [(CodingKeys, Int, ClosedRange<Int>)] = [
      (.gridHeight, gridHeight, 1...4096), (.gridWidth, gridWidth, 1...4096),
      (.codebookSize, codebookSize, 1...(1 << 24)), (.actions, actions, 1...65_536),
      (.context, context, 1...4096), (.layers, layers, 1...4096), (.width, width, 1...(1 << 16)),
      (.heads, heads, 1...max(width, 1)),
    ]
    for (key, value, range) in ranges where !range.contains(value) {
      return "\(key.rawValue) is \(value); it must be in \(range)"
    }
    guard width % heads == 0, width / heads % 2 == 0, width / heads >= 6 else {
      return "n_embd / n_head is \(width) / \(heads); it must be an even number of 6 or more"
    }
    let rates = [
      (CodingKeys.embeddingDropout, embeddingDropout), (.residualDropout, residualDropout),
    ]
    for (key, rate) in rates where !(0..<1).contains(rate) {
      return "\(key.rawValue) is \(rate); it must be in 0..<1"
    }
    return nil
  }
}
