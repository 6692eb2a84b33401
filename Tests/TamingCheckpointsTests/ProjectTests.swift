import Checkpoints
import Foundation
import Models
import TamingCheckpoints
import TestSupport
import Testing

/// What project files of taming-transformers add to the weights.
struct ProjectTests {
  private func project(_ yaml: String) throws -> TamingProject {
    let folder = try TemporaryFolder()
    try Data(yaml.utf8).write(to: URL(fileURLWithPath: folder("project.yaml")))
    return try TamingProject(folder("project.yaml"))
  }

  private static let vqgan = """
    \(Fixture.project)
    data:
      params:
        train:
          params:
            size: 208
    """

  private static let transformer = """
    model:
      target: taming.models.cond_transformer.Net2NetTransformer
      params:
        cond_stage_key: image
        transformer_config:
          target: taming.modules.transformer.mingpt.GPT
          params: {vocab_size: 64, block_size: 32, n_layer: 2, n_head: 4, n_embd: 32, \
            resid_pdrop: 0.1}
        cond_stage_config: __is_unconditional__
    """

  private func firstStage(_ yaml: String) throws -> VQGANConfig? {
    let source = try CheckpointFile.open(Fixture.path("vqgan-tiny.ckpt"))
    guard case .firstStage(let weights) = try TamingCheckpoint(source, project: project(yaml))
    else { return nil }
    return weights.config
  }

  @Test func aVQGANsProject() throws {
    let expected = VQGANConfig(
      resolution: 32, ch: 32, chMult: [1, 2], numResBlocks: 1, attnResolutions: [16],
      zChannels: 32, dropout: 0.25, embedDim: 32, nEmbed: 64)
    #expect(try firstStage(Self.vqgan) == expected)
    #expect(try project(Self.vqgan).imageSize == 208)
  }

  @Test(arguments: [
    ("n_embed: 64", "n_embed: 1024", "n_embed is 1024"), ("ch: 32", "ch: 64", "ch is 64"),
    ("[ 1,2 ]", "[1,1,2]", "ch_mult is [1, 1, 2]"),
    ("attn_resolutions: [16]", "attn_resolutions: [32]", "attn_resolutions is [32]"),
    ("num_res_blocks: 1", "num_res_blocks: 2", "num_res_blocks is 2"),
  ])
  func aProjectOfOtherWeights(old: String, new: String, expected: String) throws {
    let error = #expect(throws: ArchitectureError.self) {
      try firstStage(Self.vqgan.replacing(old, with: new))
    }
    #expect("\(try #require(error))".contains(expected))
  }

  @Test(arguments: [
    ("embed_dim: 32", "embed_dim: 190:20:30", "embed_dim is 190:20:30, expected an integer"),
    ("n_embed: 64", "n_embed: 2024-05-01", "n_embed is 2024-05-01, expected an integer"),
    ("n_embed: 64", "n_embed: '64'", "n_embed is \"64\", expected an integer"),
    ("ch: 32", "ch: {a: 1}", "ddconfig.ch is a mapping, expected an integer"),
    ("resolution: 32", "resolution: 1e9999", "ddconfig.resolution is 1e9999"),
    ("dropout: 0.25", "dropout: 0:25", "ddconfig.dropout is 0:25, expected a number"),
    ("[ 1,2 ]", "[1, two]", "ddconfig.ch_mult is [1, two], expected a list of integers"),
    ("[ 1,2 ]", "2", "ddconfig.ch_mult is 2, expected a list of integers"),
    ("dropout: 0.25", "dropout: .nan", "dropout is nan"),
    ("resolution: 32", "resolution: -1", "2 levels for a resolution of -1"),
    ("resolution: 32", "resolution: 33", "resolution is 33"),
  ])
  func valuesThatAreNone(old: String, new: String, expected: String) throws {
    let error = #expect(throws: ArchitectureError.self) {
      try firstStage(Self.vqgan.replacing(old, with: new))
    }
    #expect("\(try #require(error))".contains("project.yaml: \(expected)"))
  }

  @Test func valuesThatTheFileDoesNotTell() throws {
    for value in ["", "null", "~", "${model.params.ddconfig.z_channels}"] {
      let yaml = Self.vqgan.replacing("embed_dim: 32", with: "embed_dim: \(value)")
      #expect(try firstStage(yaml) == firstStage(Self.vqgan), "\(value)")
    }
  }

  @Test(arguments: [
    ("taming.models.vqgan.VQModel", "taming.models.cond_transformer.Net2NetTransformer"),
    ("taming.models.vqgan.VQModel", "taming.models.vqgan.GumbelVQ"),
    ("target: taming.models.vqgan.VQModel", "target: other.Thing"),
    ("target: taming.models.vqgan.VQModel", "target: mine.VQGAN"),
  ])
  func aProjectOfAnotherKind(old: String, new: String) throws {
    var yaml = Self.vqgan.replacing(old, with: new)
    if new.hasSuffix("Thing") { yaml = yaml.replacing("ddconfig:", with: "config:") }
    // A class of one's own is known by its parameters.
    if new.hasSuffix("mine.VQGAN") {
      #expect(try firstStage(yaml) != nil)
      return
    }
    let error = #expect(throws: ArchitectureError.self) { try firstStage(yaml) }
    #expect("\(try #require(error))".contains("model.target is"))
    let gpt = try CheckpointFile.open(Fixture.path("gpt-tiny.ckpt"))
    #expect(throws: ArchitectureError.self) {
      try TamingCheckpoint(gpt, project: try project(Self.vqgan), heads: 4)
    }
  }

  @Test func headsOfTheProjectAreNotOverruled() throws {
    let gpt = try CheckpointFile.open(Fixture.path("gpt-tiny-unmasked.ckpt"))
    let project = try project(Self.transformer)
    #expect(throws: ArchitectureError.otherHeads(project: project.path, found: 4, given: 2)) {
      try TamingCheckpoint(gpt, project: project, heads: 2)
    }
    #expect(throws: Never.self) { try TamingCheckpoint(gpt, project: project, heads: 4) }
  }

  @Test(arguments: [
    ("resid_pdrop: 0.1", "resid_pdrop: .nan", "resid_pdrop is nan"),
    ("n_head: 4", "n_head: 5", "5 heads do not divide"),
  ])
  func impossibleValuesOfATransformersProject(old: String, new: String, expected: String) throws {
    let gpt = try CheckpointFile.open(Fixture.path("gpt-tiny-unmasked.ckpt"))
    let error = #expect(throws: ArchitectureError.self) {
      try TamingCheckpoint(gpt, project: try project(Self.transformer.replacing(old, with: new)))
    }
    let text = "\(try #require(error))"
    #expect(text.contains("project.yaml: ") && text.contains(expected))
  }

  @Test func aTransformersProject() throws {
    let source = try CheckpointFile.open(Fixture.path("gpt-tiny-unmasked.ckpt"))
    let checkpoint = try TamingCheckpoint(source, project: try project(Self.transformer))
    guard case .transformer(let weights) = checkpoint else {
      Issue.record("not recognised")
      return
    }
    let expected = try GPTConfig(
      vocabSize: 64, blockSize: 32, layers: 2, heads: 4, width: 32, unmasked: 8,
      residualDropout: 0.1)
    #expect(weights.config == expected)
    #expect(weights.isUnconditional)
    let conditional = try project(
      Self.transformer.replacing(
        "__is_unconditional__", with: "{target: taming.models.vqgan.VQSegmentationModel}"))
    guard case .transformer(let other) = try TamingCheckpoint(source, project: conditional) else {
      Issue.record("not recognised")
      return
    }
    #expect(!other.isUnconditional)
    #expect(other.condition == "VQSegmentationModel")
  }

  @Test func projectFilesLieBesideCheckpoints() throws {
    let folder = try TemporaryFolder()
    for name in ["checkpoints", "configs"] {
      try FileManager.default.createDirectory(
        atPath: folder(name), withIntermediateDirectories: false)
    }
    #expect(try TamingProject.beside(folder("checkpoints/last.ckpt")) == nil)
    for (name, size) in [("2021-a-project.yaml", 64), ("2022-b-project.yaml", 96)] {
      try Data(Self.vqgan.replacing("208", with: "\(size)").utf8).write(
        to: URL(fileURLWithPath: folder("configs/\(name)")))
    }
    #expect(try TamingProject.beside(folder("checkpoints/last.ckpt"))?.imageSize == 96)
  }

  /// A kilobyte of which each line is nine times the one before, as a key, which is compared.
  @Test(.timeLimit(.minutes(30))) func aliasesOfAliasesAreRefused() {
    var yaml = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
    for level in 1...12 {
      let parts = [String](repeating: "*a\(level - 1)", count: 9).joined(separator: ",")
      yaml += "a\(level): &a\(level) [\(parts)]\n"
    }
    #expect(throws: ArchitectureError.self) {
      try project(Self.vqgan + "\n" + yaml + "{*a12 : 1}: 1\n")
    }
  }

  @Test func deepNestingIsRefused() {
    for opening in ["[", "{a: ", "- "] {
      let text = String(repeating: opening, count: 100_000)
      #expect(throws: ArchitectureError.self) { try project("model: " + text) }
    }
  }

  @Test(arguments: ["", "a: [", "model: 3", "model: {params: {}}", "- 1"])
  func whatIsNoProject(yaml: String) throws {
    #expect(throws: ArchitectureError.self) { try project(yaml) }
  }
}
