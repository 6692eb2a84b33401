// The shape of a world model.

/// The shape of a transformer over the steps of a game, each the codes of an image and an action.
///
/// Decoding is strict: a missing or unknown key is an error. The keys of what IRIS has otherwise
/// than `--preset small` are in a file only where they say something.
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
  private var declaredAttentionDropout: Float?
  private var declaredPositions: Positions?
  private var declaredMask: Mask?
  private var declaredPrevious: Bool?
  private var declaredHeadHidden: Bool?
  private var declaredSurroundings: Int?

  /// How a position is known.
  package enum Positions: String, Codable, CaseIterable, Sendable {
    /// By rotation, in time, row and column; only differences count.
    case rotary
    /// By a vector of its own for each of the `window` tokens.
    case learned
  }

  /// What a token sees.
  package enum Mask: String, Codable, CaseIterable, Sendable {
    /// What stands before it in its own step and the `context` - 1 steps before.
    case banded
    /// All that stands before it in the window.
    case causal
    /// The same, and all of its own step: also the codes that it should predict. A dream, which
    /// imagines one code after the other, has causal tokens.
    case blockCausal = "block-causal"
  }

  package init(
    gridHeight: Int, gridWidth: Int, codebookSize: Int, actions: Int, context: Int, layers: Int,
    heads: Int, width: Int, embeddingDropout: Float = 0, residualDropout: Float = 0
  ) {
    (self.gridHeight, self.gridWidth, self.codebookSize) = (gridHeight, gridWidth, codebookSize)
    (self.actions, self.context) = (actions, context)
    (self.layers, self.heads, self.width) = (layers, heads, width)
    (self.embeddingDropout, self.residualDropout) = (embeddingDropout, residualDropout)
  }

  /// Of the attention's weights.
  package var attentionDropout: Float {
    get { declaredAttentionDropout ?? 0 }
    set { declaredAttentionDropout = newValue == 0 ? nil : newValue }
  }

  package var positions: Positions {
    get { declaredPositions ?? .rotary }
    set { declaredPositions = newValue == .rotary ? nil : newValue }
  }

  package var mask: Mask {
    get { declaredMask ?? .banded }
    set { declaredMask = newValue == .banded ? nil : newValue }
  }

  /// Whether each token brings the code that stood, in the image before, at the place that it
  /// predicts.
  package var readsPrevious: Bool {
    get { declaredPrevious ?? true }
    set { declaredPrevious = newValue ? nil : false }
  }

  /// Rows of each table of `Surroundings`; 0 for none.
  package var surroundings: Int {
    get { declaredSurroundings ?? 0 }
    set { declaredSurroundings = newValue == 0 ? nil : newValue }
  }

  /// Whether a head is a linear layer, ReLU and another one, instead of one linear layer.
  package var headsHaveHiddenLayer: Bool {
    get { declaredHeadHidden ?? false }
    set { declaredHeadHidden = newValue ? true : nil }
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
    case declaredAttentionDropout = "attn_pdrop"
    case declaredPositions = "positions"
    case declaredMask = "mask"
    case declaredPrevious = "reads_previous"
    case declaredHeadHidden = "head_hidden_layer"
    case declaredSurroundings = "surroundings"
  }

  /// Codes of an image, h·w.
  package var codes: Int { gridHeight * gridWidth }
  /// Tokens of a step, P: the codes, then the action.
  package var step: Int { codes + 1 }
  /// Tokens that a position can see.
  package var window: Int { context * step }
  /// Recorded steps that a dream is shown before its start: with learned positions none, as in
  /// IRIS, for they would fill the window.
  package var stepsBeforeDream: Int { positions == .learned ? 0 : context - 1 }

  /// Classes of a reward by its sign: below 0, none, above 0.
  package static let rewards = 3
  /// Whether the game goes on, or ends.
  package static let ends = 2
}

extension WorldConfig {
  /// What makes this model impossible, in a sentence.
  package var problem: String? {
    let ranges: [(CodingKeys, Int, ClosedRange<Int>)] = [
      (.gridHeight, gridHeight, 1...4096), (.gridWidth, gridWidth, 1...4096),
      (.codebookSize, codebookSize, 1...(1 << 24)), (.actions, actions, 1...65_536),
      (.context, context, 1...4096), (.layers, layers, 1...4096), (.width, width, 1...(1 << 16)),
      (.heads, heads, 1...max(width, 1)), (.declaredSurroundings, surroundings, 0...(1 << 24)),
    ]
    for (key, value, range) in ranges where !range.contains(value) {
      return "\(key.rawValue) is \(value); it must be in \(range)"
    }
    if let problem = problemOfPositions { return problem }
    let rates = [
      (CodingKeys.embeddingDropout, embeddingDropout), (.residualDropout, residualDropout),
      (.declaredAttentionDropout, attentionDropout),
    ]
    for (key, rate) in rates where !(0..<1).contains(rate) {
      return "\(key.rawValue) is \(rate); it must be in 0..<1"
    }
    return nil
  }

  private var problemOfPositions: String? {
    switch positions {
    case .rotary:
      guard width % heads == 0, width / heads % 2 == 0, width / heads >= 6 else {
        return "n_embd / n_head is \(width) / \(heads); it must be an even number of 6 or more"
      }
      if mask != .banded {
        return "mask is \(mask.rawValue); rotary positions need \(Mask.banded.rawValue)"
      }
    case .learned:
      guard width % heads == 0 else {
        return "n_embd / n_head is \(width) / \(heads); it must be an integer"
      }
      if mask == .banded {
        return "mask is \(mask.rawValue); learned positions need causal or block-causal"
      }
      guard context > 1, window <= 1 << 20 else {
        return "context is \(context); learned positions need 2 steps or more, of \(1 << 20) "
          + "tokens at most"
      }
    }
    return nil
  }
}
