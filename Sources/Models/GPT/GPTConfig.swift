// The shape of the second-stage transformer.

/// The shape of a GPT; file keys are those of the published configurations.
///
/// Decoding is strict: a missing or unknown key and a value that no model can have are errors.
package struct GPTConfig: Codable, Equatable, Sendable {
  package var vocabSize: Int  // tokens, V; image codes and condition tokens share them
  package var blockSize: Int  // positions that the model can see at once
  package var layers: Int
  package var heads: Int  // divides the width
  package var width: Int  // channels, C
  package var unmasked: Int  // the first positions, which see each other
  package var embeddingDropout: Float
  package var residualDropout: Float
  package var attentionDropout: Float
  /// Positions by rotation instead of learned ones; nil, and no key in the file, for learned ones.
  package var rotary: RotaryPositions?
  /// Tokens that share a coarse part, V₂; nil, and no key in the file, for tokens of one part.
  ///
  /// Token t has the parts t / V₂ and t mod V₂, each with vectors and logits of its own.
  package var subVocabulary: Int?

  package init(
    vocabSize: Int, blockSize: Int, layers: Int, heads: Int, width: Int, unmasked: Int = 0,
    embeddingDropout: Float = 0, residualDropout: Float = 0, attentionDropout: Float = 0,
    rotary: RotaryPositions? = nil, subVocabulary: Int? = nil
  ) throws(GPTConfigError) {
    self.vocabSize = vocabSize
    self.blockSize = blockSize
    self.layers = layers
    self.heads = heads
    self.width = width
    self.unmasked = unmasked
    self.embeddingDropout = embeddingDropout
    self.residualDropout = residualDropout
    self.attentionDropout = attentionDropout
    self.rotary = rotary
    self.subVocabulary = subVocabulary
    try validate()
  }

  enum CodingKeys: String, CodingKey {
    case vocabSize = "vocab_size"
    case blockSize = "block_size"
    case layers = "n_layer"
    case heads = "n_head"
    case width = "n_embd"
    case unmasked = "n_unmasked"
    case embeddingDropout = "embd_pdrop"
    case residualDropout = "resid_pdrop"
    case attentionDropout = "attn_pdrop"
    case rotary
    case subVocabulary = "sub_vocabulary"
  }

  package init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    vocabSize = try values.decode(Int.self, forKey: .vocabSize)
    blockSize = try values.decode(Int.self, forKey: .blockSize)
    layers = try values.decode(Int.self, forKey: .layers)
    heads = try values.decode(Int.self, forKey: .heads)
    width = try values.decode(Int.self, forKey: .width)
    unmasked = try values.decode(Int.self, forKey: .unmasked)
    embeddingDropout = try values.decode(Float.self, forKey: .embeddingDropout)
    residualDropout = try values.decode(Float.self, forKey: .residualDropout)
    attentionDropout = try values.decode(Float.self, forKey: .attentionDropout)
    rotary = try values.decodeIfPresent(RotaryPositions.self, forKey: .rotary)
    subVocabulary = try values.decodeIfPresent(Int.self, forKey: .subVocabulary)
    try validate()
  }

  /// Coarse parts of tokens, V₁: all tokens where they have one part.
  package var coarseTokens: Int {
    subVocabulary.map { (vocabSize + $0 - 1) / $0 } ?? vocabSize
  }

  /// V₂ for a vocabulary of so many codes: nil up to 16,384, a divisor near the square root if
  /// there is one, else the root itself.
  package static func subVocabulary(ofCodes codes: Int) -> Int? {
    guard codes > 16_384 else { return nil }
    let root = Int(Double(codes).squareRoot().rounded(.up))
    return (root...2 * root).first { codes % $0 == 0 } ?? root
  }

  /// Checks that such a model can be built.
  package func validate() throws(GPTConfigError) {
    func require(_ key: CodingKeys, _ value: Int, _ range: ClosedRange<Int>) throws(GPTConfigError)
    {
      guard range.contains(value) else {
        throw .outOfRange(key: key.rawValue, found: "\(value)", expected: "\(range)")
      }
    }
    try require(.vocabSize, vocabSize, 1...(1 << 24))
    try require(.blockSize, blockSize, 1...(1 << 20))
    try require(.layers, layers, 1...4096)
    try require(.width, width, 1...(1 << 16))
    try require(.heads, heads, 1...width)
    try require(.unmasked, unmasked, 0...blockSize)
    if let subVocabulary { try require(.subVocabulary, subVocabulary, 1...vocabSize) }
    guard width % heads == 0 else { throw .headsDoNotDivideWidth(heads: heads, width: width) }
    if rotary != nil, width / heads % 4 != 0 {
      throw .outOfRange(
        key: "n_embd / n_head", found: "\(width / heads)",
        expected: "a multiple of 4 for rotary positions")
    }
    if let rotary {
      try require(.rotary, rotary.width, 1...65_535)
      // The trained grid is within the positions; the first code needs none.
      try require(.rotary, rotary.height, 1...max(1, (blockSize + 1) / rotary.width))
      try require(.rotary, rotary.start, 0...blockSize)
    }
    let rates = [
      (CodingKeys.embeddingDropout, embeddingDropout), (.residualDropout, residualDropout),
      (.attentionDropout, attentionDropout),
    ]
    for (key, rate) in rates where !(0..<1).contains(rate) {
      throw .outOfRange(key: key.rawValue, found: "\(rate)", expected: "0..<1")
    }
  }
}

/// Why a configuration describes no GPT.
package enum GPTConfigError: Error, Equatable {
  case outOfRange(key: String, found: String, expected: String)
  case headsDoNotDivideWidth(heads: Int, width: Int)
  /// A GPT is trained without dropping attention scores; the model can be sampled.
  case attentionDropout(Float)
}

extension GPTConfigError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .outOfRange(let key, let found, let expected):
      "GPT configuration: \(key) is \(found), expected \(expected)"
    case .headsDoNotDivideWidth(let heads, let width):
      "GPT configuration: \(heads) heads do not divide a width of \(width); choose a divisor of it"
    case .attentionDropout(let rate):
      "GPT configuration: attn_pdrop is \(rate); a GPT is trained without, so train "
        + "with attn_pdrop 0 (embd_pdrop and resid_pdrop are free)"
    }
  }
}
