import Checkpoints
import Models
import TamingCheckpoints
import TestSupport
import Testing

/// Agents of IRIS are recognised, and what does not fit is named.
@Suite struct IRISWeightsTests {
  private func weights(_ source: some TensorSource, heads: Int? = nil) throws -> IRISWeights {
    let checkpoint = try TamingCheckpoint(source, heads: heads)
    guard case .iris(let weights) = checkpoint else {
      throw ArchitectureError.otherModel(
        path: source.path, found: checkpoint.title, expected: "an agent")
    }
    return weights
  }

  @Test func anAgentIsRecognised() throws {
    let source = try CheckpointFile.open(Fixture.path("iris/last.pt"))
    let found = try weights(source)
    #expect((found.config.gridHeight, found.config.gridWidth, found.config.context) == (2, 2, 3))
    #expect((found.config.layers, found.config.heads, found.config.width) == (2, 4, 32))
    #expect((found.config.codebookSize, found.config.actions) == (64, 3))
    #expect(found.config.positions == .learned && found.config.mask == .causal)
    #expect(!found.config.readsPrevious && found.config.headsHaveHiddenLayer)
    #expect(found.config.attentionDropout == 0.1)
    let tokenizer = found.tokenizer.config
    #expect(tokenizer.resolution == 64 && tokenizer.attnResolutions == [8])
    #expect(tokenizer.quantizer.beta == 1 && !tokenizer.quantizer.legacy)
    #expect(found.leftOut.map(\.prefix) == ["actor_critic.", "tokenizer.lpips."])
    #expect(try found.tensors.shape(of: "tok_emb.weight") == [67, 32])
    #expect(try weights(source, heads: 2).config.heads == 2)
  }

  /// The error of the fixture, changed.
  private func problem(_ change: (inout [SafetensorsEntry]) -> Void) throws -> String {
    let folder = try TemporaryFolder()
    let source = try CheckpointFile.open(Fixture.path("iris/last.pt"))
    var entries = try source.names.map { try source.entry(of: $0, as: $0) }
    change(&entries)
    try SafetensorsWriter.write(entries, to: folder("a.safetensors"))
    let error = #expect(throws: (any Error).self) {
      try TamingCheckpoint(try CheckpointFile.open(folder("a.safetensors")))
    }
    return "\(try #require(error))"
  }

  private static func replace(
    _ name: String, shape: [Int], floats: [Float], in entries: inout [SafetensorsEntry]
  ) {
    entries.removeAll { $0.name == name }
    entries.append(SafetensorsEntry(name, shape: shape, floats: floats))
  }

  @Test(arguments: [
    "world_model.transformer.blocks.1.mlp.2.bias", "world_model.head_ends.head_module.2.weight",
    "world_model.embedder.embedding_tables.0.weight", "world_model.head_rewards.indices",
    "world_model.pos_emb.weight", "tokenizer.pre_quant_conv.weight",
  ])
  func aMissingNameIsNamed(name: String) throws {
    let text = try problem { $0.removeAll { $0.name == name } }
    #expect(text.contains(name), "\(text)")
  }

  @Test func aMissingNameOfTheTokenizerIsNamed() throws {
    let text = try problem { $0.removeAll { $0.name == "tokenizer.embedding.weight" } }
    #expect(text.contains("no tensor embedding.weight"), "\(text)")
  }

  @Test(arguments: ["other.weight", "world_model.other.weight"])
  func anotherNameIsNamed(name: String) throws {
    let text = try problem { $0.append(SafetensorsEntry(name, shape: [1], floats: [0])) }
    #expect(text.contains("1 unexpected: \(name)"), "\(text)")
  }

  @Test func anotherShapeIsNamed() throws {
    let name = "world_model.head_rewards.head_module.2.bias"
    let text = try problem { Self.replace(name, shape: [4], floats: [0, 0, 0, 0], in: &$0) }
    #expect(text.contains("\(name) [4] instead of [3]"), "\(text)")
    let table = "world_model.pos_emb.weight"
    let cut = try problem {
      Self.replace(table, shape: [14, 32], floats: Array(repeating: 0, count: 448), in: &$0)
    }
    #expect(cut.contains("14 positions for 3 steps"), "\(cut)")
  }

  @Test func anotherMaskIsRefused() throws {
    let name = "world_model.transformer.blocks.0.attn.mask"
    let text = try problem {
      Self.replace(name, shape: [15, 15], floats: Array(repeating: 1, count: 225), in: &$0)
    }
    #expect(text.contains("\(name): neither causal nor"), "\(text)")
  }

  @Test func stepsByWholeMasksAreBlockCausal() throws {
    let folder = try TemporaryFolder()
    let source = try CheckpointFile.open(Fixture.path("iris/last.pt"))
    var entries = try source.names.map { try source.entry(of: $0, as: $0) }
    let mask = (0..<225).map { index -> Float in index % 15 / 5 <= index / 15 / 5 ? 1 : 0 }
    for layer in 0..<2 {
      Self.replace(
        "world_model.transformer.blocks.\(layer).attn.mask", shape: [15, 15], floats: mask,
        in: &entries)
    }
    try SafetensorsWriter.write(entries, to: folder("a.safetensors"))
    #expect(
      try weights(try CheckpointFile.open(folder("a.safetensors"))).config.mask == .blockCausal)
  }

  @Test func headsOfOtherPositionsAreRefused() throws {
    let name = "world_model.head_ends.indices"
    let text = try problem { entries in
      entries.removeAll { $0.name == name }
      entries.append(SafetensorsEntry(name, shape: [3], integers: [3, 8, 13]))
    }
    #expect(text.contains("\(name): not the positions"), "\(text)")
  }

  @Test func headsDivideTheWidth() throws {
    let source = try CheckpointFile.open(Fixture.path("iris/last.pt"))
    let error = #expect(throws: ArchitectureError.self) { try weights(source, heads: 5) }
    #expect("\(try #require(error))".contains("n_embd / n_head is 32 / 5"))
  }
}
