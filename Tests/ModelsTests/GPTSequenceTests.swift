import Foundation
import Models
import TensorCore
import Testing

@Suite struct GPTSequenceTests {
  let codes = IndexTensor([5, 6, 7, 8, 9, 10], shape: [2, 3])

  @Test func unconditionalSequencesStartWithTheStartToken() {
    let sequences = TokenSequences(codes: codes, conditions: TokenSequences.unconditional(2))
    #expect(sequences.input == IndexTensor([0, 5, 6, 0, 8, 9], shape: [2, 3]))
    #expect(sequences.targets == codes)
  }

  @Test func conditionTokensCarryNoLoss() {
    let conditions = IndexTensor([1, 2, 3, 4], shape: [2, 2])
    let sequences = TokenSequences(codes: codes, conditions: conditions)
    #expect(sequences.input == IndexTensor([1, 2, 5, 6, 3, 4, 8, 9], shape: [2, 4]))
    #expect(sequences.targets == IndexTensor([-1, 5, 6, 7, -1, 8, 9, 10], shape: [2, 4]))
  }

  @Test func replacedTokensLeaveTargetsAndConditions() {
    let many = IndexTensor([Int32](repeating: 3, count: 4000), shape: [40, 100])
    let conditions = IndexTensor([Int32](repeating: 2, count: 40), shape: [40, 1])
    var random = RandomSource(seed: 4)
    let sequences = TokenSequences(
      codes: many, conditions: conditions, keeping: 0.75, vocabSize: 1000, using: &random)
    #expect(sequences.targets == many)
    #expect((0..<40).allSatisfy { sequences.input.elements[$0 * 100] == 2 })
    let kept = sequences.input.elements.count { $0 == 3 }
    #expect((2850...3090).contains(kept), "\(kept) of 3960 kept where 2970 are expected")
  }

  @Test func keepingAllDrawsNothing() {
    var random = RandomSource(seed: 4)
    let sequences = TokenSequences(
      codes: codes, conditions: TokenSequences.unconditional(2), keeping: 1, vocabSize: 1000,
      using: &random)
    #expect(sequences == TokenSequences(codes: codes, conditions: TokenSequences.unconditional(2)))
    #expect(random == RandomSource(seed: 4))
  }
}

@Suite struct GPTConfigTests {
  static let published = """
    {"vocab_size": 64, "block_size": 32, "n_layer": 2, "n_head": 4, "n_embd": 32, "n_unmasked": 8,
     "embd_pdrop": 0.1, "resid_pdrop": 0, "attn_pdrop": 0}
    """

  private func decode(_ text: String) throws -> GPTConfig {
    try JSONDecoder().decode(GPTConfig.self, from: Data(text.utf8))
  }

  @Test func publishedKeysAreRead() throws {
    let config = try decode(Self.published)
    let expected = try GPTConfig(
      vocabSize: 64, blockSize: 32, layers: 2, heads: 4, width: 32, unmasked: 8,
      embeddingDropout: 0.1)
    #expect(config == expected)
    let again = try JSONDecoder().decode(GPTConfig.self, from: JSONEncoder().encode(config))
    #expect(again == config)
  }

  @Test func missingKeysAreErrors() {
    #expect(throws: DecodingError.self) {
      try decode(Self.published.replacing("\"n_layer\": 2, ", with: ""))
    }
  }

  @Test func impossibleValuesAreErrors() {
    #expect(throws: GPTConfigError.headsDoNotDivideWidth(heads: 5, width: 32)) {
      try decode(Self.published.replacing("\"n_head\": 4", with: "\"n_head\": 5"))
    }
    #expect(throws: GPTConfigError.self) {
      try decode(Self.published.replacing("\"resid_pdrop\": 0", with: "\"resid_pdrop\": 1"))
    }
    #expect(throws: GPTConfigError.self) {
      try decode(Self.published.replacing("\"block_size\": 32", with: "\"block_size\": -1"))
    }
  }

  @Test func decayActsOnLinearWeightsAlone() throws {
    let model = try GPTGradientTests.model(unmasked: 0, on: .default)
    let decayed = model.decayedNames
    #expect(decayed.count == 2 * 6 + 1)
    #expect(decayed.contains("head.weight") && decayed.contains("blocks.1.mlp.2.weight"))
    #expect(!decayed.contains("tok_emb.weight") && !decayed.contains("pos_emb"))
    #expect(decayed.allSatisfy { !$0.hasSuffix(".bias") && !$0.contains("ln") })
  }
}
